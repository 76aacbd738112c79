"""A recurrent network of gated units: embedding, layers, output head.

The second architecture of the registry: small, quick, and with a state that cannot be rewound.

Source: Cho et al., arXiv 1406.1078. The reset gate is applied after the recurrent product, as in cuDNN and torch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from training.models.contract import LanguageModel, ModelConfig, StateTensor, StepModule


class GRU(LanguageModel):
    """Layers of `n_embd` gated recurrent units between an embedding and a linear head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocabulary_size, config.n_embd)
        width = config.n_embd
        self.layers = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(config.n_layer))
        self.head = nn.Linear(config.n_embd, config.vocabulary_size)
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
        return GRUStep(self)


class GRUStep(StepModule):
    """The network for tracing: each layer is one GRU operator of ONNX, whose gates stand in another order."""

    def __init__(self, model: GRU) -> None:
        super().__init__()
        self.model = model
        self.state = tuple(
            StateTensor(f"hidden_{layer}", (model.config.n_embd,), "recurrent") for layer in range(model.config.n_layer)
        )
        for index, layer in enumerate(model.layers):
            weights = dict(layer.named_parameters())
            biases = torch.cat([update_first(weights[f"bias_{part}_l0"]) for part in ("ih", "hh")])  # (6 C,)
            self.register_buffer(f"input_{index}", update_first(weights["weight_ih_l0"])[None])  # (1, 3 C, C)
            self.register_buffer(f"recurrent_{index}", update_first(weights["weight_hh_l0"])[None])  # (1, 3 C, C)
            self.register_buffer(f"bias_{index}", biases[None])  # (1, 6 C)

    def forward(self, token_ids: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor) -> Any:
        """See `StepModule`; state is each layer's hidden state, each (B, C)."""
        x = self.model.embedding(token_ids).transpose(0, 1)  # (B, T, C) -> (T, B, C)
        present = []
        for index, hidden in enumerate(state):
            x, last = self._layer(index, x, hidden[None])
            x = x.squeeze(1)  # (T, 1, B, C) -> (T, B, C)
            present.append(last.squeeze(0))  # (1, B, C) -> (B, C)
        return self.model.head(x[-1]), *present

    def _layer(self, index: int, x: Tensor, hidden: Tensor) -> Any:
        length, batch, width = x.shape
        weights = [self.get_buffer(f"{part}_{index}") for part in ("input", "recurrent", "bias")]
        return torch.onnx.ops.symbolic_multi_out(
            "GRU",
            (x, *weights, None, hidden),
            attrs={"hidden_size": width, "linear_before_reset": 1},
            dtypes=(x.dtype, x.dtype),
            shapes=((length, 1, batch, width), (1, batch, width)),
        )


def update_first(gates: Tensor) -> Tensor:
    """Torch's order of gates along the first axis (reset, update, new) as ONNX has it (update, reset, new)."""
    reset, update, new = gates.detach().chunk(3)
    return torch.cat((update, reset, new))
