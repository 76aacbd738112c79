"""Tables and plots of a run, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from export.bench.compare import Comparison
from export.bench.rows import Identity, Row

SUGGESTION, QUALITY = "suggestion", "quality: "


def show_rows(rows: Sequence[Row], console: Console) -> None:
    """A table for each configuration, then what all have in common and what the timings leave out."""
    for configuration in _groups(rows):
        one = configuration[0].subject
        title = (
            f"{one.model}: {one.architecture}, {one.parameters / 1e6:.1f} M parameters, {one.precision}; "
            f"{one.provider}, threads {one.threads}, batch {one.batch}"
        )
        table = Table("test", title=title, title_justify="left")
        for column in ("median", "q1", "q3", "p95", "p99", "n"):
            table.add_column(column, justify="right")
        table.add_column("unit")
        for row in configuration:
            figure = row.measurement
            values = (figure.median, figure.q1, figure.q3, figure.p95, figure.p99)
            table.add_row(figure.test, *(_number(value) for value in values), str(figure.n), figure.unit)
        console.print(table)
    for machine in dict.fromkeys(f"{row.subject.machine}; {row.subject.versions}" for row in rows):
        console.print(machine, highlight=False)
    _show_what_is_left_out(rows, console)


def show_comparison(comparison: Comparison, console: Console) -> None:
    """What is worse than the baseline allows, or that nothing is."""
    for machine in comparison.machines:
        console.print(f"The baseline was measured on another machine: {machine}", style="yellow", highlight=False)
    if comparison.missing:
        tests = ", ".join(dict.fromkeys(row.measurement.test for row in comparison.missing))
        console.print(f"Not compared, because this run has not measured them: {tests}", style="yellow", highlight=False)
    for change in comparison.regressions:
        figure = change.row.measurement
        console.print(
            f"{_short(change.row)}, {figure.test}, {change.statistic}: {_number(change.before)} {figure.unit} before, "
            f"{_number(change.now)} now, {change.ratio:.2f} times worse (allowed: {comparison.tolerance:g})",
            style="red",
            highlight=False,
        )
    if not comparison.regressions:
        worst = comparison.changes[0]
        console.print(
            f"{len(comparison.changes)} figures compared, none more than {comparison.tolerance:g} times worse; the "
            f"largest change is {worst.ratio:.2f} ({worst.row.measurement.test}).",
            highlight=False,
        )


def check_plot(path: Path) -> None:
    """Make sure, before anything is measured, that a picture can be written.

    Raises:
        ValueError: the suffix is no format of pictures.
        ImportError: matplotlib is not installed.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in formats:
        raise ValueError(f"cannot draw '{path}': its suffix must be one of {', '.join(sorted(formats))}.")


def plot_rows(rows: Sequence[Row], path: Path) -> None:
    """Draw the step time by context, the suggestion time and, where it was measured, quality against it.

    Args:
        rows: of one or several runs.
        path: the picture; its suffix says its format.

    Raises:
        ValueError: the format is not known (see `check_plot`), or there is nothing to draw.
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    groups = _groups(rows)
    panels = [
        (draw, drawn)
        for draw, test in ((_draw_steps, "step at "), (_draw_suggestions, SUGGESTION), (_draw_quality, QUALITY))
        if (drawn := [group for group in groups if any(row.measurement.test.startswith(test) for row in group)])
    ]
    if not panels:
        raise ValueError("there is nothing to plot: the run has no step, suggestion or quality.")
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(5 * len(panels), 4), layout="constrained")
        for axes, (draw, drawn) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            draw(axes, drawn)
        figure.supxlabel("; ".join(dict.fromkeys(row.subject.machine for row in rows)), fontsize=7)
        figure.savefig(path, dpi=150)


def _draw_steps(axes: Any, groups: Iterable[Sequence[Row]]) -> None:
    for group in groups:
        figures = [row.measurement for row in group if row.measurement.test.startswith("step at ")]
        below = [one.median - one.q1 for one in figures]
        above = [one.q3 - one.median for one in figures]
        contexts, medians = [one.context for one in figures], [one.median for one in figures]
        axes.errorbar(contexts, medians, yerr=(below, above), marker="o", capsize=3, label=_short(group[0]))
    axes.set(xlabel="context (tokens)", ylabel="step (ms), median and quartiles", ylim=(0, None))
    axes.legend(frameon=False, fontsize=7)


def _draw_suggestions(axes: Any, groups: Iterable[Sequence[Row]]) -> None:
    for place, group in enumerate(groups):
        figure = _measurement(group, SUGGESTION)
        if figure is not None:
            axes.barh(place, figure.median, color=f"C{place % 10}")
            axes.plot([figure.p95], [place], "k|", markersize=14)
            axes.annotate(_short(group[0]), (0, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set(xlabel="suggestion (ms): bar to the median, mark at p95", yticks=[])
    axes.invert_yaxis()


def _draw_quality(axes: Any, groups: Iterable[Sequence[Row]]) -> None:
    name = ""
    for group in groups:
        figure = _measurement(group, SUGGESTION)
        quality = next((row.measurement for row in group if row.measurement.test.startswith(QUALITY)), None)
        if figure is not None and quality is not None:
            name = f"{quality.test.removeprefix(QUALITY)} ({quality.unit})"
            axes.plot([figure.median], [quality.median], "o", label=_short(group[0]))
    axes.set(xlabel="suggestion (ms), median", ylabel=name, xlim=(0, None))
    axes.legend(frameon=False, fontsize=7)


def _measurement(group: Sequence[Row], test: str) -> Any:
    return next((row.measurement for row in group if row.measurement.test == test), None)


def _groups(rows: Iterable[Row]) -> list[list[Row]]:
    groups: dict[Identity, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.configuration, []).append(row)
    return list(groups.values())


def _short(row: Row) -> str:
    one = row.subject
    return f"{one.model} {one.precision}, {one.provider}, threads {one.threads}, batch {one.batch}"


def _number(value: float | None) -> str:
    """Three digits that count, or whole from a hundred on."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _show_what_is_left_out(rows: Sequence[Row], console: Console) -> None:
    left_out: dict[str, list[str]] = {}
    for row in rows:
        tests = left_out.setdefault(row.measurement.leaves_out, [])
        if row.measurement.test not in tests:
            tests.append(row.measurement.test)
    for what, tests in left_out.items():
        if what:
            console.print(f"Left out of {', '.join(tests)}: {what}.", style="dim", highlight=False)
