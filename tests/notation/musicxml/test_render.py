"""Rendering: new music in the document's own style, read back as exactly what was written."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

import pytest

from notation.musicxml import LANGUAGE
from notation.score import Barline, Event, KeySignature, Measure, Note, Pitch, TimeSignature, Voice
from notation.site import CompletionSite
from tests.notation.musicxml.corpus import sample, text_of
from tests.notation.musicxml.documents import ATTRIBUTES, CURSOR, FIRST, QUARTERS, cut, document, measure, note, part
from tests.notation.musicxml.holes import fill, holes
from tests.notation.musicxml.schema import schema_errors

F = Fraction
THREE_FOUR = TimeSignature((3,), 4)
G_MAJOR = KeySignature(1, "major")


def event(onset: Fraction, duration: Fraction, pitch: str = "D5", **values: object) -> Event:
    alter = {"#": 1, "b": -1}.get(pitch[1:2], 0)
    return Event(onset, duration, (Note(Pitch(pitch[0], int(pitch[-1]), alter)),), **values)  # type: ignore[arg-type]


def new_measure(*events: Event, barline: Barline | None = Barline(), **values: object) -> Measure:  # noqa: B008
    return Measure((Voice(events),), THREE_FOUR, G_MAJOR, barline, **values)  # type: ignore[arg-type]


HALF_AND_QUARTER = (event(F(0), F(1, 2)), event(F(1, 2), F(1, 4), "F#5"))
REST_OF = (event(F(1, 4), F(1, 2)),)


def complete(marked: str, *measures: Measure) -> str:
    """The document with the measures rendered at its cursor, drawn where the text was inserted."""
    text, offset = cut(marked)
    site = LANGUAGE.completion_site(LANGUAGE.parse(text), offset)
    assert site is not None
    return text[:offset] + LANGUAGE.render(site, measures) + text[offset:]


NEW = """    <measure number="2">
      <note>
        <pitch><step>D</step><octave>5</octave></pitch>
        <duration>4</duration>
        <voice>1</voice>
        <type>half</type>
      </note>
      <note>
        <pitch><step>F</step><alter>1</alter><octave>5</octave></pitch>
        <duration>2</duration>
        <voice>1</voice>
        <type>quarter</type>
      </note>
    </measure>
"""


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param(document(part("P1", FIRST.rstrip("\n") + CURSOR + "\n")), id="behind the tag"),
        pytest.param(document(part("P1", FIRST + CURSOR + "\n")), id="on a new line"),
        pytest.param(document(part("P1", FIRST + "    " + CURSOR + "\n")), id="on an indented line"),
        pytest.param(document(part("P1", FIRST + "    <mea" + CURSOR + "\n")), id="behind half a tag"),
        pytest.param(document(part("P1", FIRST + CURSOR)), id="before the end of the part"),
    ],
)
def test_a_new_measure_looks_like_the_others(marked: str) -> None:
    assert complete(marked, new_measure(*HALF_AND_QUARTER)) == document(part("P1", FIRST + NEW))


def test_windows_lines_and_tabs() -> None:
    marked = document(part("P1", FIRST.rstrip("\n") + CURSOR + "\n"))
    expected = document(part("P1", FIRST + NEW))
    for text in (marked, expected):
        assert "\t" not in text
    styled = marked.replace("  ", "\t").replace("\n", "\r\n")
    assert complete(styled, new_measure(*HALF_AND_QUARTER)) == expected.replace("  ", "\t").replace("\n", "\r\n")


def test_a_compact_document_stays_on_one_line() -> None:
    compact = "".join(line.strip() for line in document(part("P1", FIRST + CURSOR + "\n")).splitlines())
    expected = "".join(line.strip() for line in document(part("P1", FIRST + NEW)).splitlines())
    assert complete(compact, new_measure(*HALF_AND_QUARTER)) == expected


def test_one_note_a_line() -> None:
    lines = [
        "<score-partwise><part-list/>",
        '<part id="P1">',
        '<measure number="1">',
        "<attributes><divisions>1</divisions><time><beats>3</beats><beat-type>4</beat-type></time></attributes>",
        "<note><rest /><duration>3</duration></note>",
        "</measure>",
    ]
    text = complete("\n".join(lines) + CURSOR, new_measure(*HALF_AND_QUARTER))
    added = text.splitlines()[len(lines) :]
    assert [line[:9] for line in added] == ["<measure ", "<attribut", "<note><pi", "<note><pi", "</measure"]
    assert "<dot/>" not in text


def test_the_rest_of_a_measure() -> None:
    start = note("G4", 2)
    marked = document(part("P1", FIRST, measure(2, start + CURSOR)))
    expected = start + note("D5", 4, "<type>half</type>")
    assert complete(marked, new_measure(*REST_OF, barline=None)) == document(part("P1", FIRST, measure(2, expected)))


def test_an_open_measure_is_closed() -> None:
    marked = document(part("P1", FIRST, measure(2, note("G4", 2) + CURSOR))).split(CURSOR)[0] + CURSOR
    text = complete(marked, new_measure(*REST_OF), new_measure(*HALF_AND_QUARTER))
    assert text.endswith("    </measure>")
    read = LANGUAGE.parse(text).scores[0].parts[0].measures
    assert [one.duration for one in read] == [F(3, 4)] * 3
    assert [one.number for one in read] == ["1", "2", "3"]


def test_the_other_staff_is_written_behind_a_backup() -> None:
    two = ATTRIBUTES.replace("      </attributes>", "        <staves>2</staves>\n      </attributes>")
    backup = "      <backup>\n        <duration>6</duration>\n      </backup>\n"
    piano = measure(1, two + note("G4", 6, staff="1") + backup + note("C3", 6, voice="5", staff="2"))
    upper = note("G4", 6, staff="1")
    marked = document(part("P1", piano, measure(2, upper + CURSOR)))
    lower = Measure((Voice((event(F(0), F(3, 4), "E3"),), 2, 1),), THREE_FOUR, G_MAJOR, None)
    text = complete(marked, lower)
    below = note("E3", 6, "<type>half</type>\n        <dot/>", voice="5", staff="2")
    assert text == document(part("P1", piano, measure(2, upper + backup + below)))


@pytest.mark.parametrize("going_back", [pytest.param(2, id="from the cursor"), pytest.param(6, id="from the end")])
def test_what_follows_a_filled_voice_stays_where_it_is(going_back: int) -> None:
    second = f"      <backup><duration>{going_back}</duration></backup>\n" + note("C4", 6, voice="2")
    marked = document(part("P1", FIRST, measure(2, note("G4", 2) + CURSOR + second)))
    read = LANGUAGE.parse(complete(marked, new_measure(*REST_OF, barline=None)))
    upper, lower = read.scores[0].parts[0].measures[1].voices
    assert [one.duration for one in (*upper.events, *lower.events)] == [F(1, 4), F(1, 2), F(3, 4)]
    assert read.diagnostics == ()


def test_new_divisions_are_declared_and_taken_back() -> None:
    triplet = tuple(event(F(n, 12), F(1, 12), tuplet=(3, 2)) for n in range(3))
    music = (*triplet, event(F(1, 4), F(1, 2)))
    behind = complete(document(part("P1", FIRST + CURSOR)), new_measure(*music))
    assert behind.count("<divisions>") == 2
    between = complete(document(part("P1", FIRST + CURSOR + measure(2, QUARTERS))), new_measure(*music))
    assert between.count("<divisions>") == 3
    read = LANGUAGE.parse(between)
    assert read.diagnostics == ()
    assert [one.duration for one in read.scores[0].parts[0].measures] == [F(3, 4)] * 3
    inside = complete(
        document(part("P1", FIRST, measure(2, note("G4", 2) + CURSOR + note("G4", 2)))),
        new_measure(*(event(F(1, 4) + one.onset, one.duration, tuplet=(3, 2)) for one in triplet), barline=None),
    )
    assert LANGUAGE.parse(inside).diagnostics == ()
    assert LANGUAGE.parse(inside).scores[0].parts[0].measures[1].duration == F(3, 4)


def test_an_empty_part_begins_with_its_attributes() -> None:
    marked = document(part("P1", FIRST), f'  <part id="P2">\n{CURSOR}\n  </part>\n')
    text = complete(marked, new_measure(event(F(0), F(3, 4), "C3")))
    measure_ = LANGUAGE.parse(text).scores[0].parts[1].measures[0]
    assert (measure_.time, measure_.key, measure_.clefs) == (THREE_FOUR, G_MAJOR, ("bass",))
    assert LANGUAGE.parse(text).diagnostics == ()


def test_changes_barlines_and_endings_are_written() -> None:
    voices = (Voice((event(F(0), F(1, 2)),)),)
    two_four, f_major = TimeSignature((2,), 4), KeySignature(-1, "major")
    measures = (
        Measure(voices, two_four, f_major, repeat_start=True),
        Measure(voices, two_four, f_major, Barline(repeat_end=True), ending=(1,)),
    )
    text = complete(document(part("P1", FIRST + CURSOR)), *measures)
    read = LANGUAGE.parse(text).scores[0].parts[0].measures[1:]
    for one, expected in zip(read, measures, strict=True):
        assert (one.time, one.key, one.barline) == (expected.time, expected.key, expected.barline)
        assert (one.repeat_start, one.ending) == (expected.repeat_start, expected.ending)
    assert text.count("<key>") == text.count("<time>") == 2


@pytest.mark.parametrize(
    ("before", "behind", "numbers"),
    [("4", "", ["5", "6"]), ("4", "7", ["5", "6"]), ("4", "5", ["4a", "4b"]), ("X1", "", ["X1a", "X1b"])],
)
def test_measure_numbers(before: str, behind: str, numbers: list[str]) -> None:
    following = measure(2, QUARTERS).replace('"2"', f'"{behind}"') if behind else ""
    marked = document(part("P1", FIRST.replace('number="1"', f'number="{before}"') + CURSOR + following))
    text = complete(marked, new_measure(*HALF_AND_QUARTER), new_measure(*HALF_AND_QUARTER))
    read = LANGUAGE.parse(text).scores[0].parts[0].measures
    assert [one.number for one in read[1:3]] == numbers


@pytest.mark.parametrize("typed", ["<", "<n", "<note"])
def test_what_is_typed_is_continued(typed: str) -> None:
    marked = document(part("P1", FIRST, measure(2, note("G4", 2) + f"      {typed}{CURSOR}\n")))
    text = complete(marked, new_measure(*REST_OF, barline=None))
    assert LANGUAGE.parse(text).diagnostics == ()
    assert LANGUAGE.parse(text).scores[0].parts[0].measures[1].duration == F(3, 4)


def test_what_contradicts_the_typed_text_is_not_rendered() -> None:
    marked = document(part("P1", FIRST, measure(2, note("G4", 2) + f"      <ba{CURSOR}\n")))
    text, offset = cut(marked)
    site = LANGUAGE.completion_site(LANGUAGE.parse(text), offset)
    assert site is not None
    assert LANGUAGE.render(site, [new_measure(*REST_OF, barline=None)]) == ""


def test_holes_in_real_scores_are_filled() -> None:
    rng = random.Random(11)
    filled: Counter[str] = Counter()
    for path in sample(30, start=5):
        text = text_of(path)
        if text is None:
            continue
        document_ = LANGUAGE.parse(text)
        known = Counter(one.code for one in document_.diagnostics)
        for hole in holes(document_, rng, 4):
            problem = fill(hole, known)
            assert problem == "", f"{path.name}: {hole.kind} in part {hole.part}, measure {hole.measure}: {problem}"
            filled[hole.kind] += 1
    assert min(filled.values()) >= 3
    assert len(filled) == 6


def test_the_schema_accepts_what_was_filled() -> None:
    rng = random.Random(3)
    checked = 0
    for path in sample(4, start=9):
        text = text_of(path)
        if text is None or schema_errors(text):
            continue
        for hole in holes(LANGUAGE.parse(text), rng, 6):
            site = LANGUAGE.completion_site(LANGUAGE.parse(hole.text), hole.offset)
            if site is None or hole.kind == "open":
                continue
            new = LANGUAGE.render(site, hole.measures)
            assert schema_errors(hole.text[: hole.offset] + new + hole.text[hole.offset :]) == []
            checked += 1
    assert checked >= 3


def _anything(site: CompletionSite) -> list[Measure]:
    """Something that fills the measure at a site, whatever that is."""
    length = F(1, 4) if site.remaining is None else site.remaining
    notes = (Note(Pitch("D", 5)),)
    events = (Event(site.filled, length, notes),) if length else ()
    barline = None if site.barline_follows else Barline()
    return [Measure((Voice(events, site.staff, site.voice),), site.time, site.key, barline)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("typed", ["", "<"])
@pytest.mark.parametrize("open_end", [False, True])
def test_every_offset_of_a_document(newline: str, typed: str, open_end: bool) -> None:
    """Where there is a site, what is rendered there is read back in the right place and breaks nothing."""
    music = FIRST + measure(2, note("G4", 2) + note("E4", 2, "<chord/>")) + measure(3, "      <print/>\n")
    text = document(part("P1", music), part("P2", FIRST)).replace("\n", newline)
    n_sites = 0
    for offset in range(text.index("<part "), len(text)):
        hole = text[:offset] + typed + ("" if open_end else text[offset:])
        cursor = offset + len(typed)
        site = LANGUAGE.completion_site(LANGUAGE.parse(hole), cursor)
        if site is None:
            continue
        n_sites += 1
        new = _anything(site)
        filled = LANGUAGE.parse(hole[:cursor] + LANGUAGE.render(site, new) + hole[cursor:])
        read = filled.scores[0].parts[site.part].measures[site.measure]
        assert all(voice.events in _fillings(read, site) for voice in new[0].voices if voice.events)
        codes = {one.code for one in filled.diagnostics}
        assert codes <= ({"not-well-formed"} if open_end else set()) | {"measure-too-short"}
    assert n_sites > 50


def _fillings(read: Measure, site: CompletionSite) -> list[tuple[Event, ...]]:
    """The events that stand in each voice between those that preceded and those that followed the cursor."""
    start, stop = len(site.before), len(site.after)
    return [voice.events[start : len(voice.events) - stop] for voice in read.voices]
