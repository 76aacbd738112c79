"""Many editors on one model: what does a suggestion cost each, and would running their steps as one batch pay?

Every editor types in a piece of its own, and they take turns. A suggestion is served by an engine that keeps a state
for each of them (as the server does), and by one that keeps a single state, in turn. Then all ask at the same moment,
and are served one after another: how long does each wait? Last, the bound for batching: the time of the model's steps
in a suggestion, and what the same steps cost side by side in one run (rows that stand in one context, which is the
best case). What the grammar, the parser and the printer do is the same either way.

Times are of the processor, of the thread that does the work, so that other programs do not blur them.

    python -m benchmarks.clients FOLDER [--out benchmarks/clients.md]
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import onnxruntime
import typer

from export.bench.documents import Site, find_sites, load_pieces
from inference import engine as engines
from inference.completion import Completer, load_completer
from inference.engine import Engine
from notation.language import language

CLIENTS = (1, 4, 16, 64)
ROUNDS = 3
CONTEXT = 400
STEPS = 40


def typed(site: Site) -> Iterator[tuple[str, int]]:
    """The document and the cursor, one character before the site, then at it."""
    yield site.text[: site.offset - 1] + site.text[site.offset :], site.offset - 1
    yield site.text, site.offset


def ask(completer: Completer, site: Site, text: str, offset: int) -> tuple[float, float]:
    """Processor milliseconds of one suggestion in all, and of prefill and decoding."""
    began = time.thread_time()
    notation = language(site.language)
    result = completer.complete(notation.parse(text), notation, offset)
    taken = 1000 * (time.thread_time() - began)
    return taken, result.timing_ms["prefill"] + result.timing_ms["decode"]


def take_turns(completer: Completer, sites: Sequence[Site]) -> list[float]:
    """What each suggestion costs where the editors take turns; the first round warms up."""
    found = []
    for number in range(ROUNDS + 1):
        for step in range(2):
            for site in sites:
                text, offset = list(typed(site))[step]
                taken, _ = ask(completer, site, text, offset)
                if number and step:
                    found.append(taken)
    return found


def waits(costs: Sequence[float], n: int) -> list[float]:
    """How long each of `n` editors waits that ask at once, served one after another."""
    rounds = [costs[start : start + n] for start in range(0, len(costs) - n + 1, n)]
    return [float(wait) for one in rounds for wait in np.cumsum(one)]


def steps(engine: Engine, n: int) -> float:
    """Processor milliseconds of one step of `n` rows in a context of `CONTEXT` tokens."""
    engine.prefill(np.random.default_rng(0).integers(20, engine.vocabulary_size, CONTEXT).tolist())
    batch = engine.fork(n)
    batch.step([30] * n)
    began = time.thread_time()
    for _ in range(STEPS):
        batch.step([30] * n)
    return 1000 * (time.thread_time() - began) / STEPS


def summary(values: Sequence[float]) -> str:
    """Median and 95th percentile."""
    return f"{statistics.median(values):.1f} | {np.percentile(values, 95):.1f}"


def table(completer: Completer, alone: Completer, sites: Sequence[Site]) -> Iterator[str]:
    """The lines of the tables."""
    yield "| editors | cost, a state each: median | p95 | cost, one state: median | p95 | all at once: median | p95 |"
    yield "|--:|--:|--:|--:|--:|--:|--:|"
    for n in CLIENTS:
        own, shared = take_turns(completer, sites[:n]), take_turns(alone, sites[:n])
        yield f"| {n} | {summary(own)} | {summary(shared)} | {summary(waits(own, n))} |"
    engine = completer._engine
    single = steps(engine, 1)
    yield f"\nOne step of one row takes {single:.2f} ms. As a batch, a row's step takes:\n"
    yield "| rows | ms a row | of a step alone |\n|--:|--:|--:|"
    for n in CLIENTS[1:]:
        row = steps(engine, n) / n
        yield f"| {n} | {row:.2f} | {row / single:.0%} |"


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with pieces; each editor gets its own.")],
    out: Annotated[Path | None, typer.Option(help="Where the tables go; standard output if not given.")] = None,
) -> None:
    """Measure suggestions for many editors."""
    sites = find_sites(load_pieces(folder, 2 * CLIENTS[-1]), CLIENTS[-1])
    if len(sites) < CLIENTS[-1]:
        raise typer.BadParameter(f"{folder} gives {len(sites)} places, {CLIENTS[-1]} are needed")
    completer = load_completer(None, "cpu", 1)
    kept, engines.MAX_SLOTS = engines.MAX_SLOTS, 1
    alone = load_completer(None, "cpu", 1)
    engines.MAX_SLOTS = kept
    head = [
        "# Many editors on one model",
        "",
        f"`python -m benchmarks.clients FOLDER`, {completer.model}, onnxruntime {onnxruntime.__version__}, one thread, "
        f"{platform.machine()}. Milliseconds of the processor.",
        "",
    ]
    text = "\n".join([*head, *table(completer, alone, sites)]) + "\n"
    if out is None:
        print(text)
    else:
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
