"""Does a model copy its training data?

How often do four, and eight, measures in a row that a model wrote stand verbatim in the training split? Whether that is
much is told by the real pieces of the test split: tunes share phrases with each other, so some of theirs stand there
too. Measures are compared as tokens, which count pitch from the key: a copy in another key is found. A run counts if a
measure of it has three notes or more and it is not one measure over and over; a run that the model repeats from what
was there before the cursor is counted as well, apart (`from the piece itself`), for it is the composer's own.

From places in the middle of test pieces of one voice a model writes `--measures` measures, the likeliest ones
(temperature 0) and drawn ones (1.0, `--draws` times). Beside it the real measures that follow at the same places, and
those of a 6-gram model, which knows nothing but the training data, drawn as often.

    python -m benchmarks.copying --data DATASET --bundle BUNDLE --out benchmarks/copying.md --into figures.json

`--into` adds the figures to a file that `ghostnote evaluate --out` wrote, for the model card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, product
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import Progress, track

from export.evaluation.continuation import continuation_gaps
from export.evaluation.infill import Filler, Gap, fill_with_model, grammar_of
from export.evaluation.predictors import NGRAM, learn, load_engine
from export.evaluation.tasks import FIRST_MEASURE, Content, parts_of
from export.figures import markdown_table
from notation.tokens import vocabulary as v
from training.dataset.build import Dataset

LENGTHS = (4, 8)
MIN_NOTES = 3
REAL = "real pieces of the test split"
Index = Mapping[int, frozenset[int]]
"""Of each run length the hashes of the runs of the training split."""


@dataclass
class Count:
    """Runs of one length.

    Attributes:
        runs: how many were looked at.
        copied: of those, how many stand in the training split.
        own: of the copied, how many stand before the cursor in the piece itself too.
    """

    runs: int = 0
    copied: int = 0
    own: int = 0

    @property
    def share(self) -> float:
        """Copied runs that are not the composer's own, of all."""
        return (self.copied - self.own) / self.runs if self.runs else 0.0


def index_of(dataset: Dataset, genre: str) -> Index:
    """The runs of every part of a genre in the training split."""
    found: dict[int, set[int]] = {length: set() for length in LENGTHS}
    for part in track(parts_of(dataset, "train", genre), "reading the training split", transient=True):
        contents = part.contents()
        for length in LENGTHS:
            found[length].update(map(hash, runs(contents, length)))
    return {length: frozenset(hashes) for length, hashes in found.items()}


def runs(contents: Sequence[Content], length: int) -> Iterator[tuple[Content, ...]]:
    """The runs of measures that count."""
    for start in range(len(contents) - length + 1):
        run = tuple(contents[start : start + length])
        if len(set(run)) > 1 and max(map(n_notes, run)) >= MIN_NOTES:
            yield run


def n_notes(content: Content) -> int:
    """Noteheads of a measure."""
    return sum(token in v.NOTEHEADS for _, ids in content for token in ids)


def count_copies(
    index: Index, gaps: Sequence[Gap], fillers: Sequence[Filler], tell: Callable[[], None]
) -> dict[int, Count]:
    """How many runs of what is written stand in the training split, by length; every filler writes at every place."""
    counts = {length: Count() for length in LENGTHS}
    for gap, fill in product(gaps, fillers):
        written = fill(gap)
        for length, count in counts.items():
            own = set(runs(gap.history, length))
            for run in runs(written, length):
                copied = hash(run) in index[length]
                count.runs += 1
                count.copied += copied
                count.own += copied and run in own
        tell()
    return counts


def table(found: Mapping[str, Mapping[int, Count]]) -> str:
    """The results as Markdown."""
    columns = chain.from_iterable(
        (f"{length} measures: runs", "in the training split", "of these from the piece itself") for length in LENGTHS
    )
    rows = [[name, *chain.from_iterable(map(_cells, counts.values()))] for name, counts in found.items()]
    return "\n".join(markdown_table(["written by", *columns], rows)) + "\n"


def _cells(one: Count) -> tuple[str, str, str]:
    return f"{one.runs:,}", f"{one.copied:,} ({one.copied / max(1, one.runs):.2%})", f"{one.own:,}"


def main(
    data: Annotated[Path, typer.Option(help="the dataset that the model was trained on")],
    bundle: Annotated[str, typer.Option(help="the model: a bundle's folder or name")],
    genre: str = "folk",
    pieces: Annotated[int, typer.Option(help="most pieces of the test split; 0 for all")] = 0,
    measures: Annotated[int, typer.Option(help="how many are written at each place")] = 16,
    draws: Annotated[int, typer.Option(min=1, help="how often measures are drawn at each place")] = 8,
    seed: int = 0,
    out: Annotated[Path | None, typer.Option(help="write the table to this Markdown file")] = None,
    into: Annotated[Path | None, typer.Option(help="add the figures to this report of ghostnote evaluate")] = None,
) -> None:
    """Count how often written measures stand in the training split."""
    dataset = Dataset.open(data)
    loaded = load_engine(bundle)
    assert loaded is not None  # a bundle was given
    name, engine = loaded
    index = index_of(dataset, genre)
    gaps = continuation_gaps(dataset, "test", genre, pieces or None, seed, measures)
    if not gaps:
        raise typer.BadParameter(
            f"no piece of genre '{genre}' in the test split has {FIRST_MEASURE + measures} measures"
        )
    ngram, random = learn(dataset, genre).ngram, np.random.default_rng(seed)
    writers: dict[str, list[Filler]] = {
        REAL: [lambda gap: gap.truth],
        f"{name}, likeliest": [fill_with_model(engine)],
        f"{name}, drawn": [fill_with_model(engine, 1, seed + draw) for draw in range(draws)],
        f"{NGRAM}, drawn": [lambda gap: ngram.write(gap.history, grammar_of(gap), gap.n, random)] * draws,
    }
    with Progress(transient=True) as bar:
        doing = bar.add_task("writing", total=len(gaps) * sum(map(len, writers.values())))
        found = {
            writer: count_copies(index, gaps, fillers, lambda: bar.advance(doing))
            for writer, fillers in writers.items()
        }
    where = f"{measures} measures from the middle of each, drawn ones {draws} times"
    title = f"## {genre}: {len(gaps)} pieces of the test split, {where}, seed {seed}"
    text = f"{title}\n\n{table(found)}"
    typer.echo(text)
    if out is not None:
        intro = (__doc__ or "").split("\n    python")[0].strip()
        out.write_text(f"# {intro}\n\n{text}", encoding="utf-8")
    if into is not None:
        report = json.loads(into.read_text(encoding="utf-8"))
        report.setdefault("copying", {})[genre] = {
            writer: {str(length): asdict(count) | {"share": count.share} for length, count in counts.items()}
            for writer, counts in found.items()
        }
        into.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
