"""What `site`, `render` and `tables` need to know of a text beside its score."""

from __future__ import annotations

from dataclasses import dataclass

from notation.musicxml.measure import PartState
from notation.musicxml.skeleton import Skeleton


@dataclass(frozen=True, slots=True)
class Tree:
    """The syntax tree of a document.

    Attributes:
        skeleton: its outline.
        states: what is in force before each measure of each part, and behind the last.
    """

    skeleton: Skeleton
    states: tuple[tuple[PartState, ...], ...]
