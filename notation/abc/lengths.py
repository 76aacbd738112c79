"""Lengths that add and multiply quickly.

Fractions are slow to add and slower to hash, and music is made of few. A `Length` is a fraction that is one object
wherever it comes from, so that sums and products can be remembered by what they are of.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache


class Length:
    """A length, or a factor that a length is multiplied by; two that are the same object are equal."""

    __slots__ = ("fraction",)

    def __init__(self, fraction: Fraction) -> None:
        self.fraction = fraction


@lru_cache(maxsize=4096)
def ratio(numerator: int, denominator: int) -> Length:
    """The length that a numerator and a denominator make."""
    return Length(Fraction(numerator, denominator))


def length_of(fraction: Fraction) -> Length:
    """The length of a fraction."""
    return ratio(*fraction.as_integer_ratio())


@lru_cache(maxsize=16384)
def plus(one: Length, other: Length) -> Length:
    """The sum of two lengths."""
    return length_of(one.fraction + other.fraction)


@lru_cache(maxsize=16384)
def times(one: Length, other: Length) -> Length:
    """The product of two lengths."""
    return length_of(one.fraction * other.fraction)


ONE = ratio(1, 1)
NOTHING = ratio(0, 1)
