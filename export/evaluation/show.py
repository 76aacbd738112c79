"""Tables, Markdown and plots of a report, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions
from rich.table import Table

from export.bench.show import check_plot
from export.figures import markdown_table, write_figure

__all__ = ["check_plot", "markdown", "plot", "show"]

_KINDS = ("all", "repeated", "novel")
_PANELS = (("exact", "all"), ("exact in 5", "all"), ("F1", "all"), ("F1", "novel"), ("bits a note", "all"))
_HEADER_WIDTH = 8
_LEAST_NAME = 12
_TIGHT: Mapping[str, Any] = {"padding": 0, "show_edge": False}
_ERROR_BARS = {"elinewidth": 0.7, "ecolor": "grey"}

Rows = list[list[str]]


def table_of(predictors: Mapping[str, Any], kind: str, *, intervals: bool) -> tuple[list[str], Rows]:
    """One kind of measure: the columns, and a row a predictor."""
    having = {name: kinds[kind] for name, kinds in predictors.items() if kinds.get(kind)}
    names = list(dict.fromkeys(name for figures in having.values() for name in figures))
    rows = [
        [predictor, *(write_figure(name, figures.get(name), short=not intervals) for name in names)]
        for predictor, figures in having.items()
    ]
    return ["predictor", *names], rows


def kinds_table(predictors: Mapping[str, Any], predictor: str, *, intervals: bool) -> tuple[list[str], Rows]:
    """One predictor: the columns, and a row a kind of measure, with how many there are."""
    kinds = {kind: figures for kind, figures in predictors[predictor].items() if figures}
    names = [name for name in ("exact", "exact in 5", "F1", "bits a note", "writable") if name in kinds["all"]]
    rows = [
        [
            kind,
            f"{figures['exact']['n']:,}",
            *(write_figure(name, figures.get(name), short=not intervals) for name in names),
        ]
        for kind, figures in kinds.items()
    ]
    return ["kind", "measures", *names], rows


def show(report: Mapping[str, Any], console: Console) -> None:
    """Print a report, with intervals if the terminal is wide enough for them."""
    wide = _rich_tables(report, intervals=True)
    if all(table.__rich_measure__(console, _unlimited(console)).maximum <= console.width for table in wide):
        console.print(*wide, sep="\n")
        return
    console.print(*_rich_tables(report, intervals=False), sep="\n")
    console.print("Shares are in percent. All have 95 % intervals: see --markdown, --json, or a wider terminal.")


def _unlimited(console: Console) -> ConsoleOptions:
    return console.options.update(max_width=10_000)


def _rich_tables(report: Mapping[str, Any], *, intervals: bool) -> list[Table]:
    found = []
    for title, columns, rows in _tables(report, intervals=intervals):
        table = Table(title=f"\n{title}", title_justify="left", box=box.SIMPLE_HEAD, **_TIGHT)
        table.add_column(columns[0], min_width=_LEAST_NAME, vertical="bottom")
        for column in columns[1:]:
            table.add_column("\n".join(wrap(column, _HEADER_WIDTH)), justify="right", vertical="bottom", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        found.append(table)
    return found


def markdown(report: Mapping[str, Any]) -> str:
    """A report as Markdown tables."""
    lines: list[str] = []
    for title, columns, rows in _tables(report, intervals=True):
        lines += [f"### {title}", "", *markdown_table(columns, rows), ""]
    return "\n".join(lines)


def _tables(report: Mapping[str, Any], *, intervals: bool) -> list[tuple[str, list[str], Rows]]:
    """Title, columns and rows of every table."""
    found = []
    for test, genres in report["tests"].items():
        for genre, predictors in genres.items():
            for kind in _KINDS:
                columns, rows = table_of(predictors, kind, intervals=intervals)
                if rows:
                    n = next(iter(next(iter(predictors.values()))[kind].values()))
                    title = f"{genre}, {test}: {kind} ({n['n']:,}, of {n['n_clusters']:,} clusters)"
                    found.append((title, columns, rows))
            model = report["model"]
            if test == "next measure" and model in predictors:
                columns, rows = kinds_table(predictors, model, intervals=intervals)
                found.append((f"{genre}, {test}: {model} by kind of measure", columns, rows))
    return found


def plot(report: Mapping[str, Any], path: Path) -> None:
    """Draw exact measures, F1 and, where known, bits a note, by genre and predictor, with intervals.

    Args:
        report: with the test `next measure`.
        path: the picture; its suffix says its format.

    Raises:
        ValueError: the format is not known (see `check_plot`), or there is nothing to draw.
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    genres = report["tests"].get("next measure")
    if not genres:
        raise ValueError("there is nothing to plot: the report has no 'next measure'.")
    panels = [
        (figure, kind)
        for figure, kind in _PANELS
        if any(figure in kinds.get(kind, {}) for predictors in genres.values() for kinds in predictors.values())
    ]
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        drawing = Figure(figsize=(9, 2.6 * len(panels) + 0.6), layout="constrained")
        axes = drawing.subplots(len(panels), 1, squeeze=False)[:, 0]
        for each, (figure, kind) in zip(axes, panels, strict=True):
            _draw(each, genres, figure, kind)
        handles, labels = axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
        drawing.savefig(path, dpi=150)


def _draw(axes: Any, genres: Mapping[str, Any], figure: str, kind: str) -> None:
    predictors = _without_hidden(genres)
    width = 0.8 / len(predictors)
    for place, predictor in enumerate(predictors):
        found = [genres[genre].get(predictor, {}).get(kind, {}).get(figure) for genre in genres]
        at = [index + (place - (len(predictors) - 1) / 2) * width for index, one in enumerate(found) if one]
        values = [one["value"] for one in found if one]
        ends = [[abs(one["value"] - one[end]) for one in found if one] for end in ("low", "high")]
        color = "black" if place == len(predictors) - 1 else f"C{place}"
        axes.bar(at, values, width, yerr=ends, label=predictor, color=color, error_kw=_ERROR_BARS)
    axes.set(
        ylabel=f"{figure}, {kind}", xticks=range(len(genres)), xticklabels=list(genres), xlim=(-0.5, len(genres) - 0.5)
    )


def _without_hidden(genres: Mapping[str, Any]) -> Sequence[str]:
    """The predictors that every genre has."""
    named = [list(predictors) for predictors in genres.values()]
    return [name for name in named[0] if all(name in others for others in named)]
