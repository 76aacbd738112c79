"""Short training runs that are compared with one another: begun, gone on with after an interruption, and measured.

A run is `ghostnote train` in a folder of its own, for so many steps or minutes of processor time, so that runs can be
compared on a machine that has other things to do. What was measured of it is kept beside it and not measured again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from torch import nn

from benchmarks.page import publish
from export.bench.machine import describe_machine, describe_versions
from export.evaluation import ModelPredictor, evaluate
from inference.bundle import load_bundle
from inference.engine import Engine
from training.dataset.build import Dataset
from training.dataset.sampler import SamplerConfig
from training.models.checkpoint import Checkpoint, load_checkpoint
from training.validation import validate, validation_batches

BLOCK_SIZE = 512
"""Tokens of a window, of training and of validation."""
N_VALIDATION_BATCHES = 40
VALIDATION_ROWS = 8

Settings = Mapping[str, Mapping[str, Any]]
"""Table -> setting -> value, as in a configuration file."""

Data = Annotated[Path, typer.Argument(help="a dataset folder, made by `ghostnote corpus build`")]
Runs = Annotated[Path, typer.Option(help="where runs, bundles and figures go")]
Threads = Annotated[int, typer.Option(min=1, help="threads of training and of the model")]
Measures = Annotated[int, typer.Option(min=1, help="folk measures to predict")]

console = Console(stderr=True)


def about(text: str) -> str:
    """What a table is of, in lines, with the machine and the versions."""
    return fill(text, 118, break_on_hyphens=False) + f"\n\n{describe_machine()}; {describe_versions()}."


def report(runs: Path, name: str, results: Mapping[str, Any], text: str, out: Path | None) -> None:
    """Keep the figures beside the runs, and publish the table."""
    (runs / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    publish(text, out)


def toml(settings: Settings) -> str:
    """Settings as a configuration file; a value may be a mapping of plain values."""
    lines = []
    for name, table in settings.items():
        lines += [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items()), ""]
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {json.dumps(each)}' for key, each in value.items())} }}"
    return json.dumps(value)


def changed(settings: Settings, change: Settings) -> Settings:
    """Settings with some of them replaced."""
    return {name: {**settings.get(name, {}), **change.get(name, {})} for name in {**settings, **change}}


def trained(dataset: Path, folder: Path, settings: Settings, threads: int) -> Checkpoint:
    """The model of a run of the minutes, or else steps, of `settings["training"]`; a run that is not done goes on.

    Raises:
        typer.Exit: the training failed; it has said why.
    """
    model, config = folder / "run" / "model.pt", folder / "config.toml"
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(toml(settings), encoding="utf-8")
    budget = "minutes" if "minutes" in settings["training"] else "steps"
    if not model.exists() or load_checkpoint(model).training[budget] < settings["training"][budget]:
        command = [sys.executable, "-m", "lsp_server", "train", "--data", dataset, "--out", folder / "run"]
        command += ["--config", config, "--threads", threads]
        if (folder / "run" / "last.ckpt").exists():
            command.append("--resume")
        done = subprocess.run([str(each) for each in command], check=False)
        if done.returncode:
            raise typer.Exit(done.returncode)
    return load_checkpoint(model)


def bits_per_note(dataset: Dataset, model: nn.Module, split: str = "valid") -> dict[str, float]:
    """By genre and `all`, on a sample of a split that is the same for every model."""
    batches = validation_batches(
        list(dataset.tables(split).values()),
        SamplerConfig(),
        block_size=BLOCK_SIZE,
        batch_size=VALIDATION_ROWS,
        n_batches=N_VALIDATION_BATCHES,
    )
    found = validate(model, batches, bf16=False)
    return {genre: quality.bits_per_note for genre, quality in found.items()}


def next_measures(dataset: Dataset, bundle: Path, threads: int, measures: int) -> dict[str, dict[str, float]]:
    """Exact and F1 on folk tunes of the test split, of the model and of the rules beside it."""
    predictor = ModelPredictor(Engine(load_bundle(bundle), "cpu", threads))
    with Progress(console=console) as progress:
        task = progress.add_task("next measures", total=measures)
        results = evaluate(
            dataset,
            {"model": predictor},
            limit=measures,
            progress=lambda done: progress.update(task, completed=done),
        )
    return {
        name: {"exact": result.value("exact"), "f1": result.value("F1"), "n": len(result.rows)}
        for name, result in results.items()
    }


def best_rule(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Of the rules beside the model in what `next_measures` found, the one that is most often exact."""
    return max((name for name in figures if name != "model"), key=lambda name: figures[name]["exact"])


def kept(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figures of an earlier run of a benchmark, if it is done.

    Raises:
        typer.BadParameter: it was set to something else.
    """
    file = folder / "figures.json"
    if not file.exists():
        return None
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if content["settings"] != settings:
        raise typer.BadParameter(f"{file} was made with other settings: choose another --runs, or remove {folder}")
    found: dict[str, Any] = content["figures"]
    return found


def keep(folder: Path, settings: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """Write down what was measured with which settings."""
    (folder / "figures.json").write_text(json.dumps({"settings": settings, "figures": figures}), encoding="utf-8")
