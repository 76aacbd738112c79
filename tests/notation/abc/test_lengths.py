"""Lengths add and multiply like the fractions they stand for."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from notation.abc.lengths import NOTHING, ONE, length_of, plus, times

FRACTIONS = st.fractions(0, 64, max_denominator=96)


@given(FRACTIONS, FRACTIONS)
def test_they_calculate_like_fractions(one: Fraction, other: Fraction) -> None:
    first, second = length_of(one), length_of(other)
    assert plus(first, second).fraction == one + other
    assert times(first, second).fraction == one * other
    assert plus(first, NOTHING) is times(first, ONE) is first


def test_a_length_is_one_object() -> None:
    assert length_of(Fraction(2, 4)) is length_of(Fraction(1, 2))
