"""Many editors on one server: the benchmark runs, and its bound is the arithmetic that it says it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.clients import Bound, one_a_piece
from export.bench.documents import find_sites, load_pieces
from export.bench.machine import environment
from tests.support.bundles import music_bundle


def test_editors_are_served_in_turn_and_at_once(tmp_path: Path) -> None:
    out = tmp_path / "clients.md"
    command = [sys.executable, "-m", "benchmarks.clients", "--clients", "1,3", "--rounds", "1", "--out", str(out)]
    done = subprocess.run(
        [*command, "--model", str(music_bundle())], capture_output=True, text=True, env=environment(), timeout=240
    )
    assert done.returncode == 0, done.stderr
    lines = out.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith(("| 1 |", "| 3 |"))]
    assert len(rows) == 4
    assert all(float(cell) > 0 for row in rows[:2] for cell in row.split("|")[2:7])


def test_too_few_pieces_are_told(tmp_path: Path) -> None:
    (tmp_path / "one.abc").write_text("X:1\nK:C\nCDEF|GABc|", encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.clients", str(tmp_path), "--clients", "50"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=240)
    assert done.returncode == 2
    assert "50 editors" in done.stderr


def test_editors_have_pieces_of_their_own() -> None:
    pieces = load_pieces()
    sites = one_a_piece(find_sites(pieces, 4 * len(pieces)), len(pieces) + 1)
    assert len(sites) == len(pieces) + 1
    assert len({(site.piece, site.language) for site in sites[:-1]}) == len(pieces)
    assert len({site.kind for site in sites}) == 2
    assert len(set(sites)) == len(sites)


@pytest.mark.parametrize(
    ("row", "batched"),
    [
        pytest.param(1.0, 40.0, id="rows cost what they cost alone"),
        pytest.param(0.5, 28.0, id="rows cost half"),
        pytest.param(0.0, 16.0, id="rows cost nothing: what is not the model stays"),
    ],
)
def test_what_batching_could_save(row: float, batched: float) -> None:
    best = Bound(suggestion=10.0, model=6.0, row={4: row})
    assert best.batched(4) == pytest.approx(batched)
    assert best.one_by_one(4) == pytest.approx(25.0)
