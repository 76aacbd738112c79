"""Completion sites: what the cursor (drawn as ‸) stands on, in every place of a document."""

from __future__ import annotations

from fractions import Fraction

import pytest

from notation.abc import LANGUAGE
from notation.score import KeySignature, TimeSignature
from notation.site import NOTHING_PENDING, CompletionSite, Pending

HEADER = "X:1\nT:t\nM:6/8\nL:1/8\nK:D\n"
EIGHTH = Fraction(1, 8)


def site_of(source: str) -> CompletionSite | None:
    offset = source.index("‸")
    text = source.replace("‸", "")
    site = LANGUAGE.completion_site(LANGUAGE.parse(text), offset)
    assert site is None or site.offset == offset
    return site


def site_in(music: str) -> CompletionSite:
    site = site_of(HEADER + music)
    assert site is not None
    return site


@pytest.mark.parametrize(
    ("music", "measure", "remaining", "n_before"),
    [
        pytest.param("‸", 0, 6, 0, id="right after the header"),
        pytest.param("DFA d2‸", 0, 1, 4, id="in a measure"),
        pytest.param("DFA d2f‸", 0, 0, 5, id="a full measure"),
        pytest.param("DFA d2fga‸", 0, 0, 7, id="an overfull measure"),
        pytest.param("DFA d2f|‸", 1, 6, 0, id="after a barline"),
        pytest.param("DFA d2f| ‸", 1, 6, 0, id="after a barline and a space"),
        pytest.param("DFA d2f|\n‸", 1, 6, 0, id="on a new line"),
        pytest.param("A|DFA d2f|DF‸", 2, 4, 2, id="after a pickup"),
        pytest.param("c'‸", 0, 5, 1, id="after an octave mark"),
        pytest.param("B3‸", 0, 3, 1, id="after a length"),
        pytest.param("DFA d2f|]\n‸", 1, 6, 0, id="on the line after the end"),
        pytest.param("DFA d2f|]\n\n‸", None, 6, 0, id="two lines after the end"),
        pytest.param("DFA d2f:|‸", 1, 6, 0, id="after a repeat"),
        pytest.param("DFA d2f|‸ % comment", 1, 6, 0, id="before a comment"),
        pytest.param("DFA d2f|‸\\", 1, 6, 0, id="before a continuation"),
        pytest.param("DFA d2f|\\\n‸", 1, 6, 0, id="after a continuation"),
        pytest.param("𝄞 DFA d2‸", 0, 1, 4, id="after an astral character"),
        pytest.param("\u2028DFA d2‸", 0, 1, 4, id="after U+2028"),
        pytest.param("DFA d2f|\r\n‸", 1, 6, 0, id="CRLF"),
    ],
)
def test_at_the_end(music: str, measure: int | None, remaining: int, n_before: int) -> None:
    site = site_of(HEADER + music)
    if measure is None:
        assert site is None
        return
    assert site is not None
    assert (site.measure, site.inserted, site.barline_follows) == (measure, False, False)
    assert (site.remaining, len(site.before), site.after) == (remaining * EIGHTH, n_before, ())
    assert site.pending == NOTHING_PENDING
    assert site.max_measures is None
    assert site.score.title == "t"


@pytest.mark.parametrize(
    ("music", "measure", "inserted", "remaining", "n_before", "n_after", "barline_follows"),
    [
        pytest.param("| ‸ABc d2e|", 0, True, 6, 0, 0, False, id="before a full measure"),
        pytest.param("ABc d2e|‸ABc d2e|", 1, True, 6, 0, 0, False, id="between measures"),
        pytest.param("ABc d2e|\n‸ABc d2e|", 1, True, 6, 0, 0, False, id="at a line's start"),
        pytest.param("ABc d2e|‸\nABc d2e|", 1, True, 6, 0, 0, False, id="at a line's end, music below"),
        pytest.param("ABc d2e| ‸ |ABc d2e|", 1, True, 6, 0, 0, True, id="in an empty measure"),
        pytest.param("ABc d2e|‸|ABc d2e|", 1, True, 6, 0, 0, True, id="between the signs of an empty measure"),
        pytest.param("ABc ‸|ABc d2e|", 0, False, 3, 3, 0, True, id="before the barline of a short measure"),
        pytest.param("ABc d2e|AB‸ e|ABc d2e|", 1, False, 3, 2, 1, True, id="inside a short measure"),
        pytest.param("ABc d2e|‸ ABc|ABc d2e|", 1, False, 3, 0, 3, True, id="at the start of a short measure"),
        pytest.param("ABc d2e‸ ABc|", 0, False, 0, 5, 0, False, id="where a barline is missing"),
    ],
)
def test_between(
    music: str, measure: int, inserted: bool, remaining: int, n_before: int, n_after: int, barline_follows: bool
) -> None:
    site = site_in(music)
    assert (site.measure, site.inserted, site.barline_follows) == (measure, inserted, barline_follows)
    assert (site.remaining, len(site.before), len(site.after)) == (remaining * EIGHTH, n_before, n_after)
    assert site.max_measures == (1 if barline_follows or n_before else None)


@pytest.mark.parametrize(
    ("music", "pending"),
    [
        pytest.param("A^‸", Pending(alter=1, is_note=True), id="sharp"),
        pytest.param("A_‸", Pending(alter=-1, is_note=True), id="flat"),
        pytest.param("A=‸", Pending(alter=0, is_note=True), id="natural"),
        pytest.param("A^^‸", Pending(alter=2, is_note=True), id="double sharp"),
        pytest.param("A__‸", Pending(alter=-2, is_note=True), id="double flat"),
        pytest.param("A>‸", Pending(duration=EIGHTH / 2), id="broken"),
        pytest.param("A<‸", Pending(duration=EIGHTH * Fraction(3, 2)), id="broken the other way"),
        pytest.param("A2>>‸", Pending(duration=EIGHTH / 2), id="broken deeper"),
        pytest.param("A>^‸", Pending(alter=1, duration=EIGHTH / 2, is_note=True), id="broken and sharp"),
        pytest.param("(3‸", Pending(None, EIGHTH * Fraction(2, 3), (3, 2), 3), id="tuplet"),
        pytest.param("(3A‸", Pending(None, EIGHTH * Fraction(2, 3), (3, 2), 2), id="tuplet, two left"),
        pytest.param("(3AB‸", Pending(None, EIGHTH * Fraction(2, 3), (3, 2), 1), id="tuplet, one left"),
        pytest.param("(3A/B/‸", Pending(None, EIGHTH / 3, (3, 2), 1), id="tuplet of sixteenths"),
        pytest.param("(3:2:2A2‸", Pending(None, EIGHTH * Fraction(2, 3), (3, 2), 1), id="tuplet of two"),
        pytest.param("A-‸", Pending(is_note=True), id="tie"),
        pytest.param("!trill!‸", Pending(is_note=True), id="decoration"),
        pytest.param("~‸", Pending(is_note=True), id="short decoration"),
        pytest.param('"Am"‸', Pending(is_note=True), id="chord symbol"),
        pytest.param("{g}‸", Pending(is_note=True), id="grace note"),
        pytest.param("(‸", Pending(is_note=True), id="slur"),
        *(
            pytest.param(f"DFA {mark}‸{rest}", Pending(is_note=True), id=f"{mark!r} before {rest!r}")
            for mark in (".", "(", "v", "u", "(.", "!f!.")
            for rest in ("", "|D6|", " |D6|", " d2|D6|", "\nD|D6|", "\n\nX:2\n")
        ),
    ],
)
def test_half_typed(music: str, pending: Pending) -> None:
    assert site_in(music).pending == pending


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("‸", id="empty document"),
        pytest.param("X:1\n‸", id="in the header"),
        pytest.param("X:1\nT:a ‸", id="in a title"),
        pytest.param("X:1\nM:4/4\nK:D‸", id="at the end of K:"),
        pytest.param("Dear reader‸", id="prose"),
        pytest.param("X:1\nK:C\nabc|\n\nfree text ‸\n", id="free text after a tune"),
        *(
            pytest.param(HEADER + music, id=music)
            for music in (
                "DFA d2f|\n% slow ‸", "DFA % d‸", "DFA d2f|\nw: a‸", "DFA|\nW: a‸", "%%text a‸", "V:2‸", "[CE‸",
                "{g‸", '"Am‸', "!tri‸", "[K:G‸", "[V:1‸", "%%begintext\nabc ‸\n%%endtext", "DF‸A d2f|", "B‸2 A",
                "^‸A B", "B2‸/", "c‸'", "DFA .‸d|D6|", "DFA (‸d|D6|",
                "!tr‸ill!A", "[C‸E]A", '"A‸m"A', "{g‸}A", "A‸>B c2|", "A>‸B c|",
                "(3A‸BC d2|", "A-‸A B|", '"Am"‸A B|', "!trill!‸A|", "[K:‸G]A", "A|‸:", "A:‸|", "DFA d2f|]‸",
                "DFA d2f\\‸", "‸w: a", "‸% a", "‸V:1", "ABc d2e‸|", "ABc‸ d2e|",
            )
        ),
    ],
)  # fmt: skip
def test_nowhere_else(source: str) -> None:
    assert site_of(source) is None


def test_every_offset_of_the_text_around_the_music_is_none() -> None:
    text = HEADER + "% comment\nw:la la\n"
    document = LANGUAGE.parse(text)
    sites = [offset for offset in range(len(text)) if LANGUAGE.completion_site(document, offset) is not None]
    assert sites == []


def test_a_typed_tie_is_seen() -> None:
    site = site_in("DFA [df]-‸")
    assert [note.tie for note in site.before[-1].notes] == [True, True]


@pytest.mark.parametrize(
    ("music", "key", "time"),
    [
        pytest.param("[K:G]‸", KeySignature(1, "major"), TimeSignature((6,), 8), id="inline key"),
        pytest.param("ABc d2e|\nK:Am\n‸", KeySignature(0, "minor"), TimeSignature((6,), 8), id="key line"),
        pytest.param("ABc d2e|[M:3/4] ‸", KeySignature(2, "major"), TimeSignature((3,), 4), id="inline metre"),
        pytest.param("ABc d2e|\nM:C\n‸", KeySignature(2, "major"), TimeSignature((4,), 4, "common"), id="metre line"),
    ],
)
def test_changes_just_before_the_cursor(music: str, key: KeySignature, time: TimeSignature) -> None:
    site = site_in(music)
    assert (site.key, site.time, site.remaining) == (key, time, time.duration)


def test_free_metre() -> None:
    site = site_in("[M:none]ABc‸")
    assert site.remaining is None


@pytest.mark.parametrize(
    ("music", "part", "measure", "n_before"),
    [
        pytest.param("V:1\nABc d2e|ABc d2e|\nV:2\nD6|‸", 1, 1, 0, id="second block lags"),
        pytest.param("[V:1] ABc d2e|ABc d2e|\n[V:2] D6|D3‸", 1, 1, 1, id="second line lags"),
        pytest.param("[V:1] ABc d2e|\n[V:2] ‸", 1, 0, 0, id="second line begins"),
        pytest.param("[V:1] ABc d2e|ABc d2e|\n[V:2] D6|\n‸", 1, 1, 0, id="a new line goes to the voice that lags"),
        pytest.param("[V:1] ABc d2e|\n[V:2] D6|\n‸", 0, 1, 0, id="a new line begins the next system"),
        pytest.param("V:1\nABc d2e|\nV:2\nD6|\nV:1\n‸", 0, 1, 0, id="back to the first voice"),
    ],
)
def test_voices(music: str, part: int, measure: int, n_before: int) -> None:
    site = site_in(music)
    assert (site.part, site.measure, len(site.before), site.inserted) == (part, measure, n_before, False)


def test_overlay() -> None:
    site = site_in("ABc d2e & D3‸")
    assert (site.measure, site.voice, site.remaining) == (0, 2, 3 * EIGHTH)


def test_several_tunes() -> None:
    site = site_of("X:1\nT:a\nM:2/4\nL:1/8\nK:C\nabcd|\n\nX:2\nT:b\nM:3/4\nL:1/8\nK:G\nabc‸\n\nX:3\nT:c\nK:C\n")
    assert site is not None
    assert (site.score.title, site.remaining, site.key.fifths) == ("b", Fraction(3, 8), 1)


def test_fragment_without_a_header() -> None:
    site = site_of("abc|de‸")
    assert site is not None
    assert (site.measure, site.remaining, len(site.before)) == (1, None, 2)
