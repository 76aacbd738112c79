"""Many editors on one server: how long does each wait, and would running their steps as one batch pay?

A real server listens on a port, and every editor is a connection with a piece of its own (while there are so many), in
which the model has read what is a note or a word before the cursor. First they type in turn, the others being quiet:
what a suggestion costs where there are many documents and states to keep. Then all type at the same moment: the server
has one worker, which serves them one after another. The server's processor time says what that costs without the
waiting, on a busy machine too.

Then the bound for batching. A step of the model for several rows at once costs less a row than a step alone, but all
rows then wait for the last. In the best case all of prefill and decoding shrinks as a step does in a batch of rows that
are equally long and take equally many steps; the rest (parser, prompt, printer, verification) stays. Then every editor
waits for all of them together. Last, where the time of such a step goes, beside the same number of tokens of one row.

    python -m benchmarks.clients [FOLDER] [--model BUNDLE] [--out benchmarks/clients.md]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import zip_longest
from pathlib import Path
from time import process_time
from typing import Annotated, NamedTuple

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.operators import operator_times
from benchmarks.page import Out, publish
from export.bench.documents import Site, find_sites, load_pieces
from export.bench.lsp import Client, Editor, initialize, one_before
from export.bench.machine import describe_versions, environment, measured_on
from export.bench.measure import Timed, random_ids, suggest_while_typing
from export.figures import markdown_table
from inference.bundle import Bundle, find_bundle, load_bundle
from inference.completion import Completer, CompletionOptions
from inference.engine import Engine
from notation.source import difference

CONTEXT = 300
"""Tokens that each row has read when its steps are timed."""
STEPS = 24
MOST_PROFILED = 16
"""Rows in a step whose operators are timed."""
NAMED_OPERATORS = 2


class Waits(NamedTuple):
    """Milliseconds that each suggestion took: the editors in turn, and all at once.

    Attributes:
        in_turn, at_once: from the key to the suggestion.
        processor: of the server, a suggestion, while all type at once; one figure a round.
    """

    in_turn: list[float]
    at_once: list[float]
    processor: list[float]


class Bound(NamedTuple):
    """What batching could save.

    Attributes:
        suggestion: milliseconds of one, called without a server.
        model: of that, prefill and decoding.
        row: a row's share of the time of a step, by how many rows there are, as a share of a step alone.
    """

    suggestion: float
    model: float
    row: dict[int, float]

    def batched(self, n: int) -> float:
        """How long each of `n` editors waits at least, if all their steps are run together."""
        return n * (self.suggestion - self.model * (1 - self.row[n]))

    def one_by_one(self, n: int) -> float:
        """How long the median of `n` editors waits if they are served one after another."""
        return (n + 1) / 2 * self.suggestion


@asynccontextmanager
async def server(bundle: Path) -> AsyncIterator[tuple[int, int]]:
    """A server that listens on a port of this machine; gives the port and the number of the process."""
    command = ("-m", "lsp_server", "serve", "--tcp", "127.0.0.1:0", "--model", str(bundle.resolve()))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stderr=asyncio.subprocess.PIPE, env=environment()
    )
    try:
        assert process.stderr is not None
        line = await process.stderr.readline()
        while line and b"listen" not in line:
            line = await process.stderr.readline()
        if not line:
            raise RuntimeError(f"the server ended with exit code {await process.wait()} before it listened.")
        yield int(line.rsplit(b":", 1)[-1].split()[0]), process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Editor]:
    """An editor of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = Client(reader, writer)
    listening = asyncio.create_task(client.listen())
    await initialize(client)
    try:
        yield Editor(client)
    finally:
        writer.close()
        await listening


def one_a_piece(sites: Sequence[Site], n: int) -> list[Site]:
    """So many sites, each in a piece of its own while there are some, and of every kind."""
    pieces: dict[tuple[str, str], list[Site]] = defaultdict(list)
    for site in sites:
        pieces[site.piece, site.language].append(site)
    turned = [each[index % len(each) :] + each[: index % len(each)] for index, each in enumerate(pieces.values())]
    return [site for layer in zip_longest(*turned) for site in layer if site is not None][:n]


def processor_ms(pid: int) -> float:
    """Milliseconds that a process has had a processor, in all its threads; nan where the system does not say."""
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.is_dir():
        return float("nan")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e6


async def read_before(editor: Editor, site: Site) -> None:
    """Let the model read what is a note before the cursor, and type on to one character before it."""
    text, offset = site.earlier()
    editor.open(site, text)
    await editor.ask(text, offset)
    old, new = difference(text, one_before(site))
    editor.replace(text, old.start, len(old.text(text)), new.text(one_before(site)))


async def press(editor: Editor, site: Site) -> float:
    """Type the character before the cursor; the milliseconds until the suggestion."""
    ms, _ = await editor.type(site.text[site.offset - 1], one_before(site), site.offset - 1)
    return ms


async def waits(pid: int, editors: Sequence[Editor], sites: Sequence[Site], rounds: int) -> Waits:
    """Let the editors of a server type in turn and at once; a first round is not counted."""
    found = Waits([], [], [])
    pairs = list(zip(editors, sites, strict=True))
    for number in range(rounds + 1):
        for editor, site in pairs:
            await read_before(editor, site)
        in_turn = [await press(editor, site) for editor, site in pairs]
        for editor, site in pairs:
            await read_before(editor, site)
        began = processor_ms(pid)
        at_once = await asyncio.gather(*(press(editor, site) for editor, site in pairs))
        if number:
            found.in_turn.extend(in_turn)
            found.at_once.extend(at_once)
            found.processor.append((processor_ms(pid) - began) / len(pairs))
    return found


async def measure(bundle: Path, sites: Sequence[Site], clients: Sequence[int], rounds: int) -> dict[int, Waits]:
    """The waits by number of editors."""
    async with AsyncExitStack() as stack:
        port, pid = await stack.enter_async_context(server(bundle))
        editors = [await stack.enter_async_context(connected(port)) for _ in sites]
        counts = track(clients, "editors", console=Console(stderr=True))
        return {n: await waits(pid, editors[:n], sites[:n], rounds) for n in counts}


def bound(bundle: Path, sites: Sequence[Site], clients: Sequence[int]) -> Bound:
    """What batching could save at best, measured without a server."""
    loaded = load_bundle(bundle)
    completer = Completer(loaded, "cpu")
    timed: list[Timed] = [suggest_while_typing(completer, site, CompletionOptions()) for site in sites]
    engine = Engine(loaded, "cpu")
    alone = step(engine, 1)
    return Bound(
        statistics.median(one.ms for one in timed),
        statistics.median(one.stages["prefill"] + one.stages["decode"] for one in timed),
        {n: step(engine, n) / n / alone for n in clients},
    )


def step(engine: Engine, n: int) -> float:
    """Milliseconds of processor time that a step of `n` rows takes: the median."""
    length = min(CONTEXT, engine.max_length - STEPS - 1)
    engine.prefill(random_ids(engine.vocabulary_size, length))
    batch = engine.fork(n)
    times = []
    for _ in range(STEPS):
        began = process_time()
        batch.step([1] * n)
        times.append(1000 * (process_time() - began))
    return statistics.median(times)


def shares(bundle: Bundle, clients: Sequence[int]) -> list[str]:
    """The lines of a table: where the time of a token goes, by how many there are in a run and whose they are."""
    length = min(CONTEXT, bundle.manifest.max_length - MOST_PROFILED)
    most = [n for n in clients if 1 < n <= MOST_PROFILED]
    runs = {"alone": (1, 1)}
    for n in most:
        runs |= {f"{n} rows": (n, 1), f"{n} tokens of one row": (1, n)}
    times = {name: operator_times(bundle, *each, length) for name, each in runs.items()}
    operators = sorted(times["alone"], key=lambda each: -times["alone"][each])[:NAMED_OPERATORS]
    rows = []
    for name, (n, tokens) in runs.items():
        named = [times[name].get(each, 0.0) for each in operators]
        whole = sum(times[name].values())
        each = [f"{ms / n / tokens:.1f}" for ms in (*named, whole - sum(named), whole)]
        rows.append([name, *each, f"{whole / n / tokens / sum(times['alone'].values()):.0%}"])
    return [
        f"Where the time goes: microseconds a token by operator, on rows that have read {length}. The runtime's "
        "profiler adds one or two an operator.",
        "",
        *markdown_table(["in one run", *operators, "all others", "together", "of one alone"], rows),
    ]


def table(found: dict[int, Waits], best: Bound) -> list[str]:
    """The lines of both tables."""
    one = statistics.median(found[min(found)].at_once)
    rows = []
    for n, each in found.items():
        median = statistics.median(each.at_once)
        cells = [f"{statistics.median(each.in_turn):.1f}", f"{np.percentile(each.in_turn, 95):.1f}"]
        cells += [f"{median:.1f}", f"{np.percentile(each.at_once, 95):.1f}", f"{median / one:.1f}"]
        cells.append(f"{statistics.median(each.processor):.1f}")
        rows.append([str(n), *cells])
    columns = ["editors", "in turn: median", "p95", "at once: median", "p95", "median by that of one", "processor"]
    least = ["editors", "a row's step, of a step alone", "batched: every editor", "one after another: median", "last"]
    bounds = []
    for n in found:
        milliseconds = (best.batched(n), best.one_by_one(n), n * best.suggestion)
        bounds.append([str(n), f"{best.row[n]:.0%}", *(f"{each:.1f}" for each in milliseconds)])
    return [
        *markdown_table(columns, rows),
        "",
        f"Without a server a suggestion takes {best.suggestion:.1f} ms, of which {best.model:.1f} ms prefill and "
        "decoding. The least that batching could make of it:",
        "",
        *markdown_table(least, bounds),
    ]


def main(
    folder: Annotated[Path | None, typer.Argument(help="a folder with pieces; the installed ones if not given")] = None,
    model: Annotated[Path | None, typer.Option(help="a bundle; the shipped one if not given")] = None,
    clients: Annotated[str, typer.Option(help="how many editors, with commas")] = "1,4,16,64",
    rounds: Annotated[int, typer.Option(min=1, help="how often each types")] = 3,
    out: Out = None,
) -> None:
    """Measure suggestions for many editors that share a server."""
    counts = sorted({int(each) for each in clients.split(",")})
    sites = one_a_piece(find_sites(load_pieces(folder), 2 * counts[-1]), counts[-1])
    if len(sites) < counts[-1]:
        raise typer.BadParameter(f"{len(sites)} places for {counts[-1]} editors: name a folder with more pieces")
    bundle = find_bundle(model)
    found = asyncio.run(measure(bundle, sites, counts, rounds))
    best = bound(bundle, sites, counts)
    loaded = load_bundle(bundle)
    sizes = sorted(len(site.text) for site in sites)
    n_pieces = len({site.piece for site in sites})
    text = "\n".join(
        [
            "# Many editors on one server",
            "",
            f"`python -m benchmarks.clients`, {loaded.manifest.name}. Milliseconds from the key that is "
            f"pressed to the suggestion, over TCP, each {rounds} times; the editors and the server share the machine. "
            f"{len(sites)} documents of {n_pieces} pieces, of {sizes[0]:,} to {sizes[-1]:,} characters, half of them "
            f"longer than {sizes[len(sites) // 2]:,}. Processor: milliseconds of the server a suggestion, all at once.",
            "",
            *table(found, best),
            "",
            *shares(loaded, counts),
            "",
            measured_on(describe_versions()),
            "",
        ]
    )
    publish(text, out)


if __name__ == "__main__":
    typer.run(main)
