"""What is a figure of the benchmark?

A row says what was measured (test, unit), on what (model, precision, provider, threads, batch, machine, versions), how
it spread (median, quartiles and, where tails matter, p95 and p99) and what the timing leaves out. In JSON and CSV each
row is whole by itself, so that rows of several runs can be put in one table.

Units: as the row says; `better` says which way is better.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

SCHEMA_VERSION = 1

Better: TypeAlias = Literal["lower", "higher"]
Identity: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure.

    Attributes:
        test: what was measured; unique within a configuration.
        unit: `ms`, `tokens/s`, `measures/s`, `MB` (10^6 bytes), `%`, or `ratio`.
        better: which way is better.
        n: how many samples.
        median, q1, q3: of the samples.
        p95, p99: their tail; None where it says nothing.
        context: how many tokens the model had read; None where that is not what varies.
        leaves_out: what the figure does not contain.
    """

    test: str
    unit: str
    better: Better
    n: int
    median: float
    q1: float
    q3: float
    p95: float | None = None
    p99: float | None = None
    context: int | None = None
    leaves_out: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured: a bundle, how it ran, and on what.

    Attributes:
        model: the bundle's name.
        architecture, parameters, precision: see the bundle's manifest.
        provider: what ran it, `cpu` or `cuda`.
        threads: within an operator.
        batch: rows side by side: candidates of a suggestion.
        machine, versions: for people.
    """

    model: str
    architecture: str
    parameters: int
    precision: str
    provider: str
    threads: int
    batch: int
    machine: str
    versions: str


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with what it is a figure of."""

    subject: Subject
    measurement: Measurement

    @property
    def configuration(self) -> Identity:
        """The same for all rows that were measured the same way on the same model."""
        one = self.subject
        return (one.model, str(one.parameters), one.precision, one.provider, str(one.threads), str(one.batch))

    @property
    def identity(self) -> Identity:
        """The same for the same test of two runs, whatever the machine."""
        return (*self.configuration, self.measurement.test)

    def as_dict(self) -> dict[str, Any]:
        """One flat object."""
        return {**asdict(self.subject), **asdict(self.measurement)}


def summarise(
    test: str,
    unit: str,
    samples: Sequence[float],
    *,
    better: Better = "lower",
    tail: bool = False,
    context: int | None = None,
    leaves_out: str = "",
) -> Measurement:
    """A figure of its samples; with `tail`, p95 and p99 too.

    Raises:
        ValueError: there are no samples.
    """
    import numpy as np

    if not samples:
        raise ValueError(f"no samples of '{test}': a figure needs at least one.")
    q1, median, q3, p95, p99 = (float(each) for each in np.percentile(samples, (25, 50, 75, 95, 99)))
    return Measurement(
        test=test,
        unit=unit,
        better=better,
        n=len(samples),
        median=median,
        q1=q1,
        q3=q3,
        p95=p95 if tail else None,
        p99=p99 if tail else None,
        context=context,
        leaves_out=leaves_out,
    )


def to_json(rows: Iterable[Row]) -> str:
    """One JSON object that holds the rows."""
    return json.dumps({"schema_version": SCHEMA_VERSION, "rows": [row.as_dict() for row in rows]}, indent=1)


def to_csv(rows: Iterable[Row]) -> str:
    """The rows with a line of names before them; what a row has not is empty."""
    out = io.StringIO()
    names = [field.name for kind in (Subject, Measurement) for field in fields(kind)]
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.as_dict() for row in rows)
    return out.getvalue()


def read_json(path: Path) -> list[Row]:
    """The rows of an earlier run.

    Raises:
        ValueError: the file is not what `to_json` writes.
        OSError: it cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"it has schema version {content['schema_version']!r}, this build reads {SCHEMA_VERSION}")
        return [row_of(each) for each in content["rows"]]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"cannot read {path}: it is not what `ghostnote bench --json` writes ({error}). Measure it again."
        ) from error


def row_of(raw: dict[str, Any]) -> Row:
    """A row of the flat object that `Row.as_dict` gives.

    Raises:
        KeyError: something is missing.
        TypeError: the median is not a number.
    """
    subject = Subject(**{field.name: raw[field.name] for field in fields(Subject)})
    measurement = Measurement(**{field.name: raw[field.name] for field in fields(Measurement)})
    if not isinstance(measurement.median, int | float):
        raise TypeError(f"the median of '{measurement.test}' is {measurement.median!r}, not a number")
    return Row(subject, measurement)
