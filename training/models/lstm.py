"""A recurrent network of long short-term memory: embedding, layers, output head.

Source: Hochreiter and Schmidhuber, Long short-term memory (1997), with the forget gate of Gers et al. (2000).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from training.models.contract import LanguageModel, ModelConfig, StateTensor, StepModule
from training.models.recurrent import RecurrentOperator


class LSTM(LanguageModel):
    """Layers of `n_embd` memory cells between an embedding and a linear head."""

    embedding: nn.Module
    head: nn.Module

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        width = config.n_embd
        self.embedding = nn.Embedding(config.vocabulary_size, width)
        self.layers = nn.ModuleList(nn.LSTM(width, width, batch_first=True) for _ in range(config.n_layer))
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
        return LSTMStep(self)


class LSTMStep(StepModule):
    """The network for tracing."""

    def __init__(self, model: LSTM) -> None:
        super().__init__()
        self.model = model
        self.layers = nn.ModuleList(RecurrentOperator(layer) for layer in model.layers)  # type: ignore[arg-type]
        names = [f"{part}_{layer}" for layer in range(model.config.n_layer) for part in ("hidden", "cell")]
        self.state = tuple(StateTensor(name, (model.config.n_embd,), "recurrent") for name in names)

    def forward(self, token_ids: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor) -> Any:
        """See `StepModule`; state is each layer's hidden and cell state, each (B, C)."""
        x = self.model.embedding(token_ids).transpose(0, 1)  # (B, T, C) -> (T, B, C)
        present = []
        for index, layer in enumerate(self.layers):
            x, *last = layer(x, *state[2 * index : 2 * index + 2])
            present += last
        return self.model.head(x[-1]), *present
