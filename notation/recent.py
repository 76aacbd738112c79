"""The last few things that were made of texts, so that after an edit only what changed is read.

What is remembered must never show: a text gives the same document whatever was read before it, on any thread.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """The last few of something.

    Threads may share it: the tuple is replaced as a whole. Of two that are kept at once one may be lost, which costs
    time only.

    Attributes:
        items: the newest first.
    """

    def __init__(self, most: int) -> None:
        self.items: tuple[T, ...] = ()
        self._most = most

    def keep(self, item: T) -> None:
        """Remember one as the newest, and forget the oldest where there are too many."""
        others = tuple(one for one in self.items if one is not item)
        self.items = (item, *others[: self._most - 1])

    def forget(self) -> None:
        """Forget all."""
        self.items = ()
