"""Does fine-tuning on a user's own tunes help with them, and does the model forget the rest?

    python -m benchmarks.finetune --data DATASET --out benchmarks/finetune.md

The stand-ins for a user are collections of folk songs that come with music21 but are in no training set of ours, for
they are free for research only: nothing that is learned here is kept. Of each, `--tunes` are taken, spread evenly;
`training.finetune` holds out a fifth by itself. The general test set is the test split of the dataset that the model
was trained on: a fixed sample of its windows, all genres in the shares of training.

Figures are bits a note, lower is better; `share` is how far from the old weights to the new. The line that is kept is
the least share with most of the gain on the tunes held out to choose by, which are not those of the column.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Annotated

import music21
import typer

from export.figures import markdown_table
from export.weights import checkpoint_of_bundle
from inference.bundle import find_bundle
from training.dataset.build import Dataset
from training.dataset.sampler import Batch, SamplerConfig
from training.finetune import CORPUS, SHARES_OF_NEW, FineTuned, OwnTunes, between, fine_tune
from training.models import LanguageModel
from training.models.checkpoint import Checkpoint, load_checkpoint
from training.trainer import MODEL
from training.validation import validate, validation_batches, whole_pieces

ESSEN = Path(music21.__file__).parent / "corpus" / "essenFolksong"
GENERAL_BATCHES = 8
ROWS = 8


def take_tunes(collection: str, count: int, folder: Path) -> None:
    """Write `count` tunes of a collection, spread evenly, into one file of a folder."""
    text = (ESSEN / f"{collection}.abc").read_text(encoding="utf-8", errors="replace")
    tunes = ["X:" + tune for tune in re.split(r"^X:", text, flags=re.MULTILINE)[1:]]
    count = min(count, len(tunes))
    chosen = [tunes[place * len(tunes) // count] for place in range(count)]
    (folder / f"{collection}.abc").write_text("\n".join(chosen), encoding="utf-8")


def general_sample(data: Path, block_size: int) -> list[Batch]:
    """A fixed sample of the test split of a dataset."""
    tables = list(Dataset.open(data).tables("test").values())
    return validation_batches(
        tables, SamplerConfig(), block_size=block_size, batch_size=ROWS, n_batches=GENERAL_BATCHES
    )


def bits(model: LanguageModel, batches: list[Batch]) -> float:
    """Bits a note on a sample."""
    return validate(model, batches, bf16=False)["all"].bits_per_note


def table(collection: str, done: FineTuned, run: Path, base: Checkpoint, general: list[Batch], minutes: float) -> str:
    """What came of one collection, as Markdown."""
    size = base.model.config.block_size
    own = whole_pieces(list(OwnTunes(run / "data", (CORPUS,)).tables("test").values()), block_size=size, batch_size=8)
    new = load_checkpoint(run / "run" / MODEL).model
    rows = []
    for share in SHARES_OF_NEW:
        model = between(base.model, new, share)
        kept = " (kept)" if share == done.share_of_new else ""
        rows.append([f"{share}{kept}", *(f"{bits(model, batches):.3f}" for batches in (own, general))])
    title = (
        f"### {collection}: {done.n_tunes[0]} tunes learned from, {done.n_tunes[1]} to choose by, {done.n_tunes[2]} "
        f"to report on; {minutes:.1f} minutes"
    )
    return "\n".join([title, "", *markdown_table(["share", "own tunes", "general"], rows), ""])


def main(
    data: Annotated[Path, typer.Option(help="the dataset whose test split is the general set")],
    bundle: Annotated[str, typer.Option(help="a bundle; the shipped one if not given")] = "",
    collection: Annotated[
        list[str] | None, typer.Option(help="a file of music21's essenFolksong, may be repeated; han1 and lux if none")
    ] = None,
    n: Annotated[int, typer.Option("--tunes", min=3, help="of each collection")] = 200,
    minutes: Annotated[float, typer.Option(help="most time for each collection")] = 10.0,
    threads: Annotated[int, typer.Option(min=0, help="of torch; 0 lets it choose")] = 0,
    out: Annotated[Path | None, typer.Option(help="write the tables there too")] = None,
) -> None:
    """Fine-tune on each collection and write the table."""
    base = checkpoint_of_bundle(find_bundle(bundle))
    general = general_sample(data, base.model.config.block_size)
    parts = []
    for each in collection or ("han1", "lux"):
        with tempfile.TemporaryDirectory() as name:
            tunes, run = Path(name) / "tunes", Path(name) / "run"
            tunes.mkdir()
            take_tunes(each, n, tunes)
            start = time.monotonic()
            done = fine_tune(base, tunes, run, minutes=minutes, n_threads=threads)
            spent = (time.monotonic() - start) / 60
            parts.append(table(each, done, run, base, general, spent))
            print(parts[-1], flush=True)
    if out is not None:
        out.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
