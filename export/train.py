"""The verb `train`: a model from a dataset, from the beginning or from an earlier model on, or a bundle fitted to one's
own tunes.

It stands above `training` because fine-tuning begins and ends with a bundle. Under torchrun it is started once for each
process: `torchrun --nproc-per-node 4 --no-python ghostnote train ...`.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from inference.bundle import find_bundle, user_bundles
from inference.errors import GhostnoteError
from training.exits import user_errors

if TYPE_CHECKING:
    from training.finetune import FineTuned
    from training.models.checkpoint import Checkpoint


def train(
    folder: Annotated[
        Path | None, typer.Argument(exists=True, file_okay=False, help="With --from: your own scores, at any depth.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="A dataset folder, made by `corpus build`.")] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--from", help="Begin with this bundle (folder or name) or checkpoint (.pt); without --data on FOLDER."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder of the run; with --from of the new bundle, by default a user's one.")
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="A configuration of this package, or a TOML file; `small` if not given.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="How long; with --from 10 if not given.")] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads of torch; 0 lets it choose.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Instead of the configuration's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")] = False,
    wandb: Annotated[bool, typer.Option("--wandb", help="Log to Weights & Biases too (WANDB_MODE=offline).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Train a model on a dataset; or, with --from and no dataset, fit a model to a folder of your own scores."""
    import logging

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    with user_errors(GhostnoteError):
        if base is None or data is not None:
            if data is None or out is None or folder is not None:
                raise ValueError(
                    "name a dataset and a folder for the run (--data, --out), or a model (--from) and FOLDER."
                )
            said = _train(data, out, config, base, minutes, threads, seed, resume=resume, wandb=wandb)
        else:
            if folder is None or config is not None or wandb:
                raise ValueError("with --from alone, name the folder of your scores, and no --config or --wandb.")
            out = out or user_bundles() / folder.resolve().name
            said = _fine_tune(
                base, folder, out, 10.0 if minutes is None else minutes, threads, seed or 0, resume=resume
            )
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps(said) if as_json else said.get("text", said["model"]))


def _train(
    data: Path,
    out: Path,
    config: str | None,
    base: str | None,
    minutes: float | None,
    threads: int,
    seed: int | None,
    *,
    resume: bool,
    wandb: bool,
) -> dict[str, Any]:
    from training.config import load_config, load_run_config
    from training.dataset.build import Dataset
    from training.models.contract import differences
    from training.trainer import train as run

    if resume and config is None:
        settings = load_run_config(out / "config.json", minutes=minutes, seed=seed)
    else:
        settings = load_config(config or "small", minutes=minutes, seed=seed)
    begun = None if base is None else _checkpoint(base)
    if begun is not None and (unlike := differences(begun.model.config, settings.model)):
        raise ValueError(f"the configuration's model is not of the shape of '{base}': {', '.join(unlike)}.")
    weights = None if begun is None else begun.model.state_dict()
    path = run(Dataset.open(data), out, settings, weights=weights, n_threads=threads, resume=resume, wandb=wandb)
    return {"model": str(path)}


def _fine_tune(
    base: str, folder: Path, out: Path, minutes: float, threads: int, seed: int, *, resume: bool
) -> dict[str, Any]:
    from export.bundle import check_replaceable, export_bundle
    from training.finetune import fine_tune

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError("fine-tuning runs in one process: start it without torchrun.")
    check_replaceable(out)
    run = out.with_name(out.name + ".run")
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading your scores", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total)
            if doing == "done":
                bar.stop()  # training shows its own

        done = fine_tune(
            _checkpoint(base),
            folder,
            run,
            minutes=minutes,
            n_threads=threads,
            seed=seed,
            resume=resume,
            progress=tell,
        )
    figures = _figures(done)
    if not done.share_of_new:
        raise ValueError(f"these tunes taught the model nothing: {_summary(figures)}. No bundle was made; see {run}.")
    export_bundle(done.checkpoint, out, quality={"own tunes, bits a note": figures["bits_per_note"]})
    shutil.rmtree(run)
    setting = out.name if out.parent == user_bundles() else str(out)
    text = f'{out}: {_summary(figures)}\nTo use it, set in your editor: "ghostnote.model": {json.dumps(setting)}'
    return {"model": str(out), "setting": {"ghostnote.model": setting}, **figures, "text": text}


def _checkpoint(base: str) -> Checkpoint:
    """The network of a checkpoint, if that is what is named, else of a bundle."""
    from export.weights import checkpoint_of_bundle
    from training.models.checkpoint import load_checkpoint

    return load_checkpoint(Path(base)) if base.endswith(".pt") else checkpoint_of_bundle(find_bundle(base))


def _figures(done: FineTuned) -> dict[str, Any]:
    learned_from, chosen_by, reported_on = done.n_tunes
    return {
        "tunes": {"learned_from": learned_from, "chosen_by": chosen_by, "reported_on": reported_on},
        "bits_per_note": {"before": done.before.bits_per_note, "after": done.after.bits_per_note},
        "share_of_new_weights": done.share_of_new,
    }


def _summary(figures: dict[str, Any]) -> str:
    bits, tunes = figures["bits_per_note"], figures["tunes"]
    return (
        f"learned from {tunes['learned_from']} tunes; {bits['after']:.3f} bits a note on {tunes['reported_on']} others "
        f"that were held out, {bits['before']:.3f} before"
    )
