"""Which measures are too short or too long for their metre?

Pickups, the measures at the edges of a section (a pickup's complement, a repeat in mid-measure), a last measure that
is not closed and free metre are no faults. Two short neighbours that together fill one measure are one measure that is
split.

Source: ABC 2.1, sections 3.1.6 (M:) and 4.8 (repeats and bars).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from notation.abc.lengths import Length, length_of, plus
from notation.diagnostic import Diagnostic, Severity
from notation.score import Measure, TimeSignature, Voice

Fault = tuple[int, Diagnostic]
"""The index of a measure, and what is wrong with it."""


def find_faults(measures: Sequence[Measure], indices: Iterable[int]) -> Iterator[Fault]:
    """What is wrong with some measures of a part; each is judged by its neighbours too.

    Args:
        measures: all of the part.
        indices: which to look at, in order.
    """
    time: TimeSignature | None = None
    full: Fraction | None = None
    length: Length | None = None
    for index in indices:
        measure = measures[index]
        if measure.time is not time:
            time = measure.time
            full = time.duration
            length = None if full is None else length_of(full)
        if full is None or (len(measure.voices) == 1 and _length(measure.voices[0]) is length):
            continue
        for code, message, section in _faults(measures, index, full):
            yield index, Diagnostic(code, Severity.WARNING, measure.span, message, f"ABC 2.1, {section}")


def _faults(measures: Sequence[Measure], index: int, full: Fraction) -> Iterator[tuple[str, str, str]]:
    measure = measures[index]
    duration = _duration(measure)
    if duration > full:
        message = (
            f"measure {index + 1} lasts {duration} and the metre says {full} of a whole note; "
            f"shorten it by {duration - full}, or move its barline"
        )
        yield "measure-too-long", message, "4.8"
    elif duration < full and not may_be_short(measures, index):
        message = (
            f"measure {index + 1} lasts {duration} and the metre says {full} of a whole note; "
            f"write {full - duration} more, or move its barline"
        )
        yield "measure-too-short", message, "4.8"
    lengths = [_length(voice).fraction for voice in measure.voices]
    if len(set(lengths)) > 1:
        durations = " and ".join(map(str, lengths))
        message = f"the overlays of measure {index + 1} last {durations}; fill each up, with 'x' where nothing sounds"
        yield "overlay-length", message, "7.4"


def _duration(measure: Measure) -> Fraction:
    """How long a measure is: `Measure.duration`, added quickly."""
    return max((_length(voice).fraction for voice in measure.voices), default=Fraction(0))


def _length(voice: Voice) -> Length:
    """How much of its measure a voice fills: `Voice.duration`, added quickly."""
    last = voice.events[-1]
    return plus(length_of(last.onset), length_of(last.duration))


def may_be_short(measures: Sequence[Measure], index: int) -> bool:
    """Whether a short measure is no fault: a pickup, a section's edge, half of a split measure, one not closed yet.

    The last measure is judged as if music followed it: what is written after it adds no finding.
    """
    measure = measures[index]
    if not index or measure.barline is None or measure.barline.ends_section or _opens_section(measures, index):
        return True
    neighbours = [measures[index - 1]]
    if index + 1 < len(measures):
        if _opens_section(measures, index + 1):
            return True
        neighbours.append(measures[index + 1])
    duration = _duration(measure)
    return any(duration + _duration(one) == measure.time.duration for one in neighbours)


def _opens_section(measures: Sequence[Measure], index: int) -> bool:
    measure = measures[index]
    before = measures[index - 1].barline if index else None
    return measure.repeat_start or bool(measure.ending) or before is None or before.ends_section
