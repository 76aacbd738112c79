"""Printing: the schema accepts it, and reading it gives the same score."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings

from notation.musicxml import LANGUAGE, normal_form, parse, print_score
from notation.musicxml.normal_form import written_pieces
from notation.score import Barline, Event, KeySignature, Measure, Note, Part, Pitch, Score, Voice
from tests.notation.musicxml.corpus import sample, score_files, text_of
from tests.notation.musicxml.schema import schema_errors
from tests.notation.musicxml.strategies import SCORES

F = Fraction


@settings(max_examples=100, deadline=None)
@given(SCORES)
def test_reading_what_was_printed_gives_the_normal_form(score: Score) -> None:
    text = print_score(score)
    document = parse(text)
    assert document.scores[0] == normal_form(score)
    assert [one for one in document.diagnostics if one.code == "not-well-formed"] == []


@settings(max_examples=60, deadline=None)
@given(SCORES)
def test_the_normal_form_is_its_own(score: Score) -> None:
    once = normal_form(score)
    assert normal_form(once) == once


@settings(max_examples=25, deadline=None)
@given(SCORES)
def test_the_schema_accepts_generated_scores(score: Score) -> None:
    assert schema_errors(print_score(score)) == []


def test_real_scores_round_trip_unchanged() -> None:
    assert len(score_files()) >= 500
    read = 0
    for path in sample(40):
        text = text_of(path)
        if text is None:
            continue
        score = parse(text).scores[0]
        assert parse(print_score(score)).scores[0] == score, path.name
        read += bool(score.parts)
    assert read >= 30


def test_the_schema_accepts_real_scores() -> None:
    texts = [text for path in sample(5, start=3) if (text := text_of(path)) is not None]
    assert len(texts) >= 4
    for text in texts:
        assert schema_errors(print_score(parse(text).scores[0])) == []


@pytest.mark.parametrize(
    ("duration", "pieces"),
    [
        pytest.param(F(1, 4), [F(1, 4)], id="a quarter"),
        pytest.param(F(3, 8), [F(3, 8)], id="dotted"),
        pytest.param(F(7, 8), [F(7, 8)], id="double dotted"),
        pytest.param(F(5, 8), [F(1, 2), F(1, 8)], id="tied"),
        pytest.param(F(9, 8), [F(1), F(1, 8)], id="longer than a measure"),
        pytest.param(F(1, 3), [F(1, 3)], id="no sum of noteheads"),
    ],
)
def test_noteheads_of_a_duration(duration: Fraction, pieces: list[Fraction]) -> None:
    assert written_pieces(duration) == pieces


def _score(*measures: Measure) -> Score:
    return Score((Part("P1", measures),))


def test_a_duration_without_a_notehead_becomes_tied_notes() -> None:
    note = Note(Pitch("G", 4))
    read = parse(print_score(_score(Measure((Voice((Event(F(0), F(5, 8), (note,)),)),))))).scores[0]
    events = read.parts[0].measures[0].voices[0].events
    assert [(event.duration, event.notes[0].tie) for event in events] == [(F(1, 2), True), (F(1, 8), False)]


def test_explicit_accidentals_of_a_key_survive_as_the_signature() -> None:
    key = KeySignature(-2, "minor", (("F", 1),))
    read = parse(print_score(_score(Measure(key=key)))).scores[0].parts[0].measures[0].key
    assert [read.alter_of(step) for step in "CDEFGAB"] == [key.alter_of(step) for step in "CDEFGAB"]


def test_repeats_and_endings_are_printed_where_they_stand() -> None:
    measures = (
        Measure(repeat_start=True),
        Measure(ending=(1,), barline=Barline(repeat_end=True)),
        Measure(ending=(2,), barline=Barline("final")),
    )
    text = print_score(_score(*measures))
    assert text.count('<repeat direction="forward"/>') == text.count('<repeat direction="backward"/>') == 1
    assert text.count('type="start"/>') == 2
    assert '<ending number="1" type="stop"/>' in text
    assert '<ending number="2" type="discontinue"/>' in text


def test_accidentals_are_printed_only_where_needed() -> None:
    sharp, natural = Note(Pitch("F", 4, 1)), Note(Pitch("F", 4))
    notes = (sharp, sharp, natural, natural)
    events = tuple(Event(F(index, 4), F(1, 4), (note,)) for index, note in enumerate(notes))
    text = print_score(_score(Measure((Voice(events),)), Measure((Voice(events),), key=KeySignature(1))))
    first, second = text.split('<measure number="2">')
    assert first.count("<accidental>sharp<") == first.count("<accidental>natural<") == 1
    assert second.count("<accidental>sharp<") == 0
    assert second.count("<accidental>natural<") == 1


def test_beams_follow_the_beat() -> None:
    events = tuple(Event(F(index, 8), F(1, 8), (Note(Pitch("A", 4)),)) for index in range(8))
    text = print_score(_score(Measure((Voice(events),))))
    assert text.count('<beam number="1">begin</beam>') == text.count('<beam number="1">end</beam>') == 4


def test_triplets_get_one_bracket_each() -> None:
    events = tuple(Event(F(index, 12), F(1, 12), (Note(Pitch("A", 4)),), (3, 2)) for index in range(6))
    text = print_score(_score(Measure((Voice(events),))))
    assert text.count('<tuplet type="start"') == text.count('<tuplet type="stop"') == 2


def test_one_document_holds_one_score() -> None:
    with pytest.raises(ValueError, match="one score, not 2"):
        LANGUAGE.print([Score(), Score()])
    assert LANGUAGE.parse(LANGUAGE.print([Score(title="A & B")])).scores[0].title == "A & B"


def test_measure_numbers_and_pickups_are_kept() -> None:
    measure = Measure(number="0", implicit=True)
    read = parse(print_score(_score(measure, replace(measure, number="1", implicit=False)))).scores[0].parts[0]
    assert [(one.number, one.implicit) for one in read.measures] == [("0", True), ("1", False)]
