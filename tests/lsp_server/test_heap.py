"""Large blocks are mapped by themselves where the C library can be told so."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from lsp_server import heap


class _Counts(ctypes.Structure):
    """`struct mallinfo`, of which the fourth field counts blocks that are mapped."""

    _fields_ = [("before", ctypes.c_int * 3), ("mapped", ctypes.c_int), ("behind", ctypes.c_int * 6)]


def n_mapped() -> int | None:
    """How many blocks are mapped; None where the C library does not count them."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo"):
        return None
    library.mallinfo.restype = _Counts
    counts: _Counts = library.mallinfo()
    return int(counts.mapped)


@pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library can be told")
def test_large_blocks_are_mapped_whatever_was_freed_before() -> None:
    """In a process of its own: the heap of this one may have room for a block left."""
    program = f"import {__name__} as test; test.map_and_count()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    if done.stdout.strip() == "none":
        pytest.skip("the C library does not count its blocks")
    assert done.stdout.split() == ["1", "0"] * 3


def map_and_count() -> None:
    """Print how many blocks more are mapped while a large one is there, and after it."""
    heap.map_large_blocks()
    first = n_mapped()
    if first is None:
        print("none")
        return
    for _ in range(3):
        block = bytes(heap._LARGE + 1)
        print((n_mapped() or 0) - first)
        del block
        print((n_mapped() or 0) - first)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", None)
    heap.map_large_blocks()
