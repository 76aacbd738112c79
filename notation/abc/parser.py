"""What music does an ABC text say?

`parse` reads any text whatever and never fails: what it does not understand stays in the text and gets a diagnostic.
A document is cut into a file header and tunes; `notation.abc.tune` reads each. Music without an `X:` anywhere is a tune
too, so that a half-typed document already says something. Text longer than `MAX_LENGTH` code points, and text with a
NUL, which no editor writes, is not read.

Tunes of the last few texts are remembered: reading a text again after an edit reads the tunes that changed, and
tunes that only moved are given their new spans when somebody looks at them (`notation.moving`). What is
remembered never shows: a text gives the same document every time, whatever was read before it and on any thread.

Source: ABC 2.1, section 2.2 (file structure).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from notation.abc.lexer import Line, field_letter, split_lines, strip_comment, tokens
from notation.abc.tune import MAX_DIAGNOSTICS, Report, TuneParser
from notation.diagnostic import Diagnostic, Severity
from notation.language import Document
from notation.moving import moved_diagnostic, moved_score
from notation.score import Score
from notation.source import Span

MAX_LENGTH = 2_000_000
"""Code points of a document that are read; the rest is kept as text."""
MAX_EVENTS = 500_000
"""Notes and rests of a document after which no further tune is read."""
N_REMEMBERED = 8
"""Of how many texts the tunes are remembered: an edit and the suggestions that are verified after it."""

_BLANK_LINES = r"(?:[^\S\r\n]*(?:\r\n?|\n|\Z))+"
_LEADING = re.compile(_BLANK_LINES)
_SEPARATOR = re.compile(rf"(?:\n|\r(?!\n)){_BLANK_LINES}")
"""A line end and the blank lines that follow it."""
_NEXT_LINE = re.compile(r"(?:\r\n?|\n)([^\r\n]*)")
_TO_LINE_END = re.compile(r"[^\r\n]*")
_NUMBER = re.compile(r"[\r\n]X:")
"""A line end and the line that begins a tune."""


@dataclass(frozen=True, slots=True)
class Tune:
    """Where a tune stands in its text, and the how manieth it is, from 1. `end` is the end of its last line."""

    start: int
    end: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The part of a text that is read, its file header and its tunes."""

    text: str
    header: tuple[Line, ...]
    tunes: tuple[Tune, ...]

    def lines(self, tune: Tune) -> list[Line]:
        """The lines of a tune."""
        return split_lines(self.text[tune.start : tune.end], tune.start)

    def tune_at(self, offset: int) -> tuple[int, list[Line]] | None:
        """The index of the tune that an offset is in and its lines, with the line that follows it as one more."""
        index = bisect_right(self.tunes, offset, key=lambda tune: tune.start) - 1
        if index < 0:
            return None
        tune = self.tunes[index]
        lines = self.lines(tune)
        if next_line := _NEXT_LINE.match(self.text, tune.end):
            lines.append(Line(next_line.start(1), next_line[1]))
        return (index, lines) if offset <= lines[-1].end else None


@dataclass(frozen=True, slots=True)
class _Read:
    """A tune as it was first read, `base` characters from the start of its text."""

    base: int
    score: Score
    diagnostics: tuple[Diagnostic, ...]
    n_events: int


_Key = tuple[str, tuple[str, ...], bool]
_Memo = dict[_Key, tuple[_Read, int, Score]]


class _Memory:
    """The tunes of the last few texts: how each was read, and where it stood last as which score.

    Threads may share it: the tuple is replaced as a whole, and the memos in it are never changed.
    """

    def __init__(self) -> None:
        self.memos: tuple[_Memo, ...] = ()

    def keep(self, memo: _Memo) -> None:
        self.memos = (memo, *self.memos[: N_REMEMBERED - 1])

    def forget(self) -> None:
        self.memos = ()


MEMORY = _Memory()


def cut(text: str) -> Tree:
    """Cut a text into a file header and tunes."""
    text = "" if "\0" in text[:MAX_LENGTH] else text[:MAX_LENGTH]
    numbers = [0] if text.startswith("X:") else []
    numbers.extend(match.start() + 1 for match in _NUMBER.finditer(text))
    tunes: list[Tune] = []
    header: tuple[Line, ...] = ()
    place = 0
    for start, end in _blocks(text):
        until = place
        while until < len(numbers) and numbers[until] < end:
            until += 1
        starts = numbers[place:until]
        place = until
        if not numbers and _is_music(split_lines(text[start:end])):
            starts = [start]
        elif not tunes and not header and (not starts or starts[0] > start):
            header = tuple(split_lines(text[start : _line_end(text, starts[0]) if starts else end], start))
        ends = [_line_end(text, following) for following in starts[1:]]
        for first, last in zip(starts, [*ends, end], strict=False):
            tunes.append(Tune(first, last, len(tunes) + 1))
    return Tree(text, header, tuple(tunes))


def _line_end(text: str, line_start: int) -> int:
    """Where the line before the one that begins at an offset ends."""
    return line_start - (2 if text.endswith("\r\n", 0, line_start) else 1)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of each run of lines without a blank line."""
    leading = _LEADING.match(text)
    start = leading.end() if leading else 0
    for match in _SEPARATOR.finditer(text, start):
        yield start, match.start() - text.startswith("\r\n", match.start() - 1)
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _is_music(lines: Sequence[Line]) -> bool:
    """Whether lines without `X:` are a tune: one has a key, or looks like notes."""
    return any(line.text.startswith("K:") or _looks_like_notes(line.text) for line in lines)


def _looks_like_notes(text: str) -> bool:
    if text.startswith("%") or field_letter(text, True):
        return False
    found = [match.lastgroup for match in tokens(text[:200])]
    unknown = sum(kind in ("other", "symbol", "ignored") for kind in found)
    return "note" in found and 4 * unknown < len(found)


def has_key_field(lines: Iterable[Line]) -> bool:
    """Whether one of the lines is a `K:` field."""
    return any(line.text.startswith("K:") for line in lines)


def parse(text: str) -> Document:
    """Parse any text whatever."""
    tree = cut(text)
    report = Report()
    if tree.tunes:
        TuneParser(tree.header, report)
    scores, found = _read_tunes(tree)
    report.found = [*report.found, *found][:MAX_DIAGNOSTICS]
    if "\0" in text[:MAX_LENGTH]:
        place = text.index("\0")
        message = f"there is a NUL character at {place}: this is no text and is not read; open an ABC file"
        report.add("not-text", Severity.ERROR, place, place + 1, message, "2.1")
    elif len(text) > MAX_LENGTH:
        message = f"the text has {len(text)} characters and only the first {MAX_LENGTH} are read; split the file"
        report.add("text-too-long", Severity.WARNING, MAX_LENGTH, len(text), message, "")
    report.found.sort(key=lambda one: (one.span.start, one.span.end))
    return Document(text, tuple(scores), tuple(report.found), tree)


def _read_tunes(tree: Tree) -> tuple[list[Score], list[Diagnostic]]:
    """The scores of a document and what was found in them; what was read before is not read again."""
    remembered = MEMORY.memos
    memo: _Memo = {}
    header = tuple(line.text for line in tree.header)
    scores: list[Score] = []
    found: list[Diagnostic] = []
    n_events = 0
    for tune in tree.tunes:
        if n_events > MAX_EVENTS:
            scores.append(Score(span=Span(tune.start, tune.end)))
            continue
        text = tree.text[tune.start : tune.end]
        key = (text, header, _is_in_order(text, tune.ordinal))
        read, score = _recall(key, tree, tune, (memo, *remembered))
        memo[key] = (read, tune.start, score)
        scores.append(score)
        n_events += read.n_events
        if read.diagnostics and len(found) < MAX_DIAGNOSTICS:
            by = tune.start - read.base
            found.extend(moved_diagnostic(one, by) for one in read.diagnostics)
    if n_events > MAX_EVENTS:
        found.insert(0, _too_many_events(tree, n_events))
    MEMORY.keep(memo)
    return scores, found


def _is_in_order(text: str, ordinal: int) -> bool:
    """Whether the number of a tune is its place in the file: then it says nothing and is not kept."""
    line = _TO_LINE_END.match(text, 2)
    return line is not None and strip_comment(line[0]) == str(ordinal)


def _recall(key: _Key, tree: Tree, tune: Tune, memos: Iterable[_Memo]) -> tuple[_Read, Score]:
    """How a tune reads, remembered or read now, and its score at the place where it stands."""
    for memo in memos:
        known = memo.get(key)
        if known is not None:
            read, base, score = known
            return read, score if base == tune.start else moved_score(read.score, tune.start - read.base)
    read = _read_tune(tree, tune, key[2])
    return read, read.score


def _read_tune(tree: Tree, tune: Tune, is_in_order: bool) -> _Read:
    report = Report()
    parser = begin_tune(tree, tree.lines(tune), report, is_in_order)
    for line in tree.lines(tune):
        parser.feed(line)
    score = parser.finish(Span(tune.start, tune.end))
    return _Read(tune.start, score, tuple(report.found), report.n_events)


def begin_tune(tree: Tree, lines: Iterable[Line], report: Report, is_in_order: bool = False) -> TuneParser:
    """A parser that is about to read the lines of a tune of a document."""
    parser = TuneParser(tree.header, Report(), is_in_order, has_key_field(lines))
    parser.report = report
    return parser


def _too_many_events(tree: Tree, n_events: int) -> Diagnostic:
    message = (
        f"the document has more than {MAX_EVENTS} notes and rests: the tunes after the first {n_events} are not read; "
        "split the file"
    )
    place = len(tree.text)
    return Diagnostic("too-much-music", Severity.WARNING, Span(place, place), message)
