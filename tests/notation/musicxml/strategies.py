"""Scores as hypothesis makes them up: everything the model can say, whether MusicXML can write it directly or not."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

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

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
PITCHES = st.builds(Pitch, st.sampled_from("CDEFGAB"), st.integers(0, 9), st.integers(-2, 2))
WRITTEN = st.sampled_from([Fraction(n, d) for n in (1, 3, 5, 7, 9) for d in (2, 4, 8, 16, 32)])
TUPLETS = st.sampled_from([None, None, None, (3, 2), (5, 4), (2, 3), (7, 8), (6, 4)])
DECORATIONS = st.sampled_from(["staccato", "trill", "fermata", "p", "ff", "upbow", "3", "segno", "coda", "roll", "a<b"])
SYLLABLES = st.sampled_from(["", "la", "Glo-", "_", "a b", "x&y", "-"])
MARKS = st.builds(
    Marks,
    st.lists(DECORATIONS, max_size=3).map(tuple),
    st.lists(st.builds(str.__add__, st.sampled_from("^_<>@"), TEXTS), max_size=2).map(tuple),
    st.integers(0, 2),
    st.integers(0, 2),
    st.lists(SYLLABLES, max_size=3).map(tuple),
)
SYMBOLS = st.builds(
    ChordSymbol,
    st.one_of(st.none(), st.tuples(st.sampled_from("CDEFGAB"), st.integers(-1, 1))),
    st.sampled_from(["major", "minor-seventh", "dominant", "other", "no such kind"]),
    st.one_of(st.none(), st.tuples(st.sampled_from("CDEFGAB"), st.integers(-1, 1))),
    st.sampled_from(["", "C7", "Am/E"]),
)
KEYS = st.one_of(
    st.builds(KeySignature, st.integers(-7, 7), st.sampled_from(["", "major", "minor", "dorian"])),
    st.builds(KeySignature, st.integers(-3, 3), st.just("minor"), st.just((("F", 1),))),
)
TIMES = st.one_of(
    st.just(TimeSignature((), 4)),
    st.sampled_from([TimeSignature((4,), 4, "common"), TimeSignature((2, 3), 8), TimeSignature((6,), 8)]),
)
BARLINES = st.one_of(
    st.none(),
    st.builds(Barline, st.sampled_from(["regular", "double", "final", "initial", "dotted", "none"]), st.booleans()),
)


@st.composite
def events(draw: st.DrawFn) -> tuple[Event, ...]:
    """The events of a voice, without gaps."""
    onset = Fraction(0)
    made: list[Event] = []
    for _ in range(draw(st.integers(0, 4))):
        notes = draw(st.lists(st.builds(Note, PITCHES, st.booleans(), st.booleans()), max_size=3))
        grace = draw(st.integers(0, 7)) == 0
        tuplet = draw(TUPLETS)
        duration = draw(WRITTEN) * (Fraction(tuplet[1], tuplet[0]) if tuplet else 1)
        event = Event(
            onset,
            Fraction(0) if grace else duration,
            tuple(notes),
            tuplet,
            grace,
            draw(st.booleans()) and not notes,
            draw(st.booleans()) and not notes and not grace,
            draw(st.one_of(st.none(), st.none(), SYMBOLS)),
            draw(st.one_of(st.just(Marks()), MARKS)),
        )
        made.append(event)
        onset = event.end
    return tuple(made)


MEASURES = st.builds(
    Measure,
    st.lists(
        st.builds(Voice, events(), st.integers(1, 2), st.integers(1, 3)),
        max_size=3,
        unique_by=lambda voice: (voice.staff, voice.number),
    ).map(tuple),
    TIMES,
    KEYS,
    BARLINES,
    st.booleans(),
    st.sampled_from([(), (), (1,), (1, 2)]),
    st.sampled_from([0, 0, -2, 12]),
    st.sampled_from([(), ("treble",), ("bass-8", "alto1"), ("", "treble"), ("clef",)]),
    st.sampled_from(["", "1", "x"]),
    st.booleans(),
)
PARTS = st.builds(
    Part,
    st.sampled_from(["P1", "P2", "1", "a b", ""]),
    st.lists(MEASURES, min_size=1, max_size=3).map(tuple),
    st.one_of(TEXTS, st.sampled_from(["Violin I", "Klavier"])),
    st.sampled_from(["", "piano", "bass-voice"]),
    st.integers(1, 3),
)
FIELDS = st.tuples(
    st.sampled_from(["O", "%%score", "identification/rights", "identification/creator[lyricist]", "a b"]), TEXTS
)
SCORES = st.builds(
    Score,
    st.lists(PARTS, min_size=1, max_size=3).map(tuple),
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(FIELDS, max_size=3).map(tuple),
)
