"""A measured figure as text: its value, and its interval where it has one. Shares are written in percent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_NO_SHARES = ("F1", "bits", "entropy", "groove", "overlap", "KL")


def write_figure(name: str, figure: Mapping[str, Any] | None, *, short: bool = False) -> str:
    """One figure; empty if there is none.

    Args:
        name: which one it is: it says whether it is a share.
        figure: its `value`, and `low` and `high`, which are None where it has no interval.
        short: leave out the interval, and the sign of percent.
    """
    if figure is None:
        return ""
    is_share = not any(word in name for word in _NO_SHARES)
    value, low, high = (
        "" if figure[end] is None else f"{100 * figure[end]:.1f}" if is_share else f"{figure[end]:.3f}"
        for end in ("value", "low", "high")
    )
    if short:
        return value
    return f"{value}{' %' if is_share else ''}" + (f" [{low}, {high}]" if low else "")


def markdown_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a Markdown table; all columns but the first are aligned to the right."""
    names = list(columns)
    return [_line(names), _line(["---", *("--:" for _ in names[1:])]), *map(_line, rows)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
