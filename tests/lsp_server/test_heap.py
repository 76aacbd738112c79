"""Large blocks are mapped by themselves where the C library can be told so."""

from __future__ import annotations

import ctypes
import sys

import pytest

from lsp_server import heap


class _Counts(ctypes.Structure):
    """`struct mallinfo`, of which the fourth field counts blocks that are mapped."""

    _fields_ = [("before", ctypes.c_int * 3), ("mapped", ctypes.c_int), ("behind", ctypes.c_int * 6)]


def n_mapped() -> int:
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo"):
        pytest.skip("the C library does not count its blocks")
    library.mallinfo.restype = _Counts
    counts: _Counts = library.mallinfo()
    return int(counts.mapped)


@pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library can be told")
def test_large_blocks_are_mapped_whatever_was_freed_before() -> None:
    heap.map_large_blocks()
    for _ in range(3):
        before = n_mapped()
        block = bytes(heap._LARGE + 1)
        assert n_mapped() == before + 1
        del block
        assert n_mapped() == before


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", None)
    heap.map_large_blocks()
