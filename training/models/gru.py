"""A recurrent network of gated units: embedding, layers, output head.

Source: Cho et al., arXiv 1406.1078. The reset gate is applied after the recurrent product, as in cuDNN and torch.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from training.models.contract import LanguageModel, ModelConfig, StateTensor, StepModule
from training.models.recurrent import RecurrentOperator


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
    """The network for tracing."""

    def __init__(self, model: GRU) -> None:
        super().__init__()
        self.model = model
        self.layers = nn.ModuleList(RecurrentOperator(layer) for layer in model.layers)  # type: ignore[arg-type]
        shape = (model.config.n_embd,)
        self.state = tuple(StateTensor(f"hidden_{layer}", shape, "recurrent") for layer in range(model.config.n_layer))

    def forward(self, token_ids: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor) -> Any:
        """See `StepModule`; state is each layer's hidden state, each (B, C)."""
        x = self.model.embedding(token_ids).transpose(0, 1)  # (B, T, C) -> (T, B, C)
        present = []
        for layer, hidden in zip(self.layers, state, strict=True):
            x, last = layer(x, hidden)
            present.append(last)
        return self.model.head(x[-1]), *present
