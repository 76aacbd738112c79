"""Which measures of a voice have the wrong length, by the custom of printed music.

A measure lasts what its metre says, except: the first of the piece may be a pickup; a section may begin with a pickup
that completes the end of the one before; and the last measure of a section may leave out what a pickup brings.
Lengths are Fractions of a whole note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Sum:
    """The length of one measure of one voice.

    Attributes:
        length: the sum of its notes and rests.
        full: what its metre asks for; None in free metre.
        ends_section: a repeat, double or final barline follows.
        implicit: the document says itself that the measure is a part of one.
        start, end: the characters it was read from; -1 if unknown.
        place: words for the position.
    """

    length: Fraction
    full: Fraction | None
    ends_section: bool = False
    implicit: bool = False
    start: int = -1
    end: int = -1
    place: str = ""


def wrong(sums: Sequence[Sum]) -> Iterator[Sum]:
    """The measures whose length neither the metre nor the custom above explains, in order."""
    for index, one in enumerate(sums):
        if one.full is None or one.length == one.full:
            continue
        if one.length > one.full or not _is_split(sums, index):
            yield one


def _is_split(sums: Sequence[Sum], index: int) -> bool:
    """Whether a short measure is a pickup, or makes a full one together with a pickup or with a neighbour."""
    one = sums[index]
    if index == 0 or one.implicit:
        return True
    partners = set()
    begins = sums[index - 1].ends_section
    if one.ends_section:
        partners.update(sum_.length for at, sum_ in enumerate(sums) if _opens(sums, at) and at <= index + 1)
    if begins:
        partners.add(sums[index - 1].length)
        if one.length == sums[0].length:
            return True
    return one.full - one.length in partners if one.full is not None else True


def _opens(sums: Sequence[Sum], index: int) -> bool:
    return index == 0 or sums[index - 1].ends_section
