"""The process that measures one configuration: a task on standard input, figures on standard output, both JSON.

A process each, so that memory is that of one configuration alone, loading is cold, and no thread pool of another is
left over. It imports what the server would, and nothing else that is heavy.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from export.bench import measure
from export.bench.documents import Site
from export.bench.machine import peak_memory
from export.bench.rows import Measurement


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker measures.

    Attributes:
        kind: `load`, `run`, `lsp` or `quality`.
        bundle: its folder.
        provider: `cpu` or `cuda`.
        threads: within an operator.
        batch: rows side by side.
        contexts: lengths of context, in tokens.
        repeats: how often each context is measured.
        sites: where suggestions are asked for; empty if the model has another vocabulary.
        dataset: a folder to measure quality on.
        started: when the process was started, on the clock of `time.monotonic`.
    """

    kind: str
    bundle: str
    provider: str
    threads: int
    batch: int
    contexts: tuple[int, ...]
    repeats: int
    sites: tuple[Site, ...]
    dataset: str = ""
    started: float = 0.0

    def as_json(self) -> str:
        """The task as a worker reads it."""
        return json.dumps(asdict(self))


def read_task(text: str) -> Task:
    """The task that `Task.as_json` wrote."""
    raw: dict[str, Any] = json.loads(text)
    sites = tuple(Site(**site) for site in raw.pop("sites"))
    return Task(**{**raw, "contexts": tuple(raw["contexts"]), "sites": sites})


def perform(task: Task) -> list[Measurement]:
    """Measure what the task asks for.

    Raises:
        GhostnoteError: the model cannot be used.
    """
    return _KINDS[task.kind](task)


def _load(task: Task) -> list[Measurement]:
    bundle = Path(task.bundle)
    site = task.sites[0] if task.sites else None
    figures = measure.cold_load(bundle, task.provider, task.threads, task.started, site)
    return [measure.size_on_disk(bundle), *figures]


def _run(task: Task) -> list[Measurement]:
    from inference.bundle import load_bundle
    from inference.completion import Completer
    from inference.engine import Engine

    bundle = load_bundle(Path(task.bundle))
    engine = Engine(bundle, task.provider, task.threads)
    measure.demand(task.provider, engine)
    contexts = measure.fitting_contexts(task.contexts, engine.max_length)
    figures = measure.prefill(engine, contexts, task.repeats) if task.batch == 1 else []
    figures += measure.steps(engine, contexts, task.batch, task.repeats)
    del engine  # what it holds is not the completer's
    if task.sites:
        completer = Completer(bundle, task.provider, task.threads)
        figures += measure.suggestions(completer, task.sites, task.batch)
        figures += [measure.stops(completer, task.sites)] if task.batch == 1 else []
    return figures + measure.memory(peak_memory())


def _lsp(task: Task) -> list[Measurement]:
    from export.bench.lsp import measure_server

    return measure_server(Path(task.bundle), task.provider, task.threads, task.sites)


def _quality(task: Task) -> list[Measurement]:
    from export.bench.quality import measure_quality

    return measure_quality(Path(task.bundle), Path(task.dataset), task.provider, task.threads)


_KINDS: dict[str, Callable[[Task], list[Measurement]]] = {
    "load": _load,
    "run": _run,
    "lsp": _lsp,
    "quality": _quality,
}


def main() -> None:
    """Read a task, measure, and write the figures, or what the user must be told."""
    from inference.errors import GhostnoteError

    try:
        answer: dict[str, Any] = {"measurements": [asdict(one) for one in perform(read_task(sys.stdin.read()))]}
    except (GhostnoteError, ValueError, OSError, ImportError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
