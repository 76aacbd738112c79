"""Where an LSP position stands in a text, and back.

This is the only place that knows lines, columns in the client's units and the negotiated encoding; everything below
the server counts code points from the start of the text.

Only `\\n`, `\\r\\n` and `\\r` end a line: form feed and U+2028 do not, though `str.splitlines` says so. A position past
the end of its line stands at the end of that line, one past the last line at the end of the text, and one inside a
character at the start of that character.

Source: LSP 3.18, sections "Position" and "Text Documents".
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from lsprotocol import types

from notation.source import Span, replaced

_LONE_RETURN = re.compile(r"\r(?!\n)")
_BLOCK = 1 << 14
_CODECS = {
    types.PositionEncodingKind.Utf8: ("utf-8", 1),
    types.PositionEncodingKind.Utf16: ("utf-16-le", 2),
}
"""Codec and bytes a unit of each encoding whose units are not code points."""


@dataclass(frozen=True)
class _Blocks:
    """A text in blocks, so that no line is looked for in all of it.

    Attributes:
        starts: where each block begins.
        lines: how many lines end before each block, and in the whole text.
    """

    starts: list[int]
    lines: list[int]

    @classmethod
    def of(cls, text: str, start: int, end: int) -> _Blocks:
        """The blocks of a piece of a text, one if it is not much longer; the lines are counted from its start."""
        starts = list(range(start, end, _BLOCK)) if end - start > 2 * _BLOCK else [start]
        ends = [*starts[1:], end]
        counts = (text.count("\n", one, other) for one, other in zip(starts, ends, strict=True))
        return cls(starts, list(accumulate(counts, initial=0)))

    def at(self, offset: int) -> int:
        """The index of the block that an offset is in."""
        return bisect_right(self.starts, offset) - 1

    def edited(self, text: str, span: Span, by: int) -> _Blocks:
        """The blocks of `text`, in which the characters of `span` were replaced and those behind moved."""
        first, last = self.at(span.start), self.at(span.end) + 1
        start = self.starts[first]
        end = self.starts[last] + by if last < len(self.starts) else len(text)
        middle = _Blocks.of(text, start, end)
        before = self.lines[first]
        more = before + middle.lines[-1] - self.lines[last]
        return _Blocks(
            [*self.starts[:first], *middle.starts, *(one + by for one in self.starts[last:])],
            [
                *self.lines[:first],
                *(before + one for one in middle.lines[:-1]),
                *(one + more for one in self.lines[last:]),
            ],
        )


@dataclass(frozen=True)
class LineIndex:
    """The lines of a text, for one client.

    Attributes:
        text: any text.
        encoding: what the client counts columns in.
    """

    text: str
    encoding: types.PositionEncodingKind = types.PositionEncodingKind.Utf16

    @cached_property
    def _marked(self) -> str:
        """The text, with a `\\n` wherever a line ends and nowhere else."""
        has_lone_returns = self.text.count("\r") != self.text.count("\r\n")
        return _LONE_RETURN.sub("\n", self.text) if has_lone_returns else self.text

    @cached_property
    def _blocks(self) -> _Blocks:
        """Counting lines is many times quicker than finding where each begins, which is done for few blocks."""
        return _Blocks.of(self._marked, 0, len(self.text))

    @cached_property
    def _line_starts(self) -> dict[int, list[int]]:
        """Where the lines begin that begin behind a line end in a block, for the blocks that were looked at."""
        return {}

    def edited(self, span: Span, new: str) -> LineIndex:
        """The lines of the text with `new` instead of the characters of `span`; only the blocks there are counted."""
        found = LineIndex(replaced(self.text, span, new), self.encoding)
        around = self.text[max(0, span.start - 1) : span.end + 1] + new
        if self._marked is self.text and "\r" not in around:
            vars(found)["_marked"] = found.text
            vars(found)["_blocks"] = self._blocks.edited(found.text, span, len(new) - len(span))
        return found

    def _line_start(self, number: int) -> int:
        """The offset at which a line begins."""
        if number == 0:
            return 0
        block = bisect_left(self._blocks.lines, number) - 1
        if block not in self._line_starts:
            self._line_starts[block] = self._find_line_starts(block)
        return self._line_starts[block][number - self._blocks.lines[block] - 1]

    def _find_line_starts(self, block: int) -> list[int]:
        starts = []
        place = self._blocks.starts[block]
        for _ in range(self._blocks.lines[block + 1] - self._blocks.lines[block]):
            place = self._marked.index("\n", place) + 1
            starts.append(place)
        return starts

    def offset(self, position: types.Position) -> int:
        """The offset of a position, clamped to the text."""
        if position.line > self._blocks.lines[-1]:
            return len(self.text)
        start = self._line_start(position.line)
        return start + self._code_points(self._line(position.line), position.character)

    def position(self, offset: int) -> types.Position:
        """The position of an offset, clamped to the text."""
        offset = max(0, min(offset, len(self.text)))
        block = self._blocks.at(offset)
        line = self._blocks.lines[block] + self._marked.count("\n", self._blocks.starts[block], offset)
        before = self.text[self._line_start(line) : offset]
        if before.endswith("\r") and self.text[offset : offset + 1] == "\n":
            before = before[:-1]  # no position stands between \r and \n
        return types.Position(line, self._units(before))

    def span(self, range_: types.Range) -> Span:
        """The span of a range; a reversed range is read the right way round."""
        start, end = sorted((self.offset(range_.start), self.offset(range_.end)))
        return Span(start, end)

    def range(self, span: Span) -> types.Range:
        """The range of a span."""
        return types.Range(self.position(span.start), self.position(span.end))

    def _line(self, number: int) -> str:
        """A line without what ends it."""
        start = self._line_start(number)
        if number == self._blocks.lines[-1]:
            return self.text[start:]
        end = self._marked.index("\n", start)
        if self.text[end] == "\n" and end > start and self.text[end - 1] == "\r":
            end -= 1
        return self.text[start:end]

    def _units(self, text: str) -> int:
        if text.isascii() or self.encoding not in _CODECS:
            return len(text)
        codec, width = _CODECS[self.encoding]
        return len(text.encode(codec, "surrogatepass")) // width

    def _code_points(self, line: str, units: int) -> int:
        if line.isascii() or self.encoding not in _CODECS:
            return min(units, len(line))
        codec, width = _CODECS[self.encoding]
        encoded = line.encode(codec, "surrogatepass")[: units * width]
        try:
            return len(encoded.decode(codec))
        except UnicodeDecodeError:
            return self._count_whole_characters(line, units)

    def _count_whole_characters(self, line: str, units: int) -> int:
        """The slow way, for a position inside a character and for lone surrogates."""
        count = 0
        for index, character in enumerate(line):
            count += self._units(character)
            if count > units:
                return index
        return len(line)


def apply_change(lines: LineIndex, change: types.TextDocumentContentChangeEvent) -> LineIndex:
    """The lines of a text after one change of `textDocument/didChange`."""
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return LineIndex(change.text, lines.encoding)
    return lines.edited(lines.span(change.range), change.text)
