"""Printing: every score that ABC can say comes back equal; what it cannot is normalised."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notation.abc import LANGUAGE, decode_bytes
from notation.abc.printer import normalise
from notation.score import (
    Barline,
    ChordSymbol,
    Event,
    KeySignature,
    Marks,
    Measure,
    Note,
    Part,
    Pitch,
    Score,
    TimeSignature,
    Voice,
)
from tests.notation.abc.roundtrip import packaged_corpus, read_tunes, round_trip

N_FILES = 700
"""music21 brings more than a thousand ABC files; fewer than this means that they were not found."""
STEP = 10


def test_corpus_round_trips() -> None:
    files = packaged_corpus()
    assert len(files) >= N_FILES
    sample = [file for file in files[::STEP] if file.stat().st_size < 60_000]
    failures = {}
    n_tunes = 0
    for file, score in read_tunes(sample):
        n_tunes += 1
        lost = round_trip(score)
        if lost:
            failures[file.name, score.title] = lost
    assert n_tunes > N_FILES // STEP
    assert failures == {}


def test_corpus_gives_few_false_alarms() -> None:
    """The fiddle tunes are proof-read: measures that do not fit are rare (essenFolksong leaves out barlines)."""
    n_measures = n_misfits = 0
    for file in [file for file in packaged_corpus() if file.parent.name != "essenFolksong"][::STEP]:
        document = LANGUAGE.parse(decode_bytes(file.read_bytes())[0])
        n_measures += sum(len(part.measures) for score in document.scores for part in score.parts)
        n_misfits += sum(one.code.startswith("measure-too") for one in document.diagnostics)
    assert n_measures > 2000
    assert n_misfits < 0.01 * n_measures


@pytest.mark.parametrize(
    ("music", "line"),
    [
        pytest.param("CDEF GABc|c8|]", "| CD EF GA Bc | c8 |]", id="barlines"),
        pytest.param("^F F =F F|F8|", "| ^FF =FF | F8 |", id="accidentals only where needed"),
        pytest.param("^F2 f2 z4|", "| ^F2 =f2 z4 |", id="a courtesy in the other octave"),
        pytest.param("^F8-|F2 F2 z4|", "| ^F8- | F2 =F2 z4 |", id="a courtesy after a tie"),
        pytest.param("(3ABc(3cBA z4|", "| (3ABc (3cBA z4 |", id="tuplets"),
        pytest.param("[CEG]4 [C-E]2[CE]2|", "| [CEG]4 [C-E]2 [CE]2 |", id="chords"),
        pytest.param("{ga}c4 {/g}c4|", "| {ga}c4 {/g}c4 |", id="grace notes"),
        pytest.param('"Am"!trill!(c4 .d4)|', '| "Am"(!trill!c4 .d4) |', id="marks"),
        pytest.param("|:c8|1d8:|2e8|]", "|: c8 | [1 d8 :| [2 e8 |]", id="repeats"),
        pytest.param("c8::d8:|", "| c8 :: d8 :|", id="both repeats"),
        pytest.param("Z2|X|", "| Z | Z | X |", id="measures of rest"),
        pytest.param("c8 & C8|", "| c8 & C8 |", id="overlays"),
        pytest.param("c8|[K:G][M:3/4]f6|", "| c8 | [K:G] [M:3/4] f6 |", id="changes"),
        pytest.param("c5 z/z/ z2|", "| c5z/z/ z2 |", id="a length that is no note value stays one note"),
    ],
)
def test_lines(music: str, line: str) -> None:
    start = "CDEF GABc|CDEF GABc| "
    score = LANGUAGE.parse("X:1\nT:t\nM:4/4\nL:1/8\nK:C\n" + start + music).scores[0]
    body = LANGUAGE.print([score]).partition("K:C\n")[2].split()
    assert " ".join(body).replace("CD EF GA Bc | CD EF GA Bc ", "", 1) == line


def test_lyrics() -> None:
    text = "X:1\nM:4/4\nL:1/4\nK:C\ncdef|\nw:1.~O come, a\\-b_ *\nw:two-\n"
    (score,) = LANGUAGE.parse(text).scores
    assert LANGUAGE.parse(LANGUAGE.print([score])).scores == (score,)


@pytest.mark.parametrize(
    "music",
    [
        pytest.param("m:~G3=G{A}G{F}G\nK:C\n~G3 c|", id="a macro"),
        pytest.param("m:~n2={o}n{m}n\nK:C\n~c'2 ~B,2|", id="a transposing macro"),
        pytest.param("%%propagate-accidentals not\nK:C\n^FF^F f|", id="accidentals that hold for a note"),
        pytest.param("I:propagate-accidentals pitch\nK:C\n^Ff=F f|", id="accidentals that hold for all octaves"),
        pytest.param("K:C\n(&c|d&e|f&)|g|", id="overlays of several measures"),
        pytest.param('K:C\n+CEG+cd|\ns:!p! "^slow" "Am"', id="old chords and symbol lines"),
        pytest.param("K:C\n{a}{/g}c{/ga}c{[gb]}c|", id="short grace notes"),
        pytest.param("K:C\nP:A\nc4|[Q:1/4=9]d4|\nN:so\n+:on\n%%vskip 1cm\ne4|]\nN:end\nW:w", id="fields of the body"),
        pytest.param("V:1\nV:2\nK:C\nV:1\nc4|\nP:B\nd4|\nw:la\nV:2\nT:x\nC4|D4|", id="fields of a voice"),
    ],
)
def test_what_is_read_comes_back(music: str) -> None:
    scores = LANGUAGE.parse("X:1\nL:1/8\n" + music).scores
    assert LANGUAGE.parse(LANGUAGE.print(scores)).scores == scores


def test_a_macro_that_would_change_the_print_is_left_away() -> None:
    (score,) = LANGUAGE.parse("X:1\nm:G=cc\nK:C\nGG|f|\n").scores
    assert "m:" in LANGUAGE.print([score])
    (score,) = LANGUAGE.parse("X:1\nm:G=GG\nK:C\nG|f|\n").scores
    assert "m:" not in LANGUAGE.print([score])


def test_several_tunes() -> None:
    scores = LANGUAGE.parse("X:1\nT:a\nK:C\nc|\n\nX:5\nT:b\nK:G\ng|\n").scores
    assert LANGUAGE.parse(LANGUAGE.print(scores)).scores == scores


def test_staves_and_voices_of_a_part() -> None:
    """A piano part of two staves, two voices on the upper one, becomes two ABC voices and an overlay."""
    events = tuple(Event(Fraction(n, 4), Fraction(1, 4), (Note(Pitch("C", 5 - n)),)) for n in range(4))
    voices = (Voice(events, 1, 1), Voice(events, 1, 2), Voice(events, 2, 1))
    part = Part("P1", (Measure(voices, clefs=("treble", "bass")), Measure(())), name="Piano", staves=2)
    (score,) = LANGUAGE.parse(LANGUAGE.print([Score((part,))])).scores
    assert score == normalise(Score((part,)))
    assert [one.id for one in score.parts] == ["P1.1", "P1.2"]
    assert [len(one.measures[0].voices) for one in score.parts] == [2, 1]
    assert [one.measures[0].clefs for one in score.parts] == [("treble",), ("bass",)]


UNITS = [Fraction(1, 16), Fraction(1, 8), Fraction(3, 16), Fraction(1, 4), Fraction(3, 8), Fraction(5, 8)]
MARKS = st.builds(
    Marks,
    decorations=st.lists(st.sampled_from(["trill", "staccato", "D.C.", "<("]), max_size=2).map(tuple),
    annotations=st.lists(st.sampled_from(["^slow", "Fine", "_50% <b>"]), max_size=1).map(tuple),
    slur_starts=st.integers(0, 1),
    slur_ends=st.integers(0, 1),
    lyrics=st.lists(st.sampled_from(["a", "la-", "_", "", "o~h", "b c", "50%"]), max_size=2).map(
        lambda verses: tuple(verses) if not verses or verses[-1] else ()
    ),
)
PITCHES = st.builds(Pitch, st.sampled_from("CDEFGAB"), st.integers(1, 8), st.integers(-2, 2))
CHORDS = st.sampled_from(
    [None, ChordSymbol(("A", 0), "minor-seventh", ("C", 1)), ChordSymbol(None, "none"), ChordSymbol(("B", -1), "other")]
)


FIELDS = st.lists(
    st.sampled_from(
        [("P", "A"), ("Q", "1/4=80"), ("N", "50% [a]"), ("T", "Trio"), ("%%newpage", ""), ("%%begintext", "a\n\nb")]
    ),
    max_size=3,
).map(tuple)


@st.composite
def _events(draw: st.DrawFn) -> tuple[Event, ...]:
    onset = Fraction(0)
    events: list[Event] = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["note", "note", "chord", "rest", "grace", "triplet"]))
        unit = draw(st.sampled_from(UNITS))
        for _ in range(3 if kind == "triplet" else 1):
            size = {"rest": 0, "chord": 3}.get(kind, 1)
            heads = draw(st.lists(PITCHES, min_size=min(size, 2), max_size=size, unique_by=lambda one: one.position))
            notes = tuple(Note(pitch) for pitch in sorted(heads, key=lambda one: one.position))
            duration = Fraction(0) if kind == "grace" else unit * Fraction(2, 3) if kind == "triplet" else unit
            event = Event(onset, duration, notes, (3, 2) if kind == "triplet" else None, kind == "grace")
            if kind in ("note", "chord"):
                event = replace(event, chord_symbol=draw(CHORDS), marks=draw(MARKS))
            events.append(event)
            onset += duration
    return tuple(events)


@st.composite
def _scores(draw: st.DrawFn) -> Score:
    parts = []
    key = draw(st.sampled_from([KeySignature(2, "major"), KeySignature(-3, "dorian"), KeySignature(1), KeySignature()]))
    for number in range(draw(st.integers(1, 2))):
        measures = []
        for index in range(draw(st.integers(1, 4))):
            voices = tuple(Voice(draw(_events()), 1, layer) for layer in range(1, draw(st.integers(1, 2)) + 1))
            barline = draw(
                st.builds(Barline, st.sampled_from(["regular", "double", "final", "dotted", "none"]), st.booleans())
            )
            time = draw(st.sampled_from([TimeSignature((6,), 8), TimeSignature((2, 3), 8), TimeSignature(())]))
            ending = draw(st.sampled_from([(), (), (1,), (1, 3)]))
            repeats = draw(st.booleans()) and index > 0
            measures.append(Measure(voices, time, key, barline, repeats, ending, fields=draw(FIELDS)))
        parts.append(Part(str(number + 1), tuple(measures), last_fields=draw(FIELDS)))
    title = draw(st.sampled_from(["", "A tune", "50% \\ more"]))
    return Score(tuple(parts), title, rhythm=draw(st.sampled_from(["", "jig"])), fields=(("N", "x"), ("%%scale", "1")))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_scores())
def test_generated_scores_round_trip(score: Score) -> None:
    text = LANGUAGE.print([score])
    assert LANGUAGE.parse(text).scores == (score,), text
