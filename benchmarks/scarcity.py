"""What makes little music go far? A small network on a tenth of the training pieces, one change at a time.

The release learns a few hundred thousand folk notes many times over. To see in minutes what that regime rewards, all
is made smaller here: every tenth training piece of each corpus (the dataset's validation and test splits stay whole),
and a network of a third of the weights. Each run has the same steps; what differs from the recipe is in `changes`, and
`DATA` gives the recipe more of the pieces instead. Schemes of tokens (pitch from the key, references) have a table of
their own: `benchmarks.schemes`.

    python -m benchmarks.scarcity DATASET --runs FOLDER --steps 400

A run that was interrupted goes on where it stood; one that is done is not done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from benchmarks.page import Out
from benchmarks.runs import (
    BLOCK_SIZE,
    Data,
    Measures,
    Runs,
    Settings,
    Threads,
    about,
    best_rule,
    bits_per_note,
    changed,
    console,
    keep,
    kept,
    next_measures,
    report,
    trained,
)
from export.bundle import export_bundle, parameter_count
from export.figures import markdown_table
from training.dataset.build import Dataset
from training.dataset.tables import select_pieces
from training.models import LanguageModel
from training.models.checkpoint import load_checkpoint

EVERY = 10
"""Of so many training pieces, one is learned from."""

RECIPE = "the recipe"
SECOND = "another seed"
DATA: Mapping[str, int] = {"three times the pieces": 3, "all the pieces": 1}
"""The recipe with one training piece of so many."""


def changes(steps: int) -> Mapping[str, Settings]:
    """What each run changes of the recipe."""
    folk = {"shares": {"folk": 1.0}}
    return {
        RECIPE: {},
        SECOND: {"training": {"seed": 1}},
        "folk tunes alone": {"sampler": folk},
        "folk tunes alone, stopped early": {"sampler": folk, "training": {"steps": steps // 3}},
        "no transposition": {"sampler": {"transpose": 0.0}},
        "no infilling": {"sampler": {"infill": 0.0}},
        "durations doubled or halved in a quarter": {"sampler": {"scale_rhythm": 0.25}},
        "dropout 0.1": {"model": {"dropout": 0.1}},
        "Muon": {"training": {"optimizer": "muon", "learning_rate": 8e-3, "weight_decay": 0.03}},
        "twice the width": {"model": {"n_embd": 256}},
    }


def settings_of(steps: int) -> Settings:
    """The recipe: that of the release, for a network of half its width."""
    return {
        "model": {
            "architecture": "llama",
            "n_layer": 4,
            "n_head": 4,
            "n_kv_head": 2,
            "n_embd": 128,
            "block_size": BLOCK_SIZE,
        },
        "sampler": {},
        "training": {
            "steps": steps,
            "batch_size": 8,
            "learning_rate": 1.5e-3,
            "precision": "bf16",
            "checkpoint_minutes": 2,
        },
    }


def thinned(dataset: Dataset, folder: Path, every: int) -> Dataset:
    """The dataset with one training piece of `every`, the first of each run of them, in another folder."""
    shutil.copytree(dataset.folder, folder, ignore=shutil.ignore_patterns("shards"), dirs_exist_ok=True)
    for corpus, tables in dataset.tables("train").items():
        select_pieces(tables, range(0, len(tables.pieces), every)).save(folder / "tables" / corpus / "train")
    return Dataset.open(folder)


class Ensemble(nn.Module):
    """Networks that vote: the mean of their probabilities."""

    def __init__(self, networks: list[LanguageModel]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64 -> log-probabilities (B, T, V), up to a constant."""
        return torch.stack([network(token_ids).log_softmax(-1) for network in self.networks]).logsumexp(0)


def measured(
    whole: Dataset, learned: Dataset, folder: Path, settings: Settings, threads: int, measures: int
) -> dict[str, Any]:
    """All figures of a run on `learned`; it is asked about the splits of `whole`."""
    checkpoint = trained(learned.folder, folder, settings, threads)
    bundle = folder / "bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    export_bundle(checkpoint, bundle, precision="int8", name="scarcity")
    return {
        "weights": parameter_count(checkpoint.model),
        "tokens": checkpoint.training["tokens"],
        "train": bits_per_note(learned, checkpoint.model, "train"),
        "valid": bits_per_note(whole, checkpoint.model),
        "folk": next_measures(whole, bundle, threads, measures),
    }


def table(results: Mapping[str, Mapping[str, Any]], about: str) -> str:
    """Markdown, in the order of the runs, then the best rule on the same measures."""
    head = ["run", "weights", "tokens", "folk, learned from", "folk, held out", "all, held out", "exact, folk", "F1"]
    rows = []
    for name, one in results.items():
        row = [name, f"{one['weights'] / 1e6:.2f} M", f"{one['tokens'] / 1e6:.1f} M"]
        row += [f"{one['train'].get('folk', float('nan')):.3f}", f"{one['valid']['folk']:.3f}"]
        row.append(f"{one['valid']['all']:.3f}")
        model = one["folk"].get("model")
        rows.append([*row, f"{model['exact']:.1%}", f"{model['f1']:.3f}"] if model else [*row, "", ""])
    folk = results[RECIPE]["folk"]
    best = best_rule(folk)
    rows.append([f"*{best}*", *[""] * 5, f"{folk[best]['exact']:.1%}", f"{folk[best]['f1']:.3f}"])
    return "\n".join(["# What makes little music go far?", "", about, "", *markdown_table(head, rows), ""])


def _about(steps: int, threads: int, measures: int) -> str:
    text = (
        f"`python -m benchmarks.scarcity DATASET --runs FOLDER --steps {steps} --threads {threads} --measures "
        f"{measures}`: one training piece of {EVERY}, a llama of 4 layers of 128, {steps} steps of 8 rows "
        "each; the validation split whole. Every run is the recipe but for what it is named after. Columns of bits a "
        "note: of folk tunes it learned from, of folk tunes and of all pieces held out. *Exact* and *F1* are of "
        f"{measures:,} next measures of folk test tunes, by the int8 bundle. *{SECOND}* is the recipe once more: so "
        "far apart are rows by chance."
    )
    return about(text)


def main(
    data: Data,
    runs: Runs,
    steps: Annotated[int, typer.Option(min=3, help="of training, each of 8 rows of 512 tokens")] = 400,
    threads: Threads = 1,
    measures: Measures = 400,
    out: Out = None,
) -> None:
    """Train a small network on little music in many ways, and compare what comes of it."""
    whole, base = Dataset.open(data), settings_of(steps)
    planned = [(name, EVERY, changed(base, change)) for name, change in changes(steps).items()]
    planned += [(name, every, base) for name, every in DATA.items()]
    learned = {every: thinned(whole, runs / f"one-of-{every}", every) for every in {EVERY, *DATA.values()}}
    results: dict[str, dict[str, Any]] = {}
    for number, (name, every, run) in enumerate(planned, start=1):
        console.rule(f"{name} ({number} of {len(planned)})")
        folder = runs / name.replace(" ", "-")
        settings = {"run": run, "every": every, "threads": threads, "measures": measures}
        results[name] = kept(folder, settings) or measured(whole, learned[every], folder, run, threads, measures)
        keep(folder, settings, results[name])
    seeds = [load_checkpoint(runs / name.replace(" ", "-") / "run" / "model.pt").model for name in (RECIPE, SECOND)]
    both = Ensemble(seeds)
    results["both seeds together"] = {
        "weights": 2 * results[RECIPE]["weights"],
        "tokens": 2 * results[RECIPE]["tokens"],
        "train": bits_per_note(learned[EVERY], both, "train"),
        "valid": bits_per_note(whole, both),
        "folk": {},
    }
    text = table(results, _about(steps, threads, measures))
    report(runs, "scarcity", results, text, out)


if __name__ == "__main__":
    typer.run(main)
