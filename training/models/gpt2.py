"""A decoder-only transformer with learned positions, layer norms before each block and a GELU feed-forward.

The output head shares the embedding's weights. Positions are learned one by one, so the model knows none beyond
`block_size`, and its state has no room for more.

Source: Radford et al., Language models are unsupervised multitask learners (2019).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.attention import cache_tensors, cached_attention, causal_attention, initialise
from training.models.contract import LanguageModel, ModelConfig, StepModule


class Block(nn.Module):
    """Attention, then the feed-forward, each after its norm and added to what came in."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, hidden = config.n_embd, config.n_hidden or 4 * config.n_embd
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        x = x + self.dropout(self.attention_out(self._attend(self.attention_norm(x))))
        out: Tensor = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return out

    def feed_forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        down: Tensor = self.down(F.gelu(self.up(x), approximate="tanh"))
        return down

    def _attend(self, x: Tensor) -> Tensor:
        size = self.config.head_size
        q, k, v = (each.unflatten(-1, (-1, size)).transpose(1, 2) for each in self.qkv(x).chunk(3, dim=-1))
        mixed = causal_attention(q, k, v, self.config.dropout if self.training else 0.0)
        return mixed.transpose(1, 2).flatten(2)  # (B, n_head, T, head_size) -> (B, T, C)


class GPT2(LanguageModel):
    """The transformer; `n_kv_head` has no meaning here."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocabulary_size, config.n_embd)
        self.positions = nn.Embedding(config.block_size, config.n_embd)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.final_norm = nn.LayerNorm(config.n_embd)
        self.dropout = nn.Dropout(config.dropout)
        initialise(self, config.n_layer, residual=("attention_out", "down"))

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64, T <= block_size -> logits (B, T, V)."""
        self.config.check_window(token_ids.shape[1])
        x = self.dropout(self.embedding(token_ids) + self.positions.weight[: token_ids.shape[1]])  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return F.linear(self.final_norm(x), self.embedding.weight)  # (B, T, V)

    def step_module(self, max_length: int) -> StepModule:
        """The step with a key and a value cache of `max_length` positions a layer.

        Raises:
            ValueError: there is no position learned for so many tokens.
        """
        self.config.check_window(max_length)
        return GPT2Step(self, max_length)


class GPT2Step(StepModule):
    """The transformer for tracing."""

    def __init__(self, model: GPT2, max_length: int) -> None:
        super().__init__()
        self.model = model
        self.state = cache_tensors(model.config, model.config.n_head, max_length)

    def forward(self, token_ids: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor) -> Any:
        """See `StepModule`; state is key and value of each layer, each (B, n_head, max_length, head_size)."""
        length = token_ids.shape[1]
        positions = last_position[:, None].long() + torch.arange(1 - length, 1)  # (B, T)
        x = self.model.embedding(token_ids) + self.model.positions(positions)  # (B, T, C)
        present: list[Tensor] = []
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            qkv = block.qkv(block.attention_norm(x))
            past = state[2 * layer : 2 * layer + 2]
            mixed, *caches = cached_attention(qkv, past, last_position, total_length, self.model.config.n_head)
            x = x + block.attention_out(mixed)
            x = x + block.feed_forward(block.feed_forward_norm(x))
            present += caches
        last = self.model.final_norm(x[:, -1])  # (B, T, C) -> (B, C)
        return F.linear(last, self.model.embedding.weight), *present
