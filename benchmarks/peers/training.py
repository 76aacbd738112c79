"""What does `ghostnote train` cost beside the network itself: batches, clock, logs, checkpoints?

    python -m benchmarks.peers.training DATASET [--out benchmarks/peers]

The peer is a bare torch loop over the same network and optimiser that learns one batch over and over, made beforehand.
Ours is the whole trainer on the dataset. What it spends once a run (start, last validation, checkpoint) is taken away
by the difference of two runs of different length; what it spends every step is in. The goal, nine tenths of the bare
loop's throughput, is a ratio of times of 1 / 0.9.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks.peers.pairing import AsJson, Benchmark, Core, Out, compare, report, seconds, use_one_core
from training.config import RunConfig, load_config
from training.dataset.build import Dataset
from training.dataset.sampler import Batch, Sampler
from training.models import build_model
from training.objectives import next_token_loss
from training.trainer import TrainingModule, train

GOAL = 1 / 0.9
FEWEST = 4
"""Steps of the short run: caches are warm after it."""


def configured(name: str, steps: int) -> RunConfig:
    """A configuration with a number of steps instead of minutes, not compiled, validated on one batch at the end."""
    config = load_config(name)
    training = replace(config.training, minutes=0.0, steps=steps, compile=False, validation_batches=1, log_steps=10)
    return replace(config, training=training)


def trainer_seconds(dataset: Dataset, name: str, steps: int) -> float:
    """Processor time of `steps` steps of the trainer."""
    times = []
    for length in (FEWEST + steps, FEWEST):
        with tempfile.TemporaryDirectory() as folder:
            times.append(seconds(partial(train, dataset, Path(folder), configured(name, length), n_threads=1)))
    return times[0] - times[1]


class BareLoop:
    """A torch loop, and nothing else, over a network of its own."""

    def __init__(self, dataset: Dataset, config: RunConfig) -> None:
        sampler = Sampler(
            list(dataset.tables("train").values()),
            config.sampler,
            block_size=config.model.block_size,
            batch_size=config.training.batch_size,
            seed=config.training.seed,
        )
        torch.manual_seed(config.training.seed)
        self.config = config
        self.batch: Batch = sampler.batch(0)
        self.network = build_model(config.model)
        self.optimizer = TrainingModule(self.network, config.training).configure_optimizers()

    def run(self, steps: int) -> None:
        """Learn the batch so many times."""
        arrays = (self.batch.inputs, self.batch.targets, self.batch.ref_masks, self.batch.weights)
        inputs, targets, ref_masks, weights = map(torch.from_numpy, arrays)
        for _ in range(steps):
            with torch.autocast("cpu", torch.bfloat16, enabled=self.config.training.precision == "bf16"):
                loss = next_token_loss(self.network(inputs), targets, ref_masks, weights).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.training.clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)


def main(
    data: Annotated[Path, typer.Argument(help="a dataset folder, made by `ghostnote corpus build`")],
    config: Annotated[str, typer.Option(help="a configuration of training")] = "release",
    steps: Annotated[int, typer.Option(min=1, help="in each round")] = 12,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    core: Core = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Time steps of the trainer and of a bare loop in turn."""
    use_one_core(core)
    torch.set_num_threads(1)
    dataset = Dataset.open(data)
    loop = BareLoop(dataset, configured(config, steps))
    done = count(1)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("rounds", total=rounds)
        found = compare(
            f"{steps} steps",
            range(rounds),
            ("ghostnote train", lambda _: trainer_seconds(dataset, config, steps)),
            {"bare torch loop": lambda _: seconds(lambda: loop.run(steps))},
            warm_up=[0],
            goals={"bare torch loop": GOAL},
            leaves_out="what is spent once a run; compilation (neither side is compiled)",
            progress=lambda: progress.update(task, completed=next(done)),
        )
    settings = loop.config
    rows, length = settings.training.batch_size, settings.model.block_size
    benchmark = Benchmark(
        "training",
        "What does the trainer cost beside the network?",
        f"Configuration `{config}`: {settings.model.architecture}, {settings.model.n_layer} layers of "
        f"{settings.model.n_embd}, {rows} rows of {length} tokens a step, {settings.training.precision}. The bare loop "
        "learns one batch, made beforehand, over and over.",
        found,
        ("torch", "lightning"),
    )
    report(benchmark, "python -m benchmarks.peers.training DATASET", as_json, out)


if __name__ == "__main__":
    typer.run(main)
