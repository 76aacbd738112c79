"""Several networks of one shape that vote: the mean of their logits, which is that of their log-probabilities.

Networks that were trained apart are wrong in different places. Where there is too little music for one network to learn
more from it, a vote of several still says more.

Source: Hinton, Training products of experts by minimizing contrastive divergence (Neural Computation 14, 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from training.models.contract import LanguageModel, ModelConfig, StateTensor, StepModule, differences


class Ensemble(LanguageModel):
    """Networks that vote; `config.n_networks` of them, each as the rest of `config` says."""

    def __init__(self, config: ModelConfig, networks: Sequence[LanguageModel]) -> None:
        super().__init__(config)
        self.networks = nn.ModuleList(networks)

    @property
    def members(self) -> list[LanguageModel]:
        """The networks."""
        return [cast(LanguageModel, network) for network in self.networks]

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64 -> logits (B, T, V)."""
        return mean([network(token_ids) for network in self.networks])

    def step_module(self, max_length: int) -> StepModule:
        """All members' steps as one, with all their states."""
        return EnsembleStep([network.step_module(max_length) for network in self.members])


class EnsembleStep(StepModule):
    """The vote for tracing; a member's state tensors have its number before their names."""

    def __init__(self, steps: Sequence[StepModule]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)
        self.sizes = [len(step.state) for step in steps]
        self.state = tuple(
            StateTensor(f"{number}_{tensor.name}", tensor.shape, tensor.kind)
            for number, step in enumerate(steps)
            for tensor in step.state
        )

    def forward(
        self, token_ids: Tensor, logits_at: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor
    ) -> Any:
        """See `StepModule`."""
        votes: list[Tensor] = []
        present: list[Tensor] = []
        for step, size in zip(self.steps, self.sizes, strict=True):
            own = state[len(present) : len(present) + size]
            logits, *after = step(token_ids, logits_at, last_position, total_length, *own)
            votes.append(logits)
            present += after
        return mean(votes), *present


def mean(votes: Sequence[Tensor]) -> Tensor:
    """The mean of tensors of one shape."""
    return torch.stack(tuple(votes)).mean(0)


def ensemble_of(networks: Sequence[LanguageModel]) -> LanguageModel:
    """Networks that were trained apart, as one; a single one is left as it is.

    Raises:
        ValueError: there is none, or they differ in shape or are ensembles themselves.
    """
    if not networks:
        raise ValueError("no network: name at least one model.")
    first, *others = (network.config for network in networks)
    if not others:
        return networks[0]
    for other in others:
        if unlike := differences(first, other):
            raise ValueError(f"the models have different shapes, {', '.join(unlike)}: only equal ones can vote.")
    if first.n_networks > 1:
        raise ValueError("one of the models is an ensemble already: name the models that it was made of.")
    return Ensemble(replace(first, dropout=0.0, n_networks=len(networks)), networks).eval()
