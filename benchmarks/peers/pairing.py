"""Which of two programs is faster at the same work, and by how much?

The sides take turns on the same item, the order reversed every other time, so that whatever else the machine does
falls on both. What is compared is the ratio of two times taken moments apart: below 1, ours is the faster.

A script makes `Comparison`s and hands them to `report`, which shows a table, or writes table and plot beside each
other. Times are seconds of processor time, all threads of a process together: nothing here waits for anything and all
of it shares one core, so on an idle machine a clock on the wall shows the same, and on a busy one the others' turns are
not counted. Pauses of the garbage collector are, but what lay on the heap before is not collected again.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markdown import Markdown

from export.bench.machine import describe_machine, describe_versions, load_average, measured_on

T = TypeVar("T")
Timed = Callable[[T], float]
"""Does the work on an item, and says how many seconds of processor time the part that counts took."""

Core = Annotated[int | None, typer.Option(help="which processor core; the first by default")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object, every pair included")]
Out = Annotated[Path | None, typer.Option(help="a folder for the table and the plot")]

_TICK = time.get_clock_info("process_time").resolution
"""Less than this no work takes, though a coarse clock, as that of Windows, may say that it took nothing."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One of ours against one peer.

    Attributes:
        what: the work.
        ours, peer: who did it.
        ratios: our time by the peer's, one a pair.
        ours_ms, peer_ms: milliseconds of each, in the same order.
        goal: the ratio that is aimed at; None if none is.
        leaves_out: what the times do not contain.
    """

    what: str
    ours: str
    peer: str
    ratios: tuple[float, ...]
    ours_ms: tuple[float, ...]
    peer_ms: tuple[float, ...]
    goal: float | None = None
    leaves_out: str = ""

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The middle half of the ratios lies between these."""
        if len(self.ratios) == 1:
            return self.ratios[0], self.ratios[0]
        first, _, third = quantiles(self.ratios, n=4, method="inclusive")
        return first, third

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None if there is none."""
        return None if self.goal is None else self.ratio <= self.goal


@dataclass
class Benchmark:
    """What a script found.

    Attributes:
        name: of the script: `decoding`, `parsing`, `scaling`, `training`; files are called so.
        title: one question.
        work: what was worked on, in words.
        comparisons: what came out.
        packages: whose versions are told.
        notes: what else a reader must know: who is absent, what was checked.
    """

    name: str
    title: str
    work: str
    comparisons: list[Comparison] = field(default_factory=list)
    packages: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)


def use_one_core(core: int | None = None) -> None:
    """Bind this process, and those it starts, to one core, where the system can do so.

    Args:
        core: its number; None takes the first that may be used.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0)) if core is None else core})


def seconds(work: Callable[[], object]) -> float:
    """The processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def compare(
    what: str,
    items: Sequence[T],
    ours: tuple[str, Timed[T]],
    peers: Mapping[str, Timed[T]],
    *,
    warm_up: Sequence[T],
    rounds: int = 1,
    goals: Mapping[str, float] | None = None,
    leaves_out: str = "",
    progress: Callable[[], object] = lambda: None,
) -> list[Comparison]:
    """Time our side and every peer on every item, in turn.

    Args:
        what: the work.
        items: what is worked on.
        ours: our name and side.
        peers: the other sides by name; with none, nothing comes of it.
        warm_up: done before anything counts.
        rounds: how often all items are gone through; of the times of a side on an item the median counts.
        goals: the ratios aimed at, by peer.
        leaves_out: what the times do not contain.
        progress: called after every item.

    Returns:
        One comparison a peer.
    """
    if not peers:
        return []
    sides = [ours, *peers.items()]
    for item in warm_up:
        for _, side in sides:
            side(item)
    gc.collect()
    gc.freeze()
    tries: dict[str, list[list[float]]] = {name: [[] for _ in items] for name, _ in sides}
    for turn, (place, item) in product(range(rounds), enumerate(items)):
        for name, side in sides if (turn + place) % 2 == 0 else reversed(sides):
            gc.collect()
            tries[name][place].append(side(item))
        progress()
    gc.unfreeze()
    times = {name: [median(one) for one in found] for name, found in tries.items()}
    mine = times[ours[0]]
    return [
        Comparison(
            what,
            ours[0],
            peer,
            tuple(one / max(other, _TICK) for one, other in zip(mine, times[peer], strict=True)),
            tuple(1000 * one for one in mine),
            tuple(1000 * other for other in times[peer]),
            (goals or {}).get(peer),
            leaves_out,
        )
        for peer in peers
    ]


def versions(packages: Iterable[str]) -> str:
    """Of Python, of ours, and of packages that are installed: one line."""
    found = [describe_versions()]
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


# Reports


def report(benchmark: Benchmark, command: str, as_json: bool, out: Path | None) -> None:
    """Print what was found, and with `out` write NAME.md and NAME.png into that folder.

    Args:
        benchmark: what was found.
        command: what makes it again.
        as_json: print one JSON object instead of a table.
        out: the folder to write to; None writes nothing.
    """
    text = as_markdown(benchmark, command)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        plot(benchmark, out / f"{benchmark.name}.png")
        picture = f"![Our time by each peer's]({benchmark.name}.png)\n"
        (out / f"{benchmark.name}.md").write_text(f"{text}\n{picture}", encoding="utf-8")
    if as_json:
        print(json.dumps(as_object(benchmark, command), ensure_ascii=False))
    else:
        Console().print(Markdown(text))


def as_object(benchmark: Benchmark, command: str) -> dict[str, Any]:
    """Everything that was found, every pair included."""
    return {
        "benchmark": benchmark.name,
        "command": command,
        "work": benchmark.work,
        "machine": describe_machine(),
        "load": load_average(),
        "versions": versions(benchmark.packages),
        "notes": benchmark.notes,
        "comparisons": [
            {**asdict(one), "ratio": one.ratio, "quartiles": one.quartiles, "met": one.met}
            for one in benchmark.comparisons
        ],
    }


def as_markdown(benchmark: Benchmark, command: str) -> str:
    """A table with one row a comparison, and below it what the figures rest on."""
    lines = [
        f"# {benchmark.title}",
        "",
        f"`{command}`",
        "",
        benchmark.work,
        "",
        "| work | ours | peer | pairs | ours, ms | peer, ms | ratio | quartiles | goal | met |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|---|",
        *(_row(one) for one in benchmark.comparisons),
        "",
        "Times are processor time on one core, medians. A ratio is our time by the peer's, median over pairs taken in "
        "turn on the same item; below 1, ours is faster.",
        "",
    ]
    for what, left_out in {one.what: one.leaves_out for one in benchmark.comparisons if one.leaves_out}.items():
        lines.append(f"- {what} leaves out: {left_out}.")
    lines += [f"- {note}" for note in benchmark.notes]
    lines += ["", measured_on(versions(benchmark.packages)), ""]
    return "\n".join(lines)


def _row(one: Comparison) -> str:
    low, high = one.quartiles
    cells = [
        one.what,
        one.ours,
        one.peer,
        str(len(one.ratios)),
        f"{median(one.ours_ms):.3g}",
        f"{median(one.peer_ms):.3g}",
        f"**{one.ratio:.3g}**",
        f"{low:.3g} to {high:.3g}",
        "" if one.goal is None else f"{one.goal:.3g}",
        {None: "", True: "yes", False: "no"}[one.met],
    ]
    return "| " + " | ".join(cells) + " |"


def plot(benchmark: Benchmark, path: Path) -> None:
    """The ratios as boxes on a logarithmic axis; goals are marked."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    shown = list(reversed(benchmark.comparisons))
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.42 * len(shown)), layout="constrained")
    axes.boxplot([one.ratios for one in shown], orientation="horizontal", whis=(5, 95), showfliers=False)
    goals = [(one.goal, place) for place, one in enumerate(shown, start=1) if one.goal is not None]
    if goals:
        axes.plot(*zip(*goals, strict=True), "D", color="tab:green", label="goal, at most")
        axes.legend(loc="best")
    axes.axvline(1.0, color="gray", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(1, len(shown) + 1), [f"{one.what}\n{one.ours} / {one.peer}" for one in shown], fontsize=7)
    axes.set_xlabel("our time by the peer's (box: quartiles; whiskers: 5 to 95 %)")
    axes.set_title(benchmark.title)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
