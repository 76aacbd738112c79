"""Does a large workspace slow down the typing?

Two real servers over standard input and output, one with a folder of many files open, which it reads in the background,
the other with none. The same suggestions are asked of both in turn (as `export.bench.lsp` does it) for as long as the
folder is being read; then both are idle, and the processor time that they take in that time is measured, and how long
a search among all pieces takes.

    python -m benchmarks.workspace [FOLDER] [--files 10000] [--out benchmarks/workspace.md]

Four files of five are ABC, the fifth is MusicXML: copies of the pieces of FOLDER, or of those that come with the
program, each with a title of its own.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from benchmarks.page import Out, publish
from export.bench.documents import Site, find_sites, load_pieces
from export.bench.lsp import Client, Editor, initialize, one_before, running
from export.bench.machine import describe_versions, measured_on, peak_memory
from export.figures import markdown_table
from inference.bundle import find_bundle

QUIET = 0.05
"""Seconds between two keys."""
IDLE = 5.0
"""Seconds in which nothing happens."""
SEARCHES = 20
_MARK = "the last of them"


@dataclass
class Found:
    """What was measured.

    Attributes:
        without: milliseconds of each suggestion of the server without a folder.
        reading: those of the other, while it reads.
        seconds: until all was read, somebody typing all the time.
        idle: processor milliseconds a second of both servers afterwards: without, with the folder.
        search: milliseconds of each search among all pieces.
        memory: the peak of each server, in MB: without, with the folder.
    """

    without: list[float]
    reading: list[float]
    seconds: float
    idle: tuple[float, float]
    search: list[float]
    memory: tuple[float, float]


def fill(folder: Path, pieces: Sequence[tuple[str, str]], n: int) -> None:
    """Write `n` files, (language, text) in turn; the last in order says `_MARK`."""
    for number, (language, text) in zip(range(n), cycle(pieces), strict=False):
        title = f"Piece {number:05d}" if number < n - 1 else _MARK
        where = folder / f"{number // 100:03d}"
        where.mkdir(exist_ok=True)
        if language == "abc":
            text = re.sub(r"^T:.*$", f"T:{title}", text, count=1, flags=re.MULTILINE)
        else:
            text = re.sub(r"(<(?:movement|work)-title>)[^<]*", rf"\1{title}", text)
        (where / f"{number:05d}.{language}").write_text(text, encoding="utf-8")


def sources(folder: Path | None) -> list[tuple[str, str]]:
    """Five texts, four of ABC and one of MusicXML, each with a title to replace."""
    pieces = load_pieces(folder)
    tunes = [piece.text for piece in pieces if piece.language == "abc" and "\nT:" in piece.text]
    scores = [piece.text for piece in pieces if piece.language == "musicxml" and "-title>" in piece.text]
    if not tunes or not scores:
        raise typer.BadParameter("needs a tune and a score with titles to make the files of")
    return [*(("abc", text) for _, text in zip(range(4), cycle(tunes), strict=False)), ("musicxml", scores[0])]


async def suggestion(editor: Editor, site: Site) -> float:
    """Milliseconds from a key to the suggestion, the model having read what is a note before."""
    text, offset = site.earlier()
    await editor.show(site, text)
    await editor.ask(text, offset)
    await editor.show(site, one_before(site))
    ms, _ = await editor.type(site.text[site.offset - 1], one_before(site), site.offset - 1)
    return ms


async def symbols(client: Client, query: str) -> int:
    """How many pieces a search finds."""
    return len(await client.request("workspace/symbol", {"query": query}) or [])


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far; only where /proc tells."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def measure(bundle: Path, folder: Path, sites: Sequence[Site]) -> Found:
    """Start both servers and type."""
    command = ("serve", "--stdio", "--model", str(bundle.resolve()))
    async with running(command) as (plain, plain_process), running(command) as (busy, busy_process):
        editors = [Editor(plain), Editor(busy)]
        await initialize(plain)
        for site in sites[:2]:  # the model is loaded before anything counts
            await suggestion(editors[0], site)
        began = time.perf_counter()
        await initialize(busy, folder)
        await suggestion(editors[1], sites[0])
        found = Found([], [], 0.0, (0.0, 0.0), [], (0.0, 0.0))
        turns = [(editors[0], found.without), (editors[1], found.reading)]
        for site in cycle(sites):
            for editor, waits in turns:
                waits.append(await suggestion(editor, site))
            turns.reverse()
            if await symbols(busy, _MARK):
                break
            await asyncio.sleep(QUIET)
        found.seconds = time.perf_counter() - began
        pids = plain_process.pid, busy_process.pid
        await asyncio.sleep(1)
        before = [processor_seconds(pid) for pid in pids]
        await asyncio.sleep(IDLE)
        spent = [1000 * (processor_seconds(pid) - one) / IDLE for pid, one in zip(pids, before, strict=True)]
        found.idle = spent[0], spent[1]
        for number in range(SEARCHES):
            started = time.perf_counter()
            await symbols(busy, f"piece {number}")
            found.search.append(1000 * (time.perf_counter() - started))
        peaks = [peak_memory(pid) or float("nan") for pid in pids]
        found.memory = peaks[0], peaks[1]
        return found


def table(found: Found) -> str:
    """Markdown."""
    rows = []
    for name, figure in (("median", 50), ("p95", 95)):
        without, reading = (float(np.percentile(each, figure)) for each in (found.without, found.reading))
        rows.append([f"suggestion, {name}, ms", f"{without:.1f}", f"{reading:.1f}", f"{reading / without:.2f}"])
    rows.append(["suggestions", str(len(found.without)), str(len(found.reading)), ""])
    rows.append(["idle afterwards, processor ms a second", *(f"{each:.1f}" for each in found.idle), ""])
    rows.append(["peak memory, MB", *(f"{each:.0f}" for each in found.memory), ""])
    return "\n".join(markdown_table(("", "no folder", "the folder being read", "ratio"), rows))


def main(
    folder: Annotated[Path | None, typer.Argument(help="a folder with pieces; the installed ones if not given")] = None,
    files: Annotated[int, typer.Option(min=10, help="in the workspace")] = 10_000,
    n_sites: Annotated[int, typer.Option("--sites", min=2, help="places to type at, again and again")] = 20,
    model: Annotated[Path | None, typer.Option(help="a bundle; the shipped one if not given")] = None,
    out: Out = None,
) -> None:
    """Type while a server reads a large workspace."""
    sites = find_sites(load_pieces(folder), n_sites)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as temporary, console.status(f"typing beside {files:,} files"):
        fill(Path(temporary), sources(folder), files)
        found = asyncio.run(measure(find_bundle(model), Path(temporary), sites))
    text = "\n".join(
        [
            "# Does a large workspace slow down the typing?",
            "",
            f"`python -m benchmarks.workspace --files {files}`: two servers, asked in turn, one with a folder of "
            f"{files:,} files open.",
            "",
            table(found),
            "",
            f"All was read after {found.seconds:.0f} s, in which somebody typed without a pause. A search among all "
            f"pieces then takes {statistics.median(found.search):.1f} ms (median of {len(found.search)}).",
            "",
            measured_on(describe_versions()),
            "",
        ]
    )
    publish(text, out)


if __name__ == "__main__":
    typer.run(main)
