"""Python's search for garbage in cycles, kept away from scores.

A full search looks at every object there is, and stops the whole server meanwhile: 0.6 s with a tune book of one
megabyte. Scores hold no cycles, so looking through them is in vain; they are freed by counting references as ever.

Whatever is there when scores were made is spared too, so young garbage is found first, and where little was made, as
after most edits, nothing is spared: the search finds no more to look at than before.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 1
"""The oldest generation that is searched quickly: it holds a few thousand objects at most."""
_MANY = 50_000
"""So many new objects take longer to search than anyone should wait for."""


@contextmanager
def spared() -> Iterator[None]:
    """Search for nothing while objects are made, and never search them if they are many. For one thread at a time."""
    was_enabled = gc.isenabled()
    gc.collect(_YOUNG)
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _MANY:
            gc.freeze()
        if was_enabled:
            gc.enable()


def search_all() -> None:
    """Let everything be searched again: what was spared may be gone, and what is left of it garbage."""
    gc.unfreeze()
