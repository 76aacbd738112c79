"""How long does one wait in a very large score?

A MusicXML score of some megabytes is open in the real server over standard input and output. At places all over it the
rest of a measure is deleted, ghost text is asked for, and after a moment the next note is typed, as a composer would;
the clock runs from there to the next suggestion. Then the rest is put back.

    python -m benchmarks.large [SCORE] [--megabytes 5] [--out benchmarks/large.md]

The score is SCORE, or one of four parts that comes with the program, over and over again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from benchmarks.page import Out, publish
from benchmarks.peers.scaling import Edit, base_score, edit_at, lengthened
from export.bench.documents import Site
from export.bench.lsp import Editor, initialize, running
from export.bench.machine import describe_versions, measured_on, peak_memory
from export.figures import markdown_table
from inference.bundle import find_bundle
from notation.language import language
from notation.musicxml import read_file

QUIET = 0.5
"""Seconds between two keys: the diagnostics of the last edit are done by then."""
NAME = "musicxml"


@dataclass
class Found:
    """What was measured.

    Attributes:
        opened: seconds from opening the score to the first suggestion, the model being loaded.
        waits: milliseconds from a key to its suggestion.
        answered: how many of them had one.
        memory: the peak of the server, in MB.
    """

    opened: float
    waits: list[float]
    answered: int
    memory: float


def document(megabytes: float) -> str:
    """A score that is about so long."""
    notation, base = language(NAME), base_score(NAME)
    return notation.print([lengthened(base, round(megabytes * 1e6 / len(notation.print([base]))))])


def edits(text: str, n: int, seed: int) -> list[Edit]:
    """Notes to type, anywhere."""
    score = language(NAME).parse(text).scores[0]
    places = [(part, index) for part, one in enumerate(score.parts) for index in range(len(one.measures))]
    random.Random(seed).shuffle(places)
    found = (edit_at(text, score, index, part) for part, index in places)
    chosen = [edit for edit, _ in zip((one for one in found if one), range(n), strict=False)]
    if not chosen:
        raise typer.BadParameter("the score has no measure with enough notes to type one in")
    return chosen


async def measure(bundle: Path, text: str, asked: Sequence[Edit]) -> Found:
    """Start the server, open the score and type."""
    async with running(("serve", "--stdio")) as (client, process):
        await initialize(client, model=str(bundle.resolve()))
        editor = Editor(client)
        small = language(NAME).print([base_score(NAME)])
        editor.open(Site("small", NAME, small, 0, "end of measure", 4, 0), small)
        await editor.ask(small, small.rindex("</measure>"))  # the model is loaded before anything counts
        first = asked[0]
        began = time.perf_counter()
        editor.open(Site("large", NAME, first.before, 0, "end of measure", 4, 0), first.before)
        await editor.ask(first.before, first.offset)
        found = Found(time.perf_counter() - began, [], 0, 0.0)
        editor.replace(first.before, first.offset, 0, first.rest)
        for edit in asked:
            editor.replace(text, edit.offset, len(edit.rest), "")
            await editor.ask(edit.before, edit.offset)
            await asyncio.sleep(QUIET)
            wait, suggestion = await editor.type(edit.typed, edit.before, edit.offset)
            found.waits.append(wait)
            found.answered += bool(suggestion)
            end = edit.offset + len(edit.typed)
            editor.replace(edit.after, end, 0, edit.rest[len(edit.typed) :])
        found.memory = peak_memory(process.pid) or float("nan")
        return found


def main(
    score: Annotated[Path | None, typer.Argument(help="a MusicXML score; one is made if not given")] = None,
    megabytes: Annotated[float, typer.Option(min=0.2, help="how long it is made")] = 5.0,
    n: Annotated[int, typer.Option("--edits", min=1)] = 40,
    seed: int = 0,
    model: Annotated[Path | None, typer.Option(help="a bundle; the shipped one if not given")] = None,
    out: Out = None,
) -> None:
    """Type in a very large score."""
    text = read_file(score.read_bytes()) if score else document(megabytes)
    with Console(stderr=True).status(f"typing in {len(text) / 1e6:.1f} MB"):
        found = asyncio.run(measure(find_bundle(model), text, edits(text, n, seed)))
    median, p95 = (float(np.percentile(found.waits, figure)) for figure in (50, 95))
    rows = [
        ["from a key to the suggestion, median, ms", f"{median:.1f}"],
        ["the same, 95th percentile, ms", f"{p95:.1f}"],
        ["keys that had a suggestion", f"{found.answered} of {len(found.waits)}"],
        ["from opening to the first suggestion, s", f"{found.opened:.2f}"],
        ["peak memory, MB", f"{found.memory:.0f}"],
    ]
    page = [
        "# How long does one wait in a very large score?",
        "",
        f"`python -m benchmarks.large {score.name if score else f'--megabytes {megabytes:g}'}`: a MusicXML score of "
        f"{len(text) / 1e6:.1f} MB and {text.count('<measure '):,} measures in all its parts, in the real server over "
        "standard input and output.",
        "",
        *markdown_table(("", ""), rows),
        "",
        measured_on(describe_versions()),
        "",
    ]
    publish("\n".join(page), out)


if __name__ == "__main__":
    typer.run(main)
