"""The verb `bench`: from what was asked for to tables, files and an exit code.

Exit codes: 0 measured, 1 worse than the baseline allows, 2 wrong usage, 3 a model or provider cannot be used.
With JSON or CSV nothing else goes to standard output; progress and comparisons go to standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console

from export.bench.compare import compare
from export.bench.documents import find_sites, load_pieces
from export.bench.machine import load_average, usable_cores
from export.bench.rows import Row, read_json, to_csv, to_json
from export.bench.show import check_plot, plot_rows, show_comparison, show_rows
from training.exits import USAGE, fail

WORSE, MODEL = 1, 3


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; see `export.cli.bench` for each."""

    bundles: tuple[str, ...]
    providers: tuple[str, ...]
    threads: tuple[int, ...]
    batches: tuple[int, ...]
    contexts: tuple[int, ...]
    repeats: int
    documents: Path | None
    sites: int
    lsp: bool
    quality: Path | None
    output: Literal["table", "json", "csv"]
    plot: Path | None
    baseline: Path | None
    tolerance: float


def numbers(option: str, text: str) -> tuple[int, ...]:
    """Whole numbers from 1, separated by commas.

    Raises:
        typer.BadParameter: it is something else.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"{option} is '{text}' but must be whole numbers from 1, such as 1,2.")
    return tuple(sorted({int(part) for part in parts}))


def run_bench(request: Request) -> int:
    """Measure, and tell; the exit code."""
    from inference.errors import GhostnoteError

    errors = Console(stderr=True)
    try:
        if request.plot is not None:
            check_plot(request.plot)
        earlier = read_json(request.baseline) if request.baseline else None
        rows = _measure(request, errors)
        _write(request, rows)
        return _judge(request, earlier, rows, errors) if earlier is not None else 0
    except GhostnoteError as error:
        return fail(str(error), MODEL)
    except (ValueError, OSError) as error:
        return fail(str(error), USAGE)
    except ImportError as error:
        return fail(f"this needs what is not installed ({error}): pip install 'ghostnote[training]'", USAGE)


def _measure(request: Request, errors: Console) -> list[Row]:
    from export.bench.run import Plan, available_providers, measure_all
    from inference.bundle import find_bundle

    load = load_average()
    if load is not None and load > usable_cores() / 2:
        errors.print(
            f"This machine is busy: a load of {load:.1f} on {usable_cores()} cores. The figures will be too slow, and "
            "spread wide.",
            style="yellow",
        )
    plan = Plan(
        bundles=tuple(dict.fromkeys(find_bundle(name) for name in request.bundles)),
        providers=request.providers or available_providers(),
        threads=request.threads,
        batches=request.batches,
        contexts=request.contexts,
        repeats=request.repeats,
        sites=tuple(find_sites(load_pieces(request.documents, request.sites), request.sites)),
        lsp=request.lsp,
        quality=request.quality,
    )
    with errors.status("measuring") as status:
        return list(measure_all(plan, lambda doing: status.update(f"measuring {doing}")))


def _write(request: Request, rows: list[Row]) -> None:
    if request.output == "table":
        show_rows(rows, Console())
    else:
        typer.echo((to_json if request.output == "json" else to_csv)(rows).rstrip("\n"))
    if request.plot is not None:
        plot_rows(rows, request.plot)


def _judge(request: Request, earlier: list[Row], rows: list[Row], errors: Console) -> int:
    comparison = compare(earlier, rows, request.tolerance)
    show_comparison(comparison, errors)
    return WORSE if comparison.regressions else 0
