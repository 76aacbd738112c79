"""What does each architecture buy? The same music, the same minutes of training, the same number of weights.

Each architecture of the registry is trained with `ghostnote train` on the same dataset, with the same sampler, windows
of 512 tokens, learning rate and schedule, for the same processor time on the same threads; then exported in int8 and
asked for the next measures of held-out folk tunes through the real decode loop. What differs is in `DESIGNS`:
dimensions that come to about three million weights, and the rows of a step, of which recurrent networks take twice as
many, because alone a row leaves the processor waiting.

    python -m benchmarks.architectures DATASET --runs FOLDER --minutes 15

Steps are timed at the end, all architectures in turn, so that their ratios stand even on a busy machine. A run that
was interrupted goes on where it stood; an architecture that is done is not done again.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

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
    console,
    keep,
    kept,
    next_measures,
    report,
    trained,
)
from export.bench.measure import fitting_contexts, size_on_disk, steps
from export.bundle import export_bundle, parameter_count
from export.figures import markdown_table
from inference.bundle import load_bundle
from inference.engine import Engine
from training.dataset.build import Dataset
from training.models import MODELS

CONTEXTS = (128, 512)
ROUNDS = 5
"""Times that the steps of every architecture are timed, in turn."""
STEP_REPEATS = 4

DESIGNS: Mapping[str, Mapping[str, int]] = {
    "gru": {"n_layer": 2, "n_embd": 416, "batch_size": 16},
    "lstm": {"n_layer": 2, "n_embd": 368, "batch_size": 16},
    "lstm_heads": {"n_layer": 2, "n_embd": 392, "batch_size": 16},
    "gru_encoder_decoder": {"n_layer": 1, "n_embd": 368, "batch_size": 16},
    "gpt2": {"n_layer": 4, "n_embd": 256, "n_hidden": 768, "batch_size": 8},
    "music_transformer": {"n_layer": 4, "n_embd": 256, "n_hidden": 576, "batch_size": 8},
    "llama": {"n_layer": 4, "n_embd": 256, "n_kv_head": 2, "n_hidden": 640, "batch_size": 8},
}
"""Dimensions of each model, and rows of a training step."""


def settings_of(architecture: str, minutes: float) -> Settings:
    """The training configuration of an architecture."""
    design = dict(DESIGNS[architecture])
    training = {
        "minutes": minutes,
        "clock": "processor",
        "batch_size": design.pop("batch_size"),
        "learning_rate": 1.5e-3,
        "warmup": 0.02,
        "precision": "bf16",
        "checkpoint_minutes": 2,
        "validation_minutes": 10_000,
        "validation_batches": 1,
        "log_steps": 5,
    }
    return {"model": {"architecture": architecture, "block_size": BLOCK_SIZE, **design}, "training": training}


def measured(dataset: Dataset, folder: Path, settings: Settings, threads: int, measures: int) -> dict[str, Any]:
    """All figures of an architecture but the time of a step."""
    checkpoint = trained(dataset.folder, folder, settings, threads)
    bundle = folder / "bundle"
    shutil.rmtree(bundle, ignore_errors=True)
    parity = export_bundle(checkpoint, bundle, precision="int8", name=checkpoint.model.config.architecture)
    run = checkpoint.training
    return {
        "weights": parameter_count(checkpoint.model),
        "batch_size": run["config"]["training"]["batch_size"],
        "minutes": run["minutes"],
        "tokens": run["tokens"],
        "tokens_per_second": run["tokens"] / (60 * run["minutes"]),
        "bits_per_note": bits_per_note(dataset, checkpoint.model),
        "folk": next_measures(dataset, bundle, threads, measures),
        "megabytes": size_on_disk(bundle).median,
        "kl_divergence_int8": parity.kl_divergence,
    }


def step_times(bundles: Mapping[str, Path], threads: int) -> dict[str, dict[int, float]]:
    """Milliseconds of a step of one row by context, the median of rounds in which all take their turn."""
    engines = {name: Engine(load_bundle(path), "cpu", threads) for name, path in bundles.items()}
    contexts = fitting_contexts(CONTEXTS, BLOCK_SIZE)
    times: dict[str, dict[int, list[float]]] = {name: {each: [] for each in contexts} for name in engines}
    with Progress(console=console) as progress:
        for _ in progress.track(range(ROUNDS), description="steps"):
            for name, engine in engines.items():
                for context, figure in zip(contexts, steps(engine, contexts, 1, STEP_REPEATS), strict=True):
                    times[name][context].append(figure.median)
    return {
        name: {context: statistics.median(each) for context, each in found.items()} for name, found in times.items()
    }


def table(results: Mapping[str, Mapping[str, Any]], about: str) -> str:
    """The figures as Markdown, architectures by bits a note, then the best rule on the same measures."""
    by_bits = sorted(results.items(), key=lambda item: item[1]["bits_per_note"]["all"])
    contexts = [*by_bits[0][1]["step_ms"]]
    head = ["architecture", "weights", "rows", "tokens/s", "tokens", "bits a note, folk", "bits a note, all"]
    head += ["exact, folk", "F1, folk", *(f"step at {each}, ms" for each in contexts), "int8, MB"]
    rows = []
    for name, one in by_bits:
        bits, model = one["bits_per_note"], one["folk"]["model"]
        row = [name, f"{one['weights'] / 1e6:.2f} M", str(one["batch_size"]), f"{one['tokens_per_second']:,.0f}"]
        row += [f"{one['tokens'] / 1e6:.1f} M", f"{bits.get('folk', float('nan')):.3f}", f"{bits['all']:.3f}"]
        row += [f"{model['exact']:.1%}", f"{model['f1']:.3f}", *(f"{one['step_ms'][each]:.2f}" for each in contexts)]
        rows.append([*row, f"{one['megabytes']:.1f}"])
    folk = by_bits[0][1]["folk"]
    best = best_rule(folk)
    figures = [f"{folk[best]['exact']:.1%}", f"{folk[best]['f1']:.3f}"]
    rows.append([f"*{best}*", *[""] * (head.index("exact, folk") - 1), *figures, *[""] * (len(contexts) + 1)])
    return "\n".join(["# What does each architecture buy?", "", about, "", *markdown_table(head, rows), ""])


def _about(minutes: float, threads: int, measures: int) -> str:
    command = f"python -m benchmarks.architectures DATASET --runs FOLDER --minutes {minutes:g} --threads {threads}"
    command += f" --measures {measures}"
    text = (
        f"`{command}`: every architecture is trained on the same dataset with the same sampler for the same processor "
        "time, exported in int8 and asked for the next measures of held-out folk tunes. "
        f"{minutes:g} minutes each, {threads} thread(s), windows of {BLOCK_SIZE} tokens, bf16, not compiled; *rows* is "
        "the batch, and tokens/s are of those minutes. Bits a note are of the "
        f"network before export; {measures:,} measures are predicted. An int8 bundle has the matrices of attention and "
        "feed-forward layers and the output head in 8 bits; those of recurrent layers stay in float32, which makes "
        "these bundles larger. The last row is the best simple rule on the same measures."
    )
    return about(text)


def main(
    data: Data,
    runs: Runs,
    minutes: Annotated[float, typer.Option(min=0.01, help="processor time of training each")] = 15,
    threads: Threads = 1,
    measures: Measures = 600,
    only: Annotated[str, typer.Option(help="architectures, with commas; all by default")] = "",
    out: Out = None,
) -> None:
    """Train every architecture alike and compare what comes of it."""
    chosen = only.split(",") if only else sorted(MODELS)
    if unknown := sorted(set(chosen) - set(DESIGNS)):
        raise typer.BadParameter(f"no design for {', '.join(unknown)}; there are {', '.join(DESIGNS)}")
    results, dataset = {}, Dataset.open(data)
    for number, name in enumerate(chosen, start=1):
        console.rule(f"{name} ({number} of {len(chosen)})")
        run = settings_of(name, minutes)
        settings = {"run": run, "threads": threads, "measures": measures}
        results[name] = kept(runs / name, settings) or measured(dataset, runs / name, run, threads, measures)
        keep(runs / name, settings, results[name])
    for name, times in step_times({name: runs / name / "bundle" for name in chosen}, threads).items():
        results[name]["step_ms"] = times
    text = table(results, _about(minutes, threads, measures))
    report(runs, "architectures", results, text, out)


if __name__ == "__main__":
    typer.run(main)
