"""What a judge has against a text, and which of it is new.

A half-written document has faults of its own. A suggestion answers only for those that it brought: whatever a judge
finds inside the inserted characters, and what it finds elsewhere more often than in the document without them.
Offsets are code points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Complaint:
    """One finding.

    Attributes:
        judge: who says so.
        message: what is wrong, without any position, so that it can be found again after an edit.
        start, end: the characters it is about; -1 if the judge does not say.
        place: the judge's own words for the position.
    """

    judge: str
    message: str
    start: int = -1
    end: int = -1
    place: str = ""

    def __str__(self) -> str:
        return f"{self.judge}: {self.place + ': ' if self.place else ''}{self.message}"


def inserted_span(text: str, reference: str) -> tuple[int, int]:
    """Start and end of the characters that make `text` of `reference`, by their common beginning and end."""
    shorter = min(len(text), len(reference))
    start = next((at for at in range(shorter) if text[at] != reference[at]), shorter)
    end = next((at for at in range(shorter - start) if text[-1 - at] != reference[-1 - at]), shorter - start)
    return _settled(text, start, len(text) - end)


def _settled(text: str, start: int, end: int) -> tuple[int, int]:
    """The same insertion a little to the left, if it then ends with a barline, line or element.

    What is inserted may begin like what follows it; `a|` before `ab|` could as well be `|a` after the first `a`.
    """
    left, right = start, end
    while right > left and text[right - 1] not in "|]\n>":
        if left == 0 or text[left - 1] != text[right - 1]:
            return start, end
        left, right = left - 1, right - 1
    return left, right


def new_complaints(
    found: Iterable[Complaint], known: Iterable[Complaint], inserted: tuple[int, int]
) -> list[Complaint]:
    """Those of `found` that lie in the inserted characters or are not among `known`.

    Args:
        found: about the text.
        known: about the reference.
        inserted: start and end, as `inserted_span` gives them.
    """
    budget = Counter((one.judge, one.message) for one in known)
    start, end = inserted
    new = []
    for one in found:
        key = (one.judge, one.message)
        if one.start >= 0 and one.start < end and one.end > start:
            new.append(one)
        elif budget[key]:
            budget[key] -= 1
        else:
            new.append(one)
    return new


def line_span(text: str, line: int) -> tuple[int, int]:
    """Start and end of a line, counted from 1, its line break included; (-1, -1) if there is no such line."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return -1, -1
    start = sum(len(one) + 1 for one in lines[: line - 1])
    return start, start + len(lines[line - 1]) + 1
