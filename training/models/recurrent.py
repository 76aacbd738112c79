"""What the recurrent networks have in common: layers between an embedding and a head, in training and in the step.

In the exported step a layer of torch's recurrent units is the one ONNX operator that computes it. The operators have
torch's gates in another order, and a direction axis that is always 1 here.

Source: the definitions of GRU and LSTM in the ONNX operator set, and of `torch.nn.GRU` and `torch.nn.LSTM`.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from training.models.contract import LanguageModel, ModelConfig, StateTensor, StepModule

_GATES = {nn.GRU: (1, 0, 2), nn.LSTM: (0, 3, 1, 2)}
"""Which of torch's gates stands where. GRU: update, reset, new. LSTM: input, output, forget, cell."""


class RecurrentOperator(nn.Module):
    """One layer for tracing."""

    def __init__(self, layer: nn.GRU | nn.LSTM) -> None:
        super().__init__()
        self.operator = type(layer).__name__
        self.width = layer.hidden_size
        self.attributes: dict[str, Any] = {"hidden_size": self.width}
        if self.operator == "GRU":
            self.attributes["linear_before_reset"] = 1  # torch resets after the recurrent product
        weights = dict(layer.named_parameters())
        gates = _GATES[type(layer)]
        biases = torch.cat([_reordered(weights[f"bias_{part}_l0"], gates) for part in ("ih", "hh")])  # (2 G C,)
        self.register_buffer("input", _reordered(weights["weight_ih_l0"], gates)[None])  # (1, G C, input size)
        self.register_buffer("recurrent", _reordered(weights["weight_hh_l0"], gates)[None])  # (1, G C, C)
        self.register_buffer("bias", biases[None])  # (1, 2 G C)

    def forward(self, x: Tensor, *state: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, ...]:
        """Run over `x`.

        Args:
            x: (T, B, input size).
            state: hidden and, for an LSTM, cell state, each (B, C).
            lengths: how many of the T each row has, (B,) int32; None is all.

        Returns:
            The outputs, (T, B, C), and the state after each row's last input, as it was given.
        """
        length, batch, _ = x.shape
        weights = [self.get_buffer(name) for name in ("input", "recurrent", "bias")]
        out, *last = torch.onnx.ops.symbolic_multi_out(
            self.operator,
            (x, *weights, lengths, *(each[None] for each in state)),
            attrs=self.attributes,
            dtypes=(x.dtype,) * (1 + len(state)),
            shapes=((length, 1, batch, self.width), *((1, batch, self.width) for _ in state)),
        )
        return (out.squeeze(1), *(each.squeeze(0) for each in last))


def _reordered(weights: Tensor, gates: tuple[int, ...]) -> Tensor:
    parts = weights.detach().chunk(len(gates))
    return torch.cat([parts[gate] for gate in gates])


def operators(layers: nn.ModuleList) -> nn.ModuleList:
    """Layers of torch's units for tracing, in the same order."""
    return nn.ModuleList(RecurrentOperator(cast(nn.GRU | nn.LSTM, layer)) for layer in layers)


class RecurrentNetwork(LanguageModel):
    """`n_layer` layers of `n_embd` units between an embedding and a linear head.

    Attributes:
        unit: torch's module of one layer.
        state_parts: what a layer keeps from token to token, each (B, C).
    """

    unit: ClassVar[type[nn.GRU] | type[nn.LSTM]]
    state_parts: ClassVar[tuple[str, ...]]
    embedding: nn.Module
    head: nn.Module

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        width = config.n_embd
        self.embedding = nn.Embedding(config.vocabulary_size, width)
        self.layers = nn.ModuleList(self.unit(width, width, batch_first=True) for _ in range(config.n_layer))
        self.head = nn.Linear(width, config.vocabulary_size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64 -> logits (B, T, V); the state is zero before the first token."""
        x = self.dropout(self.embedding(token_ids))  # (B, T, C)
        for layer in self.layers:
            x = self.dropout(layer(x)[0])
        logits: Tensor = self.head(x)
        return logits

    def step_module(self, max_length: int) -> StepModule:
        """The step; its state is the same for any length, so `max_length` only bounds what the engine accepts."""
        return RecurrentStep(self)


class RecurrentStep(StepModule):
    """The network for tracing."""

    def __init__(self, model: RecurrentNetwork) -> None:
        super().__init__()
        self.model = model
        self.layers = operators(model.layers)
        names = [f"{part}_{layer}" for layer in range(model.config.n_layer) for part in model.state_parts]
        self.state = tuple(StateTensor(name, (model.config.n_embd,), "recurrent") for name in names)

    def forward(
        self, token_ids: Tensor, logits_at: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor
    ) -> Any:
        """See `StepModule`; state is what each layer keeps, layer by layer, each (B, C)."""
        x = self.model.embedding(token_ids).transpose(0, 1)  # (B, T, C) -> (T, B, C)
        n_parts = len(self.model.state_parts)
        present: list[Tensor] = []
        for index, layer in enumerate(self.layers):
            x, *last = layer(x, *state[n_parts * index : n_parts * (index + 1)])
            present += last
        return self.model.head(x[-1]), *present
