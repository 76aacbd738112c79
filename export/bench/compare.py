"""Is this run worse than an earlier one?

Rows are matched by what was measured on which model and how it ran; the machine is not part of that, so that it can be
said when it differs. Medians are compared, and p95 where both have it: a tail can grow while the median stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from export.bench.rows import Row


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of two runs.

    Attributes:
        row: of this run.
        statistic: `median` or `p95`.
        before, now: its values.
        ratio: how many times worse it is now; below 1 is better.
    """

    row: Row
    statistic: str
    before: float
    now: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of an earlier run's figures.

    Attributes:
        changes: of the rows that both runs have, worst first.
        tolerance: the ratio beyond which a change is a regression.
        missing: rows of the earlier run that this one has not, and so says nothing about.
        machines: the earlier run's machines that are not this one's.
    """

    changes: tuple[Change, ...]
    tolerance: float
    missing: tuple[Row, ...]
    machines: tuple[str, ...]

    @property
    def regressions(self) -> tuple[Change, ...]:
        """What is worse by more than the tolerance."""
        return tuple(change for change in self.changes if change.ratio > self.tolerance)


def compare(baseline: Sequence[Row], rows: Sequence[Row], tolerance: float) -> Comparison:
    """Set this run's rows beside an earlier run's.

    Args:
        baseline: the earlier rows.
        rows: this run's.
        tolerance: how many times worse a figure may be, at least 1.

    Raises:
        ValueError: the tolerance is less than 1, or the runs have no row in common.
    """
    if tolerance < 1:
        raise ValueError(f"the tolerance is {tolerance:g}, but must be at least 1: it is a ratio to the baseline.")
    known = {row.identity: row for row in baseline}
    common = [(known[row.identity], row) for row in rows if row.identity in known]
    if not common:
        raise ValueError(
            "the baseline has no row in common with this run: it holds "
            f"{', '.join(sorted({_name(row) for row in baseline})) or 'nothing'}; this run has "
            f"{', '.join(sorted({_name(row) for row in rows})) or 'nothing'}. Measure the same bundles the same way."
        )
    changes = sorted((change for old, new in common for change in _changes(old, new)), key=lambda one: -one.ratio)
    measured = {row.identity for row in rows}
    missing = [row for row in baseline if row.identity not in measured]
    machines = {old.subject.machine for old, _ in common} - {new.subject.machine for _, new in common}
    return Comparison(tuple(changes), tolerance, tuple(missing), tuple(sorted(machines)))


def _changes(old: Row, new: Row) -> Iterator[Change]:
    for statistic in ("median", "p95"):
        before, now = getattr(old.measurement, statistic), getattr(new.measurement, statistic)
        if before is not None and now is not None:
            worse, base = (before, now) if new.measurement.better == "higher" else (now, before)
            yield Change(new, statistic, before, now, _ratio(worse, base))


def _ratio(worse: float, base: float) -> float:
    if base == 0:
        return 1.0 if worse == 0 else float("inf")
    return worse / base


def _name(row: Row) -> str:
    one = row.subject
    return f"{one.model} {one.precision} on {one.provider} with threads {one.threads}, batch {one.batch}"
