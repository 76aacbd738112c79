"""A measure is the same whether or not the texts of its notes have been read before."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notation.musicxml.measure import PartState, ReadMeasure, read_measure
from notation.musicxml.note import known_note
from notation.musicxml.tags import MAX_DEPTH
from notation.score import Event, Note, Pitch
from notation.source import Span

COMMENT = "<!---->"
"""Before a measure, it is read element by element, and none of its notes is looked up."""
NOTE = "<note default-x='3'>\n <pitch><step>C</step><octave>4</octave></pitch><duration>2</duration>\n</note>"
LYRIC = "<lyric number='2'><syllabic>begin</syllabic><text>la</text></lyric>"
SUNG = NOTE.replace("</note>", f"<type>half</type>{LYRIC}</note>")
PIECES = st.sampled_from(
    [NOTE, NOTE, NOTE + NOTE, SUNG, SUNG.replace("</pitch>", ""), SUNG.replace("</lyric>", "</lyric><cue/>"),
     SUNG.replace("<pitch>", "<a><pitch>").replace("</note>", "</a></note>"),
     NOTE.replace("<pitch>", "<chord/><pitch>"), NOTE.replace("<pitch>", "<grace slash='yes'/><chord/><pitch>"),
     NOTE.replace("C", "H"), NOTE.replace("4", "four"), NOTE.replace("2", "1.5"),
     NOTE.replace("<pitch>", "<pitch><step>D</step><octave>3</octave></pitch><pitch>"),
     NOTE.replace("<pitch>", "<pitch a='b'><step>E</step><octave>4</octave></pitch><pitch>"),
     NOTE.replace("</note>", "<unpitched/><voice>2</voice></note>"),
     '<note print-object="no"><rest/><duration>2</duration></note>',
     "<note><rest measure='yes'/><duration>8</duration><lyric/></note>",
     "<note><lyric><text>o</text></lyric><rest/></note>",
     "<note>", "</note>", "</note >", "<note/>", "<note>C</note>", "<notes>", "<notations>", "</notations>",
     "<slur type='start'/>", "<rest/>", "<tie type='start' />", "<backup><duration>4</duration></backup>",
     "<backup><duration>1</duration></backup>", "<forward><duration>1</duration><voice>3</voice></forward>",
     "<attributes>", "</attributes>", "<attributes><divisions>4</divisions></attributes>",
     "<direction><direction-type><words>a</words></direction-type></direction>",
     "<harmony><root><root-step>C</root-step></root><offset>1</offset></harmony>", "<a>x>y</a>", "<a>b<c/>d</a>",
     "<![CDATA[<note>]]>", "&lt;", "<", ">", '"', "\n ", "𝄞", "<a>" * MAX_DEPTH, "!?", LYRIC]
)  # fmt: skip


def everything(read: ReadMeasure) -> str:
    """All that is said of the music, spans included."""
    measure = read.measure
    return repr((measure.voices, measure.barline, read.diagnostics, read.state, read.position, read.current))


@settings(deadline=None, max_examples=400)
@given(st.lists(PIECES, max_size=10).map("".join), st.sampled_from([None, Fraction(2), Fraction(3, 2)]))
def test_it_says_the_same_read_note_by_note_and_element_by_element(text: str, divisions: Fraction | None) -> None:
    state = PartState(divisions)
    assert everything(read_measure(text, state, 100)) == everything(
        read_measure(COMMENT + text, state, 100 - len(COMMENT))
    )


def content(note: str) -> str:
    """The text between the tags of a note."""
    return note[note.index(">") + 1 : -len("</note>")]


def test_notes_that_differ_in_pitch_and_lyrics_share_the_rest() -> None:
    one, other = (known_note(content(note)) for note in (SUNG, SUNG.replace("C", "D").replace("la<", "lu<")))
    assert one is not None
    assert other is not None
    assert one[0] is other[0]
    assert (one[1], other[1]) != (other[1], one[1])
    assert (one[2].lyrics, other[2].lyrics) == (("", "la-"), ("", "lu-"))


def test_events_are_values_like_any_other() -> None:
    (voice,) = read_measure(NOTE, PartState(Fraction(2)), 0).measure.voices
    (event,) = voice.events
    span = Span(0, len(NOTE))
    expected = Event(Fraction(0), Fraction(1, 4), (Note(Pitch("C", 4), span=span),), span=span)
    assert type(event) is Event
    assert (event, hash(event), repr(event)) == (expected, hash(expected), repr(expected))
    assert replace(event, grace=True) == replace(expected, grace=True)
    with pytest.raises(FrozenInstanceError):
        event.grace = True  # type: ignore[misc]  # that it is frozen is what is tested


def test_the_notes_of_a_chord_are_sorted_and_all_are_in_its_span() -> None:
    chord = NOTE.replace("<pitch>", "<chord/><pitch>")
    text = NOTE + chord.replace("C", "E") + chord.replace("C", "D")
    (voice,) = read_measure(text, PartState(Fraction(2)), 0).measure.voices
    (event,) = voice.events
    assert [note.pitch.step for note in event.notes] == ["C", "D", "E"]
    assert event.span == Span(0, len(text))
