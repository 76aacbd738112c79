"""Which measures are longer than their metre, or shorter without being a pickup or a piece of a split measure?

Source: MusicXML 4.0, measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from notation.diagnostic import Diagnostic, Severity
from notation.moving import origin
from notation.musicxml.measure import PartState
from notation.score import Measure

CODES = frozenset(("measure-too-long", "measure-too-short"))


def check(measures: Sequence[Measure], states: Sequence[PartState], indices: Iterable[int]) -> Iterable[Diagnostic]:
    """What is wrong with the lengths of some measures of a part; each is judged by its neighbours too.

    Args:
        measures: all of the part.
        states: what is in force before each of them, and behind the last.
        indices: which to look at.
    """
    for index in indices:
        measure = measures[index]
        music, full = origin(measure), measure.time.duration
        if full is None or not music.voices or music.barline is None or not states[index + 1].has_time:
            continue
        last = music.voices[0].events[-1]  # in a measure that is closed, all voices last the same
        length = last.end if last.onset else last.duration
        if length == full or measure.implicit:
            continue
        if length < full and _may_be_short(measures, index):
            continue
        code, word = ("measure-too-long", "more") if length > full else ("measure-too-short", "less")
        message = (
            f"Measure {measure.number or index + 1} lasts {length} of a whole note, {word} than the {full} of its "
            'metre; correct it, or say implicit="yes".'
        )
        yield Diagnostic(code, Severity.WARNING, measure.span, message, "MusicXML 4.0, measure")


def _may_be_short(measures: Sequence[Measure], index: int) -> bool:
    measure = measures[index]
    if index in (0, len(measures) - 1) or measure.repeat_start:
        return True
    before, after = measures[index - 1].barline, measures[index + 1]
    ends_here = measure.barline is not None and measure.barline.ends_section
    return ends_here or bool(before and before.ends_section) or bool(after.repeat_start) or bool(measure.ending)
