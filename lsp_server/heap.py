"""Memory of long texts, given back to the system as soon as it is free.

Every edit makes new texts of a document and lets old ones go, each a little longer or shorter than the last. The GNU C
library would put those of a large score into the holes that others left, where few fit, and keep what it was given: a
hundred megabytes more for a score of five. Blocks as large as `_LARGE` are mapped one by one instead. Other libraries
are left as they are.

Source: the GNU C Library, "Malloc Tunable Parameters".
"""

from __future__ import annotations

import sys

_LARGE = 4_000_000
"""Bytes. To map memory takes a millisecond for so many: smaller texts are as quick as ever."""
_KEPT = 16_000_000
"""Bytes that may be free at the end of the heap."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def map_large_blocks() -> None:
    """From now on large blocks are mapped, and threads share what is left; nothing where the library is another."""
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _KEPT), (_ARENA_MAX, 1)):
            mallopt(parameter, value)
