"""The verb `evaluate`: from what was asked for to tables, files and an exit code.

Exit codes: 0 evaluated, 1 the dataset has nothing to predict or a file cannot be written, 2 wrong usage, 3 the model
cannot be used. With JSON or Markdown nothing else goes to standard output.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from export.evaluation.listening import write_sheet
from export.evaluation.predictors import load_engine
from export.evaluation.report import STRATA, TESTS, Plan, run
from export.evaluation.show import check_plot, markdown, plot, show
from inference.errors import GhostnoteError
from notation.tokens.vocabulary import GENRES
from training.dataset.build import Dataset
from training.dataset.clusters import SPLITS
from training.exits import USAGE, fail

INPUT, MODEL = 1, 3


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; see `export.cli.evaluate` for each."""

    data: Path
    bundle: str | None
    checkpoints: tuple[Path, ...]
    genres: tuple[str, ...]
    tests: tuple[str, ...]
    split: str
    limit: int | None
    seed: int
    threads: int
    output: Literal["table", "json", "markdown"]
    out: Path | None
    plot: Path | None
    listening: Path | None


def run_evaluation(request: Request) -> int:
    """Evaluate, and tell; the exit code."""
    wrong = _wrong_usage(request)
    if wrong:
        return fail(wrong, USAGE)
    errors = Console(stderr=True)
    try:
        if request.plot is not None:
            check_plot(request.plot)
        dataset = Dataset.open(request.data)
        model = load_engine(request.bundle, request.checkpoints, request.threads)
        plan = Plan(
            dataset,
            model,
            tests=request.tests or TESTS,
            genres=request.genres or STRATA,
            split=request.split,
            limit=request.limit,
            seed=request.seed,
            threads=request.threads,
        )
        report = _run(plan, errors)
        _write(request, report)
        if request.listening is not None and model is not None:
            n = write_sheet(
                request.listening,
                dataset,
                model[1],
                split=request.split,
                genres=plan.genres,
                seed=request.seed,
                tell=partial(errors.print, style="bold yellow"),
            )
            errors.print(f"{request.listening}: a listening sheet of {n} items; open index.html", highlight=False)
    except GhostnoteError as error:
        return fail(str(error), MODEL)
    except (OSError, ValueError) as error:
        return fail(f"cannot evaluate: {error}", INPUT)
    return 0


def _wrong_usage(request: Request) -> str:
    """What is wrong with what was asked for; empty if nothing is."""
    known = ((request.genres, GENRES, "genre"), (request.tests, TESTS, "test"), ((request.split,), SPLITS, "split"))
    for asked, there, what in known:
        unknown = [each for each in asked if each not in there]
        if unknown:
            return f"unknown {what} '{unknown[0]}': choose among {', '.join(there)}."
    if request.listening is not None and request.bundle is None and not request.checkpoints:
        return "--listening needs a model: give --bundle or --model."
    if request.plot is not None and request.tests and "next measure" not in request.tests:
        return "--plot draws the test 'next measure': give --test 'next measure' too."
    return ""


def _run(plan: Plan, errors: Console) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        doing = bar.add_task("learning the baselines", total=plan.limit)

        def progress(test: str, genre: str, done: int, total: int | None) -> None:
            bar.update(doing, description=f"{genre}: {test}", completed=done, total=total)

        return run(plan, progress)


def _write(request: Request, report: dict[str, Any]) -> None:
    text = json.dumps(report, indent=2, ensure_ascii=False)
    if request.output == "json":
        typer.echo(text)
    elif request.output == "markdown":
        typer.echo(markdown(report))
    else:
        show(report, Console())
    if request.out is not None:
        request.out.write_text(text + "\n", encoding="utf-8")
    if request.plot is not None:
        plot(report, request.plot)
