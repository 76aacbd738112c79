"""Which configurations are measured, and one process for each.

A configuration is a bundle, a provider, a number of threads and a batch size. Workers run one after another, never
side by side: two that share the cores would measure each other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from export.bench.documents import Site
from export.bench.machine import describe_machine, describe_versions, environment
from export.bench.rows import Measurement, Row, Subject, summarise
from export.bench.worker import Task
from inference.bundle import Manifest, load_bundle
from inference.errors import GhostnoteError
from inference.providers import choose_provider
from notation.tokens.vocabulary import VOCABULARY_HASH

COLD_LOADS = 3
"""Fresh processes in which loading is timed."""


class BenchError(GhostnoteError):
    """A worker could not do its work; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes:
        bundles: folders.
        providers: `cpu`, `cuda`.
        threads, batches, contexts: one configuration or figure each.
        repeats: how often each context is measured.
        sites: where suggestions are asked for.
        lsp: whether the real server is measured too.
        quality: a dataset folder to measure quality on; None leaves that out.
    """

    bundles: tuple[Path, ...]
    providers: tuple[str, ...]
    threads: tuple[int, ...]
    batches: tuple[int, ...]
    contexts: tuple[int, ...]
    repeats: int
    sites: tuple[Site, ...]
    lsp: bool = False
    quality: Path | None = None


def available_providers() -> tuple[str, ...]:
    """The providers that this machine's runtime was built with."""
    return ("cpu", "cuda") if choose_provider("auto").name == "cuda" else ("cpu",)


def check_plan(plan: Plan) -> dict[Path, Manifest]:
    """The manifests of the bundles, if everything can be measured.

    Raises:
        GhostnoteError: a bundle or a provider cannot be used.
        ValueError: two bundles cannot be told apart in a table.
    """
    manifests = {path: load_bundle(path).manifest for path in plan.bundles}
    names: dict[tuple[str, str], Path] = {}
    for path, manifest in manifests.items():
        other = names.setdefault((manifest.name, manifest.precision), path)
        if other != path:
            raise ValueError(
                f"{other} and {path} both hold '{manifest.name}' in {manifest.precision}: no table could tell them "
                "apart. Export one of them with another --name."
            )
    for provider in plan.providers:
        message = choose_provider(provider).message
        if message is not None:
            raise BenchError(f"cannot measure on {provider}: {message}")
    return manifests


def measure_all(plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Iterator[Row]:
    """Measure everything, row by row.

    Args:
        plan: what to measure.
        tell: is told what is being measured.

    Raises:
        GhostnoteError: a bundle or a provider cannot be used, or a worker failed.
        ValueError: two bundles cannot be told apart.
    """
    manifests = check_plan(plan)
    versions = describe_versions()
    machines = {provider: describe_machine(provider == "cuda") for provider in plan.providers}
    for task in _tasks(plan, manifests):
        manifest = manifests[Path(task.bundle)]
        subject = Subject(
            model=manifest.name,
            architecture=manifest.architecture,
            parameters=manifest.parameters,
            precision=manifest.precision,
            provider=task.provider,
            threads=task.threads,
            batch=task.batch,
            machine=machines[task.provider],
            versions=versions,
        )
        tell(f"{manifest.name} {manifest.precision}, {task.provider}, threads {task.threads}, batch {task.batch}")
        measurements = _pooled_loads(task) if task.kind == "load" else run_worker(task)
        yield from (Row(subject, one) for one in measurements)


def run_worker(task: Task) -> list[Measurement]:
    """The figures of a task, measured in a process of its own.

    Raises:
        BenchError: the process could not do it.
    """
    done = subprocess.run(
        [sys.executable, "-m", "export.bench.worker"],
        input=replace(task, started=time.monotonic()).as_json(),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(f"measuring {task.bundle} on {task.provider} ended with exit code {done.returncode}.")
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise BenchError(f"cannot measure {task.bundle} on {task.provider}: {answer['error']}")
    return [Measurement(**one) for one in answer["measurements"]]


def _tasks(plan: Plan, manifests: dict[Path, Manifest]) -> Iterator[Task]:
    for path, manifest in manifests.items():
        sites = plan.sites if manifest.vocabulary_hash == VOCABULARY_HASH else ()
        for provider in plan.providers:
            for threads in plan.threads:
                task = Task("load", str(path), provider, threads, 1, plan.contexts, plan.repeats, sites)
                yield replace(task, sites=sites[:1])
                if plan.quality and sites and threads == plan.threads[0]:
                    yield replace(task, kind="quality", dataset=str(plan.quality))
                if plan.lsp and sites:
                    yield replace(task, kind="lsp")
                for batch in plan.batches:
                    yield replace(task, kind="run", batch=batch)


def _pooled_loads(task: Task) -> list[Measurement]:
    """Figures that one process gives only once, from several."""
    found: dict[str, list[Measurement]] = defaultdict(list)
    for _ in range(COLD_LOADS):
        for one in run_worker(task):
            found[one.test].append(one)
    return [
        summarise(test, ones[0].unit, [one.median for one in ones], leaves_out=ones[0].leaves_out)
        for test, ones in found.items()
    ]
