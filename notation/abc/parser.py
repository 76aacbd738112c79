"""What music does an ABC text say?

`parse` reads any text whatever and never fails: what it does not understand stays in the text and gets a diagnostic.
A document is cut into a file header and tunes; `notation.abc.tune` reads each. Music without an `X:` anywhere is a tune
too, so that a half-typed document already says something. Text longer than `MAX_LENGTH` code points, and text with a
NUL, which no editor writes, is not read.

Source: ABC 2.1, section 2.2 (file structure).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from notation.abc.lexer import Line, field_letter, split_lines, tokens
from notation.abc.tune import Report, TuneParser
from notation.diagnostic import Severity
from notation.language import Document
from notation.source import Span

MAX_LENGTH = 2_000_000
"""Code points of a document that are read; the rest is kept as text."""


@dataclass(frozen=True, slots=True)
class Tune:
    """Where a tune stands: its lines are `lines[first:last]` of the tree."""

    first: int
    last: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The lines of a document, its file header and its tunes."""

    lines: tuple[Line, ...]
    header: tuple[Line, ...]
    tunes: tuple[Tune, ...]


def cut(text: str) -> Tree:
    """Cut a text into lines, a file header and tunes."""
    lines = split_lines("" if "\0" in text[:MAX_LENGTH] else text[:MAX_LENGTH])
    tunes: list[Tune] = []
    header: tuple[Line, ...] = ()
    blocks = _blocks(lines)
    has_number = any(_begins_tune(line) for line in lines)
    for first, last in blocks:
        starts = [number for number in range(first, last) if _begins_tune(lines[number])]
        if not has_number and _is_music(lines[first:last]):
            starts = [first]
        elif not tunes and not header and (not starts or starts[0] > first):
            header = tuple(lines[first : starts[0] if starts else last])
        for start, end in zip(starts, [*starts[1:], last], strict=False):
            tunes.append(Tune(start, end, len(tunes) + 1))
    return Tree(tuple(lines), header, tuple(tunes))


def _begins_tune(line: Line) -> bool:
    return line.text.startswith("X:")


def _blocks(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """The runs of lines without a blank line."""
    blocks: list[tuple[int, int]] = []
    first: int | None = None
    for number, line in enumerate(lines):
        if line.is_blank:
            if first is not None:
                blocks.append((first, number))
            first = None
        elif first is None:
            first = number
    if first is not None:
        blocks.append((first, len(lines)))
    return blocks


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
    scores = []
    for tune in tree.tunes:
        lines = tree.lines[tune.first : tune.last]
        parser = TuneParser(tree.header, report, tune.ordinal, has_key_field(lines))
        for line in lines:
            parser.feed(line)
        scores.append(parser.finish(Span(tree.lines[tune.first].start, tree.lines[tune.last - 1].end)))
    if "\0" in text[:MAX_LENGTH]:
        place = text.index("\0")
        message = f"there is a NUL character at {place}: this is no text and is not read; open an ABC file"
        report.add("not-text", Severity.ERROR, place, place + 1, message, "2.1")
    elif len(text) > MAX_LENGTH:
        message = f"the text has {len(text)} characters and only the first {MAX_LENGTH} are read; split the file"
        report.add("text-too-long", Severity.WARNING, MAX_LENGTH, len(text), message, "")
    found = sorted(report.found, key=lambda one: (one.span.start, one.span.end))
    return Document(text, tuple(scores), tuple(found), tree)
