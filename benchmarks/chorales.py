"""How well does one of our networks learn Bach's chorales, on the split and the grid that papers report?

A chorale is a grid: four voices, a step a sixteenth. Each cell is predicted from all cells before it (soprano, alto,
tenor, bass, then the next step), and the figure is the mean cost of a cell in nats. Published on the same split: 0.436
(Coconet), 0.335 (Music Transformer).

The network reads a token for the place of each step in a measure of sixteen, then the four cells; a token says voice
and pitch, and the softmax is over the pitches of the voice whose turn it is. Where a measure begins is not in the data:
the first step counts as one. Training moves each chorale by as many semitones as its voices have room for. The weights
that did best on the validation split are kept, and measured on the test split once. Nothing of it is released: the data
has no licence.

    python -m benchmarks.chorales Jsb16thSeparated.json --out FOLDER --minutes 20
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
import typer
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

from export.bench.machine import describe_machine, describe_versions
from training.config import TrainingConfig
from training.models import ModelConfig, build_model
from training.trainer import TrainingModule, learning_rate

N_VOICES = 4
STEPS_PER_MEASURE = 16
LOWEST, HIGHEST = 36, 81
SILENCE = HIGHEST - LOWEST + 1
N_PITCHES = SILENCE + 1
VOCABULARY_SIZE = STEPS_PER_MEASURE + N_VOICES * N_PITCHES
STEP_LENGTH = 1 + N_VOICES
"""Tokens of a step: its place in the measure, and four cells."""

Grid = NDArray[np.int64]


def read_grids(file: Path) -> dict[str, list[Grid]]:
    """The chorales of each split, each (steps, voices) of MIDI key numbers, -1 for silence."""
    content = json.loads(file.read_text(encoding="utf-8"))
    return {split: [np.array(grid, np.int64) for grid in grids] for split, grids in content.items()}


def tokens_of(grid: Grid) -> Grid:
    """(steps, voices) -> (5 * steps,) token ids."""
    pitches = np.where(grid < 0, SILENCE, grid - LOWEST)  # (S, 4)
    cells = STEPS_PER_MEASURE + np.arange(N_VOICES) * N_PITCHES + pitches  # (S, 4)
    places = np.arange(len(grid))[:, None] % STEPS_PER_MEASURE  # (S, 1)
    return np.concatenate([places, cells], axis=1).reshape(-1)


def transposed(grid: Grid, rooms: Sequence[tuple[int, int]], random: np.random.Generator) -> Grid:
    """The chorale moved by as many semitones as keep each voice within its room (lowest, highest)."""
    sounding = np.ma.masked_less(grid, 0)
    down = max(room[0] - int(low) for room, low in zip(rooms, sounding.min(0), strict=True))
    up = min(room[1] - int(high) for room, high in zip(rooms, sounding.max(0), strict=True))
    shift = int(random.integers(min(down, 0), max(up, 0) + 1))
    return np.where(grid < 0, grid, grid + shift)


def cell_costs(logits: Tensor, targets: Tensor) -> Tensor:
    """The cost of each token that is a cell, in nats; 0 where it is the place of a step.

    Args:
        logits: (B, T, V).
        targets: (B, T), the token that follows.

    Returns:
        (B, T) float32.
    """
    voices = (targets - STEPS_PER_MEASURE).div(N_PITCHES, rounding_mode="floor")  # (B, T), -1 for a place
    spelled = logits[..., STEPS_PER_MEASURE:].float().unflatten(-1, (N_VOICES, N_PITCHES))  # (B, T, 4, P)
    chosen = voices.clamp_min(0)[..., None, None].expand(-1, -1, 1, N_PITCHES)
    own = spelled.gather(2, chosen).squeeze(2)  # (B, T, P)
    pitches = (targets - STEPS_PER_MEASURE).remainder(N_PITCHES)
    costs = F.cross_entropy(own.flatten(0, 1), pitches.flatten(), reduction="none").view_as(targets)
    return costs * (voices >= 0)


@dataclass(frozen=True)
class Data:
    """The splits, and how far each voice goes in training."""

    splits: dict[str, list[Grid]]
    rooms: tuple[tuple[int, int], ...]

    @classmethod
    def read(cls, file: Path) -> Data:
        """Read the published file."""
        splits = read_grids(file)
        notes = np.ma.masked_less(np.concatenate(splits["train"]), 0)
        return cls(splits, tuple(zip(notes.min(0).tolist(), notes.max(0).tolist(), strict=True)))

    def batch(self, size: int, length: int, random: np.random.Generator) -> Tensor:
        """Random training windows, (B, length + 1)."""
        rows = []
        for index in random.integers(len(self.splits["train"]), size=size):
            tokens = tokens_of(transposed(self.splits["train"][index], self.rooms, random))
            start = STEP_LENGTH * int(random.integers(max(1, (len(tokens) - length) // STEP_LENGTH + 1)))
            row = tokens[start : start + length + 1]
            rows.append(np.pad(row, (0, length + 1 - len(row)), constant_values=0))
        return torch.from_numpy(np.stack(rows))


@torch.no_grad()
def nats_per_cell(network: nn.Module, grids: Sequence[Grid], block_size: int) -> float:
    """The mean cost of a cell; every cell past the first window is predicted from at least half a window."""
    network.eval()
    half = block_size // 2 // STEP_LENGTH * STEP_LENGTH
    nats, n_cells = 0.0, 0
    for grid in grids:
        tokens = torch.from_numpy(tokens_of(grid))
        begin = 0
        while begin == 0 or begin + half < len(tokens) - 1:
            window = tokens[begin : begin + 2 * half + 1]
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(window[None, :-1])
            costs = cell_costs(logits, window[None, 1:])[0]
            counted = costs[0 if begin == 0 else half :]
            nats += float(counted.sum())
            begin += half
        n_cells += grid.size
    network.train()
    return nats / n_cells


def train(data: Data, config: ModelConfig, schedule: TrainingConfig, console: Console) -> tuple[nn.Module, float]:
    """Train for the scheduled processor time; gives the network with the best weights, and their validation cost."""
    torch.manual_seed(schedule.seed)
    torch._inductor.config.fallback_random = True
    random = np.random.default_rng(schedule.seed)
    network = build_model(config)
    forward = torch.compile(network.forward)
    optimizer = TrainingModule(network, schedule).configure_optimizers()
    best, kept, step, fraction, next_look = math.inf, network.state_dict(), 0, 0.0, 0.1
    while fraction < 1:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(schedule, fraction)
        batch = data.batch(schedule.batch_size, config.block_size, random)
        with torch.autocast("cpu", torch.bfloat16):
            logits = forward(batch[:, :-1])
        targets = batch[:, 1:]
        costs = cell_costs(logits, targets)
        loss = costs.sum() / (targets >= STEPS_PER_MEASURE).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
        optimizer.step()
        if step == 0:
            started = time.process_time()  # compiling does not count
        step += 1
        fraction = (time.process_time() - started) / (60 * schedule.minutes)
        if fraction >= next_look:
            next_look += 0.05
            cost = nats_per_cell(network, data.splits["valid"], config.block_size)
            console.print(f"{fraction:4.0%} step {step}: loss {float(loss.detach()):.3f}, valid {cost:.4f} nats a cell")
            if cost < best:
                best, kept = cost, {name: weight.clone() for name, weight in network.state_dict().items()}
    network.load_state_dict(kept)
    return network, best


def main(
    file: Annotated[Path, typer.Argument(help="Jsb16thSeparated.json of JSB-Chorales-dataset.")],
    out: Annotated[Path, typer.Option(help="Folder for the result.")],
    minutes: Annotated[float, typer.Option(help="Minutes of processor time to train for.")] = 20.0,
    architecture: Annotated[str, typer.Option(help="One of the architectures of `ghostnote train`.")] = "llama",
    dropout: float = 0.1,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 5e-3,
    width: Annotated[int, typer.Option(help="Width of the network.")] = 192,
    layers: int = 4,
    seed: int = 0,
) -> None:
    """Train on the chorales alone and print the cost of a cell."""
    torch.set_num_threads(1)
    console = Console(stderr=True)
    data = Data.read(file)
    config = ModelConfig(
        architecture, VOCABULARY_SIZE, n_layer=layers, n_head=4, n_kv_head=4, n_embd=width, block_size=640,
        dropout=dropout,
    )  # fmt: skip
    schedule = replace(
        TrainingConfig(),
        minutes=minutes,
        batch_size=8,
        learning_rate=rate,
        optimizer="muon",
        schedule="cosine",
        seed=seed,
        weight_decay=0.1,
    )
    network, valid = train(data, config, schedule, console)
    test = nats_per_cell(network, data.splits["test"], config.block_size)
    weights = sum(weight.numel() for weight in network.parameters())
    figures = {
        "architecture": architecture, "weights": weights, "minutes": minutes, "dropout": dropout,
        "valid_nats_per_cell": valid, "test_nats_per_cell": test,
        "machine": f"{describe_machine()}; {describe_versions()}",
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    (out / "chorales.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    typer.run(main)
