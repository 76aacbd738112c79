"""Histograms and rhythms, worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest

from notation.language import language
from training.metrics.distributions import POSITIONS, divergence, entropy, groove, onsets, overlap


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [([1, 1], [2, 2], 1), ([1, 0], [0, 1], 0), ([3, 1], [1, 3], 0.5), ([0, 0], [1, 1], 0)],
)
def test_overlap(one, other, expected):
    assert overlap(np.array(one, float), np.array(other, float)) == pytest.approx(expected)


def test_divergence():
    assert divergence(np.array([4.0, 4.0]), np.array([4.0, 4.0])) == 0
    # With half a count each: (3/4, 1/4) from (1/4, 3/4).
    expected = 0.75 * np.log2(3) - 0.25 * np.log2(3)
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(expected)


@pytest.mark.parametrize(("counts", "expected"), [({}, 0), ({0: 5}, 0), ({0: 1, 1: 1}, 1), ({0: 1, 1: 1, 2: 2}, 1.5)])
def test_entropy(counts, expected):
    assert entropy(counts) == pytest.approx(expected)


def rhythm(music):
    measure = language("abc").parse(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n").scores[0].parts[0].measures[0]
    return onsets(measure.voices[0].events, Fraction(1))


def test_onsets_are_of_notes():
    assert np.flatnonzero(rhythm("C z {d}E/F/ z|")).tolist() == [0, 24, 30]


@pytest.mark.parametrize(
    ("measures", "total", "pairs"),
    [
        pytest.param(["CDEF|"], 0, 0, id="one measure has no neighbour"),
        pytest.param(["CDEF|", "GABc|", "c4|"], 1 + (1 - 3 / POSITIONS), 2, id="pitch does not matter, onsets do"),
    ],
)
def test_groove(measures, total, pairs):
    assert groove([rhythm(one) for one in measures]) == (pytest.approx(total), pairs)
