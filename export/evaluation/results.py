"""What predictors reached, over any choice of measures, and how sure that is.

Every figure is a ratio of sums over measures: exact measures over measures, bits over notes, notes hit over notes. So
one measure gives a numerator and a denominator to each figure, and any subset of measures has the figure as well.

Intervals are of the cluster bootstrap: the clusters of near doubles that the dataset was split by are drawn again, with
replacement, never single measures, because the measures of a tune and of its variants stand and fall together (Field
and Welsh 2007, Journal of the Royal Statistical Society B 69(3)). They are 95 %, by percentiles, from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 1000
CONFIDENCE = 0.95

Ratios = Mapping[str, tuple[float, float]]
"""Of each figure what one measure adds to its numerator and to its denominator."""


@dataclass(frozen=True)
class Row:
    """What one predictor did with one measure (or tune, or gap).

    Attributes:
        cluster: the cluster of near doubles that it is from.
        kinds: what kinds of measure it is, such as `novel`.
        ratios: what it adds to each figure.
    """

    cluster: str
    kinds: frozenset[str]
    ratios: Ratios


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        value: a share from 0 to 1, or in the unit that its name says.
        low, high: the ends of its interval; None where it has none.
        n, n_clusters: over how many rows and clusters it was counted.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    n_clusters: int


@dataclass
class Result:
    """The rows of one predictor."""

    rows: list[Row] = field(default_factory=list)

    def add(self, cluster: str, kinds: Iterable[str], ratios: Ratios) -> None:
        """Count a measure."""
        self.rows.append(Row(cluster, frozenset(kinds), ratios))

    @property
    def kinds(self) -> list[str]:
        """The kinds of measure there are, `all` first."""
        return ["all", *sorted({kind for row in self.rows for kind in row.kinds})]

    def of(self, kind: str) -> list[Row]:
        """The rows of a kind."""
        return self.rows if kind == "all" else [row for row in self.rows if kind in row.kinds]

    def figures(self, kind: str = "all") -> dict[str, Figure]:
        """Every figure that the rows of a kind have, in the order in which they were first counted."""
        rows = self.of(kind)
        names = dict.fromkeys(name for row in rows for name in row.ratios)
        return {name: figure for name in names if (figure := _figure(rows, name)) is not None}

    def value(self, name: str, kind: str = "all") -> float:
        """One figure without its interval; nan if nothing counts for it."""
        pairs = [row.ratios[name] for row in self.of(kind) if name in row.ratios]
        below = sum(pair[1] for pair in pairs)
        return sum(pair[0] for pair in pairs) / below if below else float("nan")

    def by_kind(self) -> dict[str, dict[str, Figure]]:
        """Every figure of every kind."""
        return {kind: self.figures(kind) for kind in self.kinds}


def _figure(rows: Iterable[Row], name: str) -> Figure | None:
    """A figure over rows with its interval; None if its denominator is 0."""
    sums: dict[str, list[float]] = {}
    n = 0
    for row in rows:
        if (pair := row.ratios.get(name)) is not None:
            total = sums.setdefault(row.cluster, [0.0, 0.0])
            total[0] += pair[0]
            total[1] += pair[1]
            n += 1
    clusters = np.array(list(sums.values())).reshape(-1, 2)
    above, below = clusters.sum(0)
    if below == 0:
        return None
    low, high = bootstrap(clusters)
    return Figure(float(above / below), low, high, n, len(clusters))


def bootstrap(clusters: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """The interval of a ratio of sums.

    Args:
        clusters: shape (C, 2): numerator and denominator of each cluster.
        seed: of the drawing.

    Returns:
        Its ends; both are the value itself where there is one cluster only, which says nothing of others.
    """
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(clusters), np.full(len(clusters), 1 / len(clusters)), size=N_RESAMPLES)
    sums = drawn @ clusters  # (N_RESAMPLES, 2)
    ratios = sums[sums[:, 1] > 0]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(ratios[:, 0] / ratios[:, 1], (tail, 1 - tail))
    return float(low), float(high)
