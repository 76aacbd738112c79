"""What is wrong with a text, where, and by which paragraph of the standard."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from notation.source import Span


class Severity(IntEnum):
    """How bad it is; the numbers are those of the Language Server Protocol."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 3
    HINT = 4


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a text.

    Attributes:
        code: a stable kebab-case name, such as `measure-too-long`.
        severity: how bad it is.
        span: the characters it is about.
        message: what is wrong, with both values, and the way out; one or two sentences.
        paragraph: where the standard says so, such as `ABC 2.1, 4.3`; empty if it does not.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    paragraph: str = ""


def start_of(one: Diagnostic) -> int:
    """Where a finding begins."""
    return one.span.start


def place_of(one: Diagnostic) -> tuple[int, int]:
    """Where a finding begins and ends: documents have their findings in this order."""
    return one.span.start, one.span.end
