"""Which duration may come next, so that a voice can still fill its measure exactly.

A tuplet, once begun, goes on with durations of its own ratio until the group is complete. For ratios such as 3:2 the
group is complete when its sounding sum is a multiple of `normal` 64ths; for ratios whose durations are dyadic
anyway (2:3, 4:3) when `actual` times its first written duration is reached. Pure; durations are Fractions of a whole
note.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from notation.tokens.vocabulary import Duration

_FINEST = Fraction(1, 64)


@dataclass(frozen=True, slots=True)
class OpenTuplet:
    """A tuplet group in progress.

    Attributes:
        ratio: (actual, normal).
        sounding: how much of it has sounded.
        first: the written duration of its first event.
    """

    ratio: tuple[int, int]
    sounding: Fraction
    first: Fraction


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0


def _missing(group: OpenTuplet) -> Fraction:
    """The least that must still sound before the group can be complete; 0 if it is complete."""
    actual, normal = group.ratio
    unit = group.first * normal if _is_power_of_two(actual) else _FINEST * normal
    return -group.sounding % unit


def after(group: OpenTuplet | None, duration: Duration) -> OpenTuplet | None:
    """The group in progress after one more event of a duration that `can_follow`; None when it is complete."""
    length, ratio = duration
    if ratio is None:
        return None
    if group is None:
        group = OpenTuplet(ratio, Fraction(0), length * ratio[0] / ratio[1])
    group = OpenTuplet(ratio, group.sounding + length, group.first)
    return group if _missing(group) else None


@lru_cache(maxsize=65536)
def can_follow(group: OpenTuplet | None, duration: Duration, remaining: Fraction) -> bool:
    """Whether an event of `duration` may come next where `remaining` is left of the measure.

    Args:
        group: the tuplet in progress, or None.
        duration: (sounding, tuplet ratio).
        remaining: what is left before the event, in whole notes.
    """
    length, ratio = duration
    if length > remaining or (group is not None and ratio != group.ratio):
        return False
    if ratio is None:
        return True
    if group is not None and _is_power_of_two(ratio[0]) and length > _missing(group):
        return False
    following = after(group, duration)
    return following is None or length + _missing(following) <= remaining
