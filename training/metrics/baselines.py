"""What would simple rules predict for the next measure?

The floor that a model has to beat. Each rule sees the measures before the one to predict, as what one part plays in
them; `SuffixMatch` has also seen the training pieces.

    previous    the measure before
    four back   the measure four before
    suffix      what followed when the last measures were first heard: the longest match in the piece, else in the
                training pieces (there the commonest continuation), else a fixed number of measures back

Which fallback is the stronger floor depends on the music: with barlines at pickups counted as measures of their own,
folk tunes repeat four measures back far more often than eight.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

Content = TypeVar("Content")

_LONGEST = 32
_MOST_PLACES = 2000
"""Of a commonplace (a measure of rest), only so many places are looked at."""


class Rule(Protocol[Content]):
    """Predicts a measure from the measures before it, of which there is at least one."""

    def __call__(self, history: Sequence[Content], /) -> Content: ...


def measure_back(distance: int) -> Rule[Content]:
    """The rule that repeats the measure `distance` back, or the first one where there are fewer."""

    def predict(history: Sequence[Content], /) -> Content:
        return history[max(0, len(history) - distance)]

    return predict


class SuffixMatch(Generic[Content]):
    """The suffix rule; what a measure holds only needs to be hashable."""

    def __init__(self, pieces: Iterable[Sequence[Content]], *, least: int = 1, fallback: int = 8) -> None:
        """Learn the training pieces: each is one part's measures.

        Args:
            pieces: the training pieces.
            least: measures that must match in a training piece.
            fallback: how many measures back to go where nothing matches.
        """
        self._least = least
        self._fall_back: Rule[Content] = measure_back(fallback)
        self._numbers: dict[Content, int] = {}
        self._contents: list[Content] = []
        self._pieces: list[list[int]] = []
        self._places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for piece in pieces:
            numbers = [self._number(content) for content in piece]
            for place, number in enumerate(numbers[:-1]):
                self._places[number].append((len(self._pieces), place))
            self._pieces.append(numbers)

    def __call__(self, history: Sequence[Content], /) -> Content:
        """The prediction; see the module."""
        place = _longest_match_within(history)
        if place is not None:
            return history[place]
        following = self._continuations([self._numbers.get(content, -1) for content in history[-_LONGEST:]])
        if following:
            return self._contents[following.most_common(1)[0][0]]
        return self._fall_back(history)

    def _number(self, content: Content) -> int:
        number = self._numbers.setdefault(content, len(self._contents))
        if number == len(self._contents):
            self._contents.append(content)
        return number

    def _continuations(self, recent: Sequence[int]) -> Counter[int]:
        """What follows the longest suffix of `recent` that is in the training pieces, counted."""
        longest, following = self._least, Counter[int]()
        for number, place in self._places.get(recent[-1], [])[:_MOST_PLACES]:
            piece = self._pieces[number]
            length = _common_suffix(piece[max(0, place + 1 - _LONGEST) : place + 1], recent)
            if length > longest:
                longest, following = length, Counter()
            if length == longest:
                following[piece[place + 1]] += 1
        return following


def _longest_match_within(history: Sequence[Content]) -> int | None:
    """Where, in the piece itself, the longest suffix of `history` was heard before: the measure after it.

    The earliest of equally long matches; None if the last measure is new.
    """
    best, longest = None, 0
    for end in range(len(history) - 1, 0, -1):
        length = 0
        while length < end and history[end - 1 - length] == history[-1 - length]:
            length += 1
        if length and length >= longest:
            best, longest = end, length
    return best


def _common_suffix(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((length for length, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))
