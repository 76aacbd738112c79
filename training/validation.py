"""How well does a model predict pieces that it was not trained on?

Measured on a fixed sample of the validation split, laid out plainly: no transposition, no gaps, parts in score order.
What a reference stands for is not counted beside the reference itself, so the costs add up to what the music costs.

Two figures: nats for each token that is predicted, and bits a note: all those nats, over the number of noteheads that
they stand for. Only the second can be compared between vocabularies.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from notation.tokens import vocabulary
from notation.tokens.vocabulary import GENRES, TOKEN_IDS
from training.dataset.sampler import Batch, Sampler, SamplerConfig
from training.dataset.tables import Tables
from training.objectives.next_token import position_costs


@dataclass
class Quality:
    """Sums over a sample.

    Attributes:
        nats: what all its predictions cost.
        n_predicted: how many there are.
        n_notes: noteheads in it.
    """

    nats: float = 0.0
    n_predicted: int = 0
    n_notes: int = 0

    def add(self, other: Quality) -> None:
        """Take in another sample."""
        self.nats += other.nats
        self.n_predicted += other.n_predicted
        self.n_notes += other.n_notes

    @property
    def nats_per_token(self) -> float:
        """Mean cost of a prediction; nan without any."""
        return self.nats / self.n_predicted if self.n_predicted else math.nan

    @property
    def bits_per_note(self) -> float:
        """What a note costs with all that belongs to it; nan without any."""
        return self.nats / math.log(2) / self.n_notes if self.n_notes else math.nan


def validation_batches(
    tables: Sequence[Tables], config: SamplerConfig, *, block_size: int, batch_size: int, n_batches: int
) -> list[Batch]:
    """The fixed sample: the same for every run on the same dataset. Empty if the split has no piece to offer."""
    try:
        sampler = Sampler(tables, SamplerConfig.plain(config.shares), block_size=block_size, batch_size=batch_size)
    except ValueError:
        return []
    return [sampler.batch(step) for step in range(n_batches)]


def whole_pieces(tables: Sequence[Tables], *, block_size: int, batch_size: int) -> list[Batch]:
    """Every piece of some table sets once, a row each, from its beginning as far as `block_size` goes.

    Pieces of like length are together, and their batch is as long as the longest.
    """
    plain = replace(SamplerConfig.plain(dict.fromkeys(GENRES, 1.0)), from_start=1.0)
    sampler = Sampler(tables, plain, block_size=block_size, batch_size=batch_size)
    random = np.random.default_rng(0)  # nothing is left to chance
    rows = [sampler.window(each, piece, block_size + 1, random) for each in tables for piece in range(len(each.pieces))]
    rows.sort(key=len)  # so that little is padded
    groups = [rows[at : at + batch_size] for at in range(0, len(rows), batch_size)]
    return [Batch.of(group, len(group[-1]) - 1) for group in groups]


@torch.no_grad()
def validate(model: nn.Module, batches: Sequence[Batch], *, bf16: bool) -> dict[str, Quality]:
    """The quality on a sample, by genre and, under `all`, altogether.

    Args:
        model: (B, T) token ids -> (B, T, V) logits; it is put back into the mode it was in.
        batches: as `validation_batches` gives them.
        bf16: whether matrix products are made in bfloat16.
    """
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    found: dict[str, Quality] = defaultdict(Quality)
    for batch in batches:
        inputs, targets, ref_masks, weights = (
            torch.from_numpy(array).to(device)
            for array in (batch.inputs, batch.targets, batch.ref_masks, batch.weights)
        )
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = model(inputs)
        costs = position_costs(logits, targets, ref_masks)
        for genre, quality in _by_row(inputs, costs, weights):
            found[genre].add(quality)
            found["all"].add(quality)
    model.train(was_training)
    return dict(found)


def _by_row(inputs: Tensor, costs: Tensor, weights: Tensor) -> list[tuple[str, Quality]]:
    counts = weights > 0  # (B, T)
    nats = (costs * counts).sum(1).tolist()
    is_note = torch.isin(inputs, _note_ids().to(inputs.device))
    rows = zip(inputs[:, 1].tolist(), nats, counts.sum(1).tolist(), is_note.sum(1).tolist(), strict=True)
    # A row is of one genre, which its second token says.
    return [(GENRES[genre - TOKEN_IDS[f"genre:{GENRES[0]}"]], Quality(cost, *sizes)) for genre, cost, *sizes in rows]


@cache
def _note_ids() -> Tensor:
    return torch.tensor(sorted(vocabulary.NOTEHEADS))
