"""The last few things that were made of texts, so that after an edit only what changed is read.

What is remembered must never show: a text gives the same document whatever was read before it, on any thread.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

MOST_CHARACTERS = 8_000_000
"""How long the texts may be together of more than the fewest that are remembered."""


class Recent(Generic[T]):
    """The last few of something.

    Threads may share it: the tuple is replaced as a whole. Of two that are kept at once one may be lost, which costs
    time only.

    Attributes:
        kept: what is remembered and how many characters it was made of, the newest first.
    """

    def __init__(self, most: int, fewest: int) -> None:
        """Remember so many at most, and the fewest however long they are."""
        self.kept: tuple[tuple[T, int], ...] = ()
        self._most = most
        self._fewest = fewest

    @property
    def items(self) -> tuple[T, ...]:
        """What is remembered, the newest first."""
        return tuple(item for item, _ in self.kept)

    def keep(self, item: T, length: int) -> None:
        """Remember one as the newest, made of so many characters, and forget the oldest where there are too many."""
        others = tuple(one for one in self.kept if one[0] is not item)
        kept = ((item, length), *others[: self._most - 1])
        while len(kept) > self._fewest and sum(length for _, length in kept) > MOST_CHARACTERS:
            kept = kept[:-1]
        self.kept = kept

    def forget(self) -> None:
        """Forget all."""
        self.kept = ()
