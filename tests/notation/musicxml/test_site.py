"""Completion sites: where music can be written, in which voice, and how much of the measure is left."""

from __future__ import annotations

from fractions import Fraction

import pytest

from notation.musicxml import LANGUAGE
from notation.site import CompletionSite
from tests.notation.musicxml.documents import ATTRIBUTES, CURSOR, FIRST, QUARTERS, cut, document, measure, note, part

F = Fraction
BACKUP = "      <backup><duration>6</duration></backup>\n"
TWO_STAVES = ATTRIBUTES.replace("      </attributes>", "        <staves>2</staves>\n      </attributes>")
PIANO = measure(1, TWO_STAVES + note("G4", 6, staff="1") + BACKUP + note("C3", 6, voice="5", staff="2"))


def site_of(marked: str) -> CompletionSite | None:
    text, offset = cut(marked)
    return LANGUAGE.completion_site(LANGUAGE.parse(text), offset)


def place(marked: str) -> CompletionSite:
    site = site_of(marked)
    assert site is not None
    return site


def first_measure(content: str) -> str:
    return document(part("P1", measure(1, ATTRIBUTES + content)))


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param(document(part("P1", FIRST + CURSOR)), id="on the line behind a measure"),
        pytest.param(document(part("P1", FIRST.rstrip() + CURSOR + "\n")), id="directly behind a measure"),
        pytest.param(document(part("P1", FIRST)).split("  </part>")[0] + CURSOR, id="at the end of the text"),
        pytest.param(document(part("P1", FIRST + "    <mea" + CURSOR + "\n")), id="behind half a tag"),
        pytest.param(document(part("P1", FIRST + "    <!-- next -->" + CURSOR + "\n")), id="behind a comment"),
    ],
)
def test_behind_the_last_measure(marked: str) -> None:
    site = place(marked)
    assert (site.part, site.measure, site.inserted, site.whole_part) == (0, 1, False, True)
    assert (site.remaining, site.barline_follows, site.before) == (F(3, 4), False, ())
    assert (site.time.beats, site.key.fifths) == ((3,), 1)


def test_between_measures_is_infilling() -> None:
    site = place(document(part("P1", FIRST + CURSOR + measure(2, QUARTERS))))
    assert (site.measure, site.inserted, site.whole_part, site.max_measures) == (1, True, True, None)


@pytest.mark.parametrize(
    ("content", "measure_count"),
    [
        pytest.param(CURSOR, 1, id="empty"),
        pytest.param("      <print/>\n" + CURSOR, 1, id="behind the layout"),
    ],
)
def test_in_an_empty_measure(content: str, measure_count: int) -> None:
    site = place(document(part("P1", FIRST, measure(2, content))))
    assert (site.measure, site.inserted, site.whole_part) == (1, False, True)
    assert (site.barline_follows, site.max_measures) == (True, measure_count)


def test_behind_the_attributes_of_an_open_measure_there_is_no_limit() -> None:
    site = place(document(part("P1", measure(1, ATTRIBUTES + CURSOR))).split(CURSOR)[0] + CURSOR)
    assert (site.whole_part, site.barline_follows, site.max_measures) == (True, False, None)


def test_a_part_while_others_are_further_on() -> None:
    others = part("P1", FIRST, measure(2, QUARTERS), measure(3, QUARTERS))
    lagging = place(document(others, part("P2", FIRST + CURSOR)))
    assert (lagging.part, lagging.measure, lagging.inserted, lagging.score.n_measures) == (1, 1, False, 3)
    empty = place(document(others, f'  <part id="P2">{CURSOR}</part>\n'))
    assert (empty.part, empty.measure, empty.whole_part, empty.remaining) == (1, 0, True, F(3, 4))
    assert (empty.time.beats, empty.key.fifths) == ((3,), 1)


def test_a_pickup_is_as_long_as_beside() -> None:
    pickup = measure(0, ATTRIBUTES + note("G4", 2))
    site = place(document(part("P1", pickup, measure(1, QUARTERS)), f'  <part id="P2">\n{CURSOR}\n  </part>\n'))
    assert site.remaining == F(1, 4)


@pytest.mark.parametrize(
    ("content", "before", "after", "remaining"),
    [
        pytest.param(note("G4", 2) + CURSOR, 1, 0, F(1, 2), id="behind a note"),
        pytest.param(note("G4", 2) + note("E4", 2, "<chord/>") + CURSOR, 1, 0, F(1, 2), id="behind a chord"),
        pytest.param(note("G4", 2) + CURSOR + note("A4", 2), 1, 1, F(1, 4), id="between notes"),
        pytest.param(CURSOR + note("A4", 2), 0, 1, F(1, 2), id="before the first note"),
        pytest.param("<forward><duration>2</duration></forward>" + CURSOR, 1, 0, F(1, 2), id="behind a forward"),
        pytest.param(note("G4", 2) + "      <no" + CURSOR + "\n", 1, 0, F(1, 2), id="behind half a tag"),
    ],
)
def test_inside_a_measure(content: str, before: int, after: int, remaining: Fraction) -> None:
    site = place(first_measure(content))
    assert (len(site.before), len(site.after), site.remaining) == (before, after, remaining)
    assert (site.whole_part, site.barline_follows, site.max_measures) == (False, True, 1)
    assert [event.onset for event in site.after] == [F(1, 2)] * after


def test_an_open_measure_may_be_followed_by_more() -> None:
    site = place(first_measure(note("G4", 2) + CURSOR).split(CURSOR)[0] + CURSOR)
    assert (site.remaining, site.barline_follows, site.max_measures) == (F(1, 2), False, None)
    full = place(first_measure(QUARTERS + CURSOR).split(CURSOR)[0] + CURSOR)
    assert (full.remaining, full.barline_follows) == (F(0), False)


@pytest.mark.parametrize(
    ("content", "staff", "voice", "remaining"),
    [
        pytest.param(note("G4", 6, staff="1") + BACKUP + CURSOR, 2, 1, F(3, 4), id="behind the backup"),
        pytest.param(note("G4", 6, staff="1") + CURSOR, 2, 1, F(3, 4), id="the upper staff is full"),
        pytest.param(
            note("G4", 6, staff="1") + BACKUP + note("C3", 2, voice="5", staff="2") + CURSOR, 2, 1, F(1, 2), id="below"
        ),
        pytest.param(
            note("G4", 2, staff="1") + CURSOR + BACKUP + note("C3", 6, voice="5", staff="2"), 1, 1, F(1, 2), id="above"
        ),
    ],
)
def test_the_voice_that_is_written(content: str, staff: int, voice: int, remaining: Fraction) -> None:
    site = place(document(part("P1", PIANO, measure(2, content))))
    assert (site.staff, site.voice, site.remaining, site.barline_follows) == (staff, voice, remaining, True)


def test_a_tuplet_that_is_open_is_to_be_finished() -> None:
    triplet = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
    text = first_measure(note("G4", 2, triplet) + CURSOR).replace("<divisions>2<", "<divisions>6<")
    pending = place(text).pending
    assert (pending.tuplet, pending.tuplet_left, pending.duration) == ((3, 2), 2, F(1, 12))


def test_a_tie_wants_a_note() -> None:
    assert place(first_measure(note("G4", 2, '<tie type="start"/>') + CURSOR)).pending.is_note
    assert not place(first_measure(note("G4", 2) + CURSOR)).pending.is_note


def test_free_metre_has_no_remaining() -> None:
    text = first_measure(note("G4", 2) + CURSOR)
    free = text.replace("<beats>3</beats>", "<senza-misura/>").replace("<beat-type>4</beat-type>", "")
    assert place(free).remaining is None


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param(document(part("P1", FIRST)).replace("<part-list>", CURSOR + "<part-list>"), id="header"),
        pytest.param(document(part("P1", FIRST)).replace(">Violin<", f">{CURSOR}Violin<"), id="part name"),
        pytest.param(document(part("P1", FIRST)) + CURSOR, id="behind everything"),
        pytest.param(first_measure(QUARTERS + CURSOR), id="a full measure"),
        pytest.param(first_measure(QUARTERS + QUARTERS + CURSOR), id="an overfull measure"),
        pytest.param(first_measure(note("G4", 2).replace("<duration>", CURSOR + "<duration>")), id="in a note"),
        pytest.param(first_measure(note("G4", 2).replace("<step>G", "<step>" + CURSOR + "G")), id="in a text"),
        pytest.param(first_measure(note("G4", 2).replace("<note>", "<no" + CURSOR + "te>")), id="in a tag"),
        pytest.param(first_measure("<note " + CURSOR + ">"), id="in attributes"),
        pytest.param(first_measure(note("G4", 2) + "<!-- " + CURSOR + " -->"), id="in a comment"),
        pytest.param(document(part("P1", FIRST + "<!-- " + CURSOR + " -->")), id="in a comment between measures"),
        pytest.param(first_measure(note("G4", 2) + "<![CDATA[ " + CURSOR + " ]]>"), id="in CDATA"),
        pytest.param(first_measure(note("G4", 2) + "a" + CURSOR), id="behind loose text"),
        pytest.param(document(part("P1", measure(1, CURSOR + ATTRIBUTES + QUARTERS))), id="before the attributes"),
        pytest.param(first_measure(note("G4", 2) + "<barline/>" + CURSOR), id="behind the barline"),
        pytest.param(first_measure(note("G4", 2) + CURSOR + note("E4", 2, "<chord/>")), id="in a chord"),
        pytest.param(first_measure(note("G4", 2) + "<pri" + CURSOR + "\n"), id="behind another tag"),
        pytest.param(CURSOR, id="empty text"),
    ],
)
def test_no_music_can_be_written(marked: str) -> None:
    assert site_of(marked) is None


def test_timewise_measures_have_sites_inside() -> None:
    head = document().split("</score-partwise>")[0].replace("score-partwise", "score-timewise")
    text = f'{head}<measure number="1"><part id="P1">{ATTRIBUTES}{note("G4", 2)}{CURSOR}</part></measure>{CURSOR}'
    inside = text[: text.rindex(CURSOR)]
    assert place(inside).remaining == F(1, 2)
    assert site_of(text.replace(CURSOR, "", 1)) is None
