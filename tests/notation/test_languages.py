"""What every notation language keeps to, and what survives the way from one to another."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notation.language import Language, language, language_of, languages
from notation.score import Event, Score

EVERY = [pytest.param(one, id=one.name) for one in languages()]
SNIPPETS = ["", "X:1\nK:C\nCDEF|", "<score-partwise><part id='P1'><measure number='1'>", "‸\u2028\r\n\x0c", "𝄞|<>&[(3"]


@pytest.mark.parametrize("one", EVERY)
@settings(max_examples=40, deadline=None)
@given(text=st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=20)), max_size=6).map("".join))
def test_any_text_is_parsed_and_asked_anywhere(one: Language, text: str):
    document = one.parse(text)
    assert document.text == text
    for offset in {0, len(text) // 2, len(text)}:
        one.table_items(document, offset)
        site = one.completion_site(document, offset)
        assert site is None or site.offset <= len(text)
    for diagnostic in document.diagnostics:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)


@pytest.mark.parametrize("one", EVERY)
def test_a_language_is_found_by_its_files(one: Language):
    assert language(one.name) is one
    assert all(language_of(f"a/b{suffix.upper()}") is one for suffix in one.suffixes)


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(KeyError, match="there are abc, musicxml"):
        language("tablature")
    assert language_of("notes.txt") is None


def tunes() -> Iterable[Score]:
    """Every 40th folk tune that comes with music21."""
    spec = find_spec("music21")
    assert spec is not None
    assert spec.origin is not None
    files = sorted((Path(spec.origin).parent / "corpus").glob("**/*.abc"))
    for path in files[::40]:
        yield from language("abc").parse(path.read_text("utf-8", errors="replace")).scores[:3]


def joined(events: Iterable[Event]) -> list[tuple[object, ...]]:
    """What sounds and when, tied repetitions made one: a note may be written as several."""
    done: list[tuple[Fraction, Fraction, tuple[object, ...], bool]] = []
    for event in events:
        if event.grace:
            continue
        pitches = tuple((note.pitch) for note in event.notes)
        if done and done[-1][3] and done[-1][2] == pitches:
            onset, duration, _, _ = done.pop()
            done.append((onset, duration + event.duration, pitches, all(note.tie for note in event.notes)))
        else:
            tied = bool(event.notes) and all(note.tie for note in event.notes)
            done.append((event.onset, event.duration, pitches, tied))
    return [(onset, duration, pitches) for onset, duration, pitches, _ in done if pitches]


def music(score: Score) -> list[object]:
    """What must survive a change of language: keys, metres, repeats, endings, notes, rhythm, tuplets, chord symbols."""
    said: list[object] = []
    for part in score.parts:
        for measure in part.measures:
            repeat_end = measure.barline is not None and measure.barline.repeat_end
            said.append((measure.key.fifths, measure.time.beats, measure.time.unit, measure.repeat_start, repeat_end))
            said.append(measure.ending)
            for voice in measure.voices:
                sounding = [event for event in voice.events if not event.is_rest]
                said.append(joined(voice.events))
                said.append([event.tuplet for event in sounding if event.tuplet])
                said.append([(one.onset, one.chord_symbol) for one in voice.events if one.chord_symbol])
    return said


def test_tunes_keep_their_music_through_musicxml_and_back():
    n_tunes = 0
    for score in tunes():
        if not score.n_measures:
            continue
        xml = language("musicxml")
        there = xml.parse(xml.print([score])).scores[0]
        back = language("abc").parse(language("abc").print([there])).scores[0]
        assert music(there) == music(score), f"to MusicXML: {score.title}"
        assert music(back) == music(score), f"and back: {score.title}"
        n_tunes += 1
    assert n_tunes >= 25
