"""Where something stands in a text.

Offsets count code points from 0, spans are half open. They are the only positions below the server: lines,
columns and the client's encoding are known to `lsp_server.positions` alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """The half-open range `start <= offset < end` of a text, in code points."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def contains(self, offset: int) -> bool:
        """Whether the character at `offset` lies inside the span."""
        return self.start <= offset < self.end

    def text(self, source: str) -> str:
        """The characters of `source` that the span covers."""
        return source[self.start : self.end]


NOWHERE = Span(0, 0)
"""The span of what was made rather than read."""


def difference(old: str, new: str) -> tuple[Span, Span]:
    """What stands in each of two texts between what they begin with and what they end with in common."""
    limit = min(len(old), len(new))
    start = _common_start(old, new, limit)
    end = _common_end(old, new, limit - start)
    return Span(start, len(old) - end), Span(start, len(new) - end)


def _common_start(one: str, other: str, limit: int) -> int:
    """How many characters two texts have in common at their start, up to a limit."""
    place, step = 0, _first_step(limit)
    while step:
        while place + step <= limit and one.startswith(other[place : place + step], place):
            place += step
        step //= 2
    return place


def _common_end(one: str, other: str, limit: int) -> int:
    """How many of their last characters two texts have in common, up to a limit."""
    length, step = 0, _first_step(limit)
    while step:
        while length + step <= limit and one.startswith(
            other[len(other) - length - step : len(other) - length], len(one) - length - step
        ):
            length += step
        step //= 2
    return length


def _first_step(limit: int) -> int:
    """How many characters to compare at once: up to half of them all."""
    return min(1 << limit.bit_length() >> 1, 1 << 16)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """The line and column of an offset, both counted from 1, columns in code points.

    Only `\\n`, `\\r\\n` and `\\r` end a line, as in the Language Server Protocol.
    """
    before = text[:offset].replace("\r\n", "\n\0").replace("\r", "\n").replace("\n\0", "\0\n")
    line_start = before.rfind("\n") + 1
    return before.count("\n") + 1, len(before) - line_start + 1
