"""The next token, where several references may be right.

A position costs -log p(target). Where a reference is right, it costs -log of the sum of p(ref:k) over every k that says
the same measure: the model learns to refer, and is not told which of equal measures to name.

Shapes: B rows, T tokens, V = size of the vocabulary. Costs are in nats.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from notation.tokens.vocabulary import FIRST_REFERENCE, N_REFERENCES


class LossSums(NamedTuple):
    """Sums over a batch, each a scalar tensor.

    Attributes:
        cost: weighted costs.
        weight: weights; `cost / weight` is the loss.
        n_positions: positions that count.
    """

    cost: Tensor
    weight: Tensor
    n_positions: Tensor

    @property
    def loss(self) -> Tensor:
        """The weighted mean cost, in nats; 0 if no position counts."""
        return self.cost / self.weight.clamp_min(1e-9)


def position_costs(logits: Tensor, targets: Tensor, ref_masks: Tensor) -> Tensor:
    """The cost of each position, before weights.

    Args:
        logits: (B, T, V), of any floating type; the sums are made in float32.
        targets: (B, T) int64; negative ones give a cost that means nothing.
        ref_masks: (B, T) int64; bit k - 1 set where `ref:k` is right, 0 where the target is.

    Returns:
        (B, T) float32, in nats.
    """
    scores = logits.float()
    right = scores.gather(-1, targets.clamp_min(0).unsqueeze(-1)).squeeze(-1)
    refers = ref_masks != 0
    right = right.masked_scatter(refers, _reference_scores(scores[refers], ref_masks[refers]))
    return scores.logsumexp(-1) - right


def _reference_scores(scores: Tensor, ref_masks: Tensor) -> Tensor:
    """log of the sum of exp(score) over the right references: scores (N, V), ref_masks (N,) -> (N,)."""
    bits = torch.arange(N_REFERENCES, device=scores.device)
    wrong = (ref_masks[:, None] >> bits) & 1 == 0  # (N, 32)
    references = scores[:, FIRST_REFERENCE : FIRST_REFERENCE + N_REFERENCES]
    return references.masked_fill(wrong, -torch.inf).logsumexp(-1)


def next_token_loss(logits: Tensor, targets: Tensor, ref_masks: Tensor, weights: Tensor) -> LossSums:
    """The weighted cost of a batch.

    Args:
        logits: (B, T, V).
        targets: (B, T) int64; negative where nothing is learned.
        ref_masks: (B, T) int64, see `position_costs`.
        weights: (B, T) float32; 0 where nothing is learned.
    """
    costs = position_costs(logits, targets, ref_masks)
    return LossSums((costs * weights).sum(), weights.sum(), (weights > 0).sum())
