"""Is the music of the same kind, where it need not be the same music?

For continuations of many measures, in which nobody could play the very notes of the original. Of a set of passages:

    overlap      of two histograms, scaled to 1: the sum of the smaller of each pair; 1 if they are equal
    divergence   Kullback-Leibler, of what was predicted from what is real, in bits, half a count added to each class

of pitch classes (semitones above the tonic of the signature) and of note lengths; both comparisons are among those
that Yang and Lerch (2020, Neural Computing and Applications 32) propose. Of one passage:

    entropy      of its pitch classes, in bits
    groove       how alike neighbouring measures are in rhythm: the share of grid positions at which both have an onset
                 or neither has, averaged over neighbours

as Wu and Yang define them (2020, ISMIR, "The Jazz Transformer on the front line"). Positions are 48 to a measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from notation.score import Event

POSITIONS = 48
_HALF_COUNT = 0.5


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The overlap of two histograms over the same classes, shape (K,) each; 0 if either is empty."""
    if not one.sum() or not other.sum():
        return 0.0
    return float(np.minimum(one / one.sum(), other / other.sum()).sum())


def divergence(real: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """The Kullback-Leibler divergence of a prediction from what is real, in bits; both of shape (K,)."""
    first, second = (each + _HALF_COUNT for each in (real, predicted))
    first, second = first / first.sum(), second / second.sum()
    return float((first * np.log2(first / second)).sum())


def entropy(counts: Mapping[Fraction, int]) -> float:
    """The entropy of a histogram, in bits; 0 if it is empty."""
    shares = np.array([count for count in counts.values() if count], dtype=np.float64)
    if not len(shares):
        return 0.0
    shares /= shares.sum()
    return float(-(shares * np.log2(shares)).sum())


def onsets(events: Sequence[Event], length: Fraction) -> NDArray[np.bool_]:
    """Where in a measure of some length notes begin, shape (POSITIONS,)."""
    found = np.zeros(POSITIONS, dtype=np.bool_)
    for event in events:
        if event.notes and not event.grace and event.onset < length:
            found[int(event.onset / length * POSITIONS)] = True
    return found


def groove(measures: Sequence[NDArray[np.bool_]]) -> tuple[float, int]:
    """The sum, over pairs of neighbouring measures, of how alike their onsets are (0 to 1), and how many pairs."""
    alike = [float((one == other).mean()) for one, other in pairwise(measures)]
    return sum(alike), len(alike)
