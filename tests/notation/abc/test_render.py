"""Rendering: inserted text continues what is typed, looks like the document, and parses to exactly what was given."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from notation.abc import LANGUAGE, decode_bytes
from notation.score import NO_MARKS, REGULAR, Event, Measure, Note, Pitch, Score, Voice
from notation.site import CompletionSite
from tests.notation.abc.roundtrip import packaged_corpus, read_tunes

HEADER = "X:1\nT:t\nM:6/8\nL:1/8\nK:D\n"
STYLED = HEADER + "DFA d2f|agf e2d|\nBcd ABc|d3 D3|\n"
SPACED = HEADER + "DF A d2 f | a g f e2 d |\nB c d A B c | d3 D3 |\n"


def music(text: str, header: str = "X:1\nM:6/8\nL:1/8\nK:D\n") -> tuple[Measure, ...]:
    return LANGUAGE.parse(header + text).scores[0].parts[0].measures


def site_of(source: str) -> CompletionSite:
    site = LANGUAGE.completion_site(LANGUAGE.parse(source.replace("‸", "")), source.index("‸"))
    assert site is not None
    return site


def fill(source: str, text: str) -> str:
    """What is rendered at the cursor for the measures of `text`, which begins where the cursor's measure begins."""
    site = site_of(source)
    first, *rest = music(text)
    events = first.voices[0].events[len(site.before) :]
    barline = None if site.barline_follows else first.barline
    return LANGUAGE.render(site, [replace(first, voices=(Voice(events),), barline=barline), *rest])


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        pytest.param(STYLED + "DFA d2‸", "DFA d2f|", "f|", id="one eighth is missing"),
        pytest.param(STYLED + "DFA d2f‸", "DFA d2f|", "|", id="only the barline is missing"),
        pytest.param(STYLED + "DFA‸", "DFA d2f|", " d2f|", id="a beat begins"),
        pytest.param(STYLED + "DFA ‸", "DFA d2f|", "d2f|", id="after a space"),
        pytest.param(STYLED + "DFA d2f|‸", "agf e2d|", "agf e2d|", id="a new measure"),
        pytest.param(STYLED + "DFA d2f|agf e2d|‸", "BAB d3|", "\nBAB d3|", id="a new line when the line is full"),
        pytest.param(STYLED + "‸", "BAB d3|BAB d3|DFA D3|", "BAB d3|BAB d3|\nDFA D3|", id="measures on each line"),
        pytest.param(SPACED + "D F A ‸", "DFA d2f|BAB d3|", "d2 f | B A B d3 |", id="free barlines and single notes"),
        pytest.param(SPACED + "DF A d2 f‸", "DFA d2f|", " |", id="a free barline"),
        pytest.param(STYLED + "^‸", "^DFA =d2f|", "DFA =d2f|", id="after an accidental"),
        pytest.param(STYLED + "^D2‸", "^D2D =D3|", "D =D3|", id="an accidental in force"),
        pytest.param(STYLED + "F‸", "F=c2 c3|", "=c2 c3|", id="an accidental against the key"),
        pytest.param(STYLED + "F>‸", "F>A d2f2|", "Ad2f2|", id="after a broken rhythm"),
        pytest.param(STYLED + "(3DF‸", "(3DFA d4|", "Ad4|", id="in a tuplet"),
        pytest.param(STYLED + "(3‸", "(3DFA d4|", "DFAd4|", id="after a tuplet sign"),
        pytest.param(STYLED + "D-‸", "D-D2 d3|", "D2 d3|", id="after a tie"),
        pytest.param(STYLED + "!trill!‸", "D3 d3|", "D3 d3|", id="after a decoration"),
        pytest.param(STYLED + "DFA‸|BcB A3|", "DFA d2f|", " d2f", id="before a barline"),
        pytest.param(STYLED + "|‸BcB A3|", "DFA d2f|", "DFA d2f|", id="between measures"),
        pytest.param(STYLED + "|‸|BcB A3|", "DFA d2f|", "DFA d2f", id="in an empty measure"),
        pytest.param(STYLED + "DFA d2f‸", "DFA d2f:|", ":|", id="a repeat's end"),
        pytest.param(STYLED + "DFA d2f‸", "DFA d2f|]", "|]", id="the final barline"),
        pytest.param(STYLED + "‸", "DFA d2f|1 d6:|2 D6|]", "DFA d2f|[1 d6:|\n[2 D6|]", id="endings"),
        pytest.param(STYLED + "‸", "DFA d2f|:d6:|", "DFA d2f|:d6:|", id="a repeat"),
        pytest.param(STYLED + "‸", '"D"[DFA]3 {g}f3|', '"D"[DFA]3 {g}f3|', id="chords and grace notes"),
        pytest.param(STYLED + "‸", "D3/2E/2F z3|", "D3/2E/F z3|", id="broken rhythm in compound metre"),
        pytest.param(STYLED + "DFA d2f|‸ % end", "agf e2d|", "agf e2d|", id="before a comment"),
        pytest.param(STYLED + "[K:G]‸", "[K:G]cBA G3|", "cBA G3|", id="after a key change"),
        pytest.param(STYLED.replace("\n", "\r\n") + "DFA d2f|agf e2d|‸", "BAB d3|", "\r\nBAB d3|", id="CRLF"),
        pytest.param(
            HEADER + "[V:1] DFA d2f|\n[V:2] D6|\n‸", "agf e2d|", "[V:1] agf e2d|", id="the prefix of a voice's line"
        ),
    ],
)
def test_text(source: str, text: str, expected: str) -> None:
    assert fill(source, text) == expected


@pytest.mark.parametrize(
    ("line", "given", "expected"),
    [
        pytest.param("A>B A>B A>B A>B|", "A3/2B/2 c2 A4|", "A>B c2 A4|", id="broken rhythm"),
        pytest.param("A3/2B/ A3/2B/ A3/2B/ A2|", "A3/2B/2 c2 A4|", "A3/2B/ c2 A4|", id="written lengths"),
        pytest.param("A/2B/2A/2B/2 A2 A2 A2|", "A/B/c A2 A4|", "A/2B/2c A2 A4|", id="/2 for half"),
        pytest.param("c8:|1 d8:|2 e8|", "c8|1d8:|2e8|]", "c8|1 d8:|2 e8|]", id="joined endings"),
        pytest.param("c8:||d8:||", "c8:|", "c8:||", id="the sign of a repeat"),
        pytest.param("c8|d8|\\\ne8|f8|\\\n", "c8|d8|e8|", "c8|d8| \\\ne8|", id="continued lines"),
    ],
)
def test_style(line: str, given: str, expected: str) -> None:
    header = "X:1\nM:4/4\nL:1/8\nK:C\n"
    site = site_of(header + line + ("" if line.endswith("\n") else "\n") + "‸")
    assert LANGUAGE.render(site, music(given, header)) == expected


@pytest.mark.parametrize(("typed", "expected"), [("", "A>B c2 A4|"), ("^", "A>B c2 A4|"), (".", "A3/2B/ c2 A4|")])
def test_a_decorated_note_is_no_broken_rhythm(typed: str, expected: str) -> None:
    header = "X:1\nM:4/4\nL:1/8\nK:C\n"
    site = site_of(f"{header}A>B A>B A>B A>B|{typed}‸")
    assert LANGUAGE.render(site, music(f"{typed.strip('.')}A3/2B/2 c2 A4|", header)) == expected


def _holes(rng: random.Random, scores: Sequence[tuple[str, Score]], count: int) -> Iterator[tuple[str, str, int, int]]:
    """(text before the cursor, text after it, first measure, number of measures) of holes in single-voice tunes."""
    while count:
        text, score = rng.choice(scores)
        measures = score.parts[0].measures
        length = rng.randint(1, 3)
        first = rng.randrange(max(1, len(measures) - length))
        chosen = measures[first : first + length]
        if any(len(one.voices) != 1 or not one.is_full or one.time.duration is None for one in chosen):
            continue
        events = chosen[0].voices[0].events
        place = rng.randint(0, len(events))
        start = events[place - 1].span.end if place else chosen[0].span.start
        if rng.random() < 0.3 and "\n" not in chosen[0].span.text(text):
            yield text[: chosen[0].span.start], text[events[-1].span.end :], first, 1
        else:
            yield text[:start], "", first, len(chosen)
        count -= 1


def _plain(event: Event, is_last: bool) -> Event:
    """An event without its marks, and without the tie that what follows decides."""
    notes = tuple(replace(note, tie=note.tie and not is_last) for note in event.notes)
    return replace(event, marks=NO_MARKS, notes=notes)


def test_true_measures_rendered_into_real_tunes() -> None:
    """Whatever is cut out of a real tune and rendered back parses to the same events, with no new finding."""
    files = [file for file in packaged_corpus() if "essen" not in str(file) and file.stat().st_size < 60_000]
    assert len(files) > 300
    tunes: list[str] = []
    for file in files[::20]:
        text, _ = decode_bytes(file.read_bytes())
        tunes.extend(score.span.text(text) for _, score in read_tunes([file]))
    scores = [(text, LANGUAGE.parse(text).scores[0]) for text in tunes]
    scores = [(text, score) for text, score in scores if len(score.parts) == 1 and score.n_measures > 4]
    n_tried = n_sites = 0
    for before, after, first, length in _holes(random.Random(1), scores, 250):
        n_tried += 1
        document = LANGUAGE.parse(before + after)
        site = LANGUAGE.completion_site(document, len(before))
        original = next(score for text, score in scores if text.startswith(before) and text.endswith(after))
        if site is None or site.measure != first or (after and not site.barline_follows):
            continue
        n_sites += 1
        _check_hole(document.text, site, original.parts[0].measures[first : first + length])
    assert n_sites > 0.7 * n_tried


def _check_hole(text: str, site: CompletionSite, truth: Sequence[Measure]) -> None:
    done = len(site.before)
    head = truth[0].voices[0].events
    if [_plain(one, True) for one in head[:done]] != [_plain(one, True) for one in site.before]:
        return
    given = [replace(one, barline=one.barline or REGULAR) for one in truth]
    given[0] = replace(
        given[0], voices=(Voice(head[done:]),), barline=None if site.barline_follows else given[0].barline
    )
    rendered = LANGUAGE.render(site, given)
    completed = LANGUAGE.parse(text[: site.offset] + rendered + text[site.offset :])
    written = completed.scores[0].parts[0].measures[site.measure : site.measure + len(given)]
    assert len(written) == len(given), rendered
    for number, (one, other) in enumerate(zip(given, written, strict=True)):
        wanted = one.voices[0].events
        found = other.voices[0].events[done if not number else 0 :]
        last = number == len(given) - 1
        assert [_plain(event, last) for event in found] == [_plain(event, last) for event in wanted], (text, rendered)
    new = Counter(one.code for one in completed.diagnostics) - Counter(
        one.code for one in LANGUAGE.parse(text).diagnostics
    )
    assert not new - Counter({"measure-too-short": 1}), (new, rendered)


def test_an_overlay_goes_on() -> None:
    site = site_of(HEADER + "DFA d2f & D3‸")
    event = Event(Fraction(3, 8), Fraction(3, 8), (Note(Pitch("A", 4)),))
    assert LANGUAGE.render(site, [Measure((Voice((event,), 1, 2),))]).strip() == "A3|"
