"""What pieces does a text hold? Looked up without parsing, for lists of many files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A piece in a text.

    Attributes:
        title: as it is written; empty if it has none.
        composer: likewise.
        line: on which it begins, from 0.
    """

    title: str
    composer: str
    line: int
