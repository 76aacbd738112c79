"""An n-gram model of tokens: what can be learned by counting?

The floor between copying and a network. The probability of a token given the n - 1 before it is interpolated with that
given fewer, by Witten and Bell's rule: with c tokens counted after a context, of t different kinds, the shorter context
weighs t / (c + t) (Witten and Bell 1991, IEEE Transactions on Information Theory 37(4), method C). The shortest is
uniform over the vocabulary, so nothing has probability 0.

The counts are not stored but looked up: all places of the training text are sorted by what precedes them, last token
first, so those of a context are one range, found by bisection token by token.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BEFORE = 0
"""Stands before the beginning of a sequence: `<pad>`, which none has."""


class NGram:
    """An n-gram model over V tokens."""

    def __init__(self, sequences: Sequence[Sequence[int]], *, vocabulary_size: int, order: int = 6) -> None:
        """Learn.

        Args:
            sequences: the training text; no context reaches over the start of one.
            vocabulary_size: V.
            order: n; a token is predicted from n - 1 before it.
        """
        self.order = order
        self._size = vocabulary_size
        padded = [[_BEFORE] * (order - 1) + list(sequence) for sequence in sequences]
        text = np.array([token for sequence in padded for token in sequence], np.int32)
        inside = [np.arange(len(sequence)) >= order - 1 for sequence in padded]
        places = np.flatnonzero(np.concatenate(inside)) if inside else np.empty(0, np.int64)
        columns = [text[places - back] for back in range(1, order)]
        sorting = np.lexsort(columns[::-1]) if columns else np.arange(len(places))
        self._columns = [column[sorting] for column in columns]
        self._following = text[places][sorting]
        self._cache: dict[tuple[int, ...], NDArray[np.float64]] = {}

    def probabilities(self, context: Sequence[int]) -> NDArray[np.float64]:
        """The probability of each token to come next, shape (V,); of `context` the last n - 1 tokens count."""
        back = [*reversed(context[-(self.order - 1) :])] if self.order > 1 else []
        back += [_BEFORE] * (self.order - 1 - len(back))
        low, high = 0, len(self._following)
        found = np.full(self._size, 1 / self._size)
        for length in range(self.order):
            if length:
                column = self._columns[length - 1][low:high]
                low, high = (low + int(np.searchsorted(column, back[length - 1], side)) for side in ("left", "right"))
            if low == high:
                break
            found = self._interpolated(tuple(back[:length]), low, high, found)
        return found

    def _interpolated(
        self, context: tuple[int, ...], low: int, high: int, shorter: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The distribution after a context whose places are low..high; those of short contexts are kept."""
        if (known := self._cache.get(context)) is not None:
            return known
        counts = np.bincount(self._following[low:high], minlength=self._size)
        kinds = np.count_nonzero(counts)
        found: NDArray[np.float64] = (counts + kinds * shorter) / (high - low + kinds)
        if len(context) <= 1:
            self._cache[context] = found
        return found
