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
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from lsprotocol import types

from notation.source import Span

_LINE_END = re.compile(r"\r\n|\n|\r")
_CODECS = {
    types.PositionEncodingKind.Utf8: ("utf-8", 1),
    types.PositionEncodingKind.Utf16: ("utf-16-le", 2),
}
"""Codec and bytes a unit of each encoding whose units are not code points."""


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
    def line_starts(self) -> list[int]:
        """The offset at which each line begins; a text has one line at least."""
        return [0, *(end.end() for end in _LINE_END.finditer(self.text))]

    def offset(self, position: types.Position) -> int:
        """The offset of a position, clamped to the text."""
        if position.line >= len(self.line_starts):
            return len(self.text)
        start = self.line_starts[position.line]
        return start + self._code_points(self._line(position.line), position.character)

    def position(self, offset: int) -> types.Position:
        """The position of an offset, clamped to the text."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.line_starts, offset) - 1
        before = self.text[self.line_starts[line] : offset]
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
        start = self.line_starts[number]
        if number + 1 == len(self.line_starts):
            return self.text[start:]
        end = self.line_starts[number + 1] - 1
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


def apply_change(text: str, change: types.TextDocumentContentChangeEvent, encoding: types.PositionEncodingKind) -> str:
    """The text after one change of `textDocument/didChange`."""
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return change.text
    span = LineIndex(text, encoding).span(change.range)
    return text[: span.start] + change.text + text[span.end :]
