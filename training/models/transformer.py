"""What the transformers have in common: a residual stream through blocks, in training and in the exported step.

A block is attention, then a feed-forward, each after its norm and added to what came in. The output head shares the
embedding's weights. An architecture says what its blocks are made of and how it knows positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.attention import cache_tensors, cached_attention, initialise
from training.models.contract import LanguageModel, ModelConfig, StepModule


class Block(nn.Module, ABC):
    """Attention, then the feed-forward.

    A subclass sets `qkv`, which makes queries, keys and values side by side of (B, T, C), and both norms. Dropout is of
    what is added to the stream alone: on the weights of attention it costs a fifth of a training step.
    """

    qkv: nn.Linear
    attention_norm: nn.Module
    feed_forward_norm: nn.Module
    attention_out: nn.Linear

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, *positions: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C); `positions` are what `Transformer.positions` gives."""
        mixed = self.attend(self.qkv(self.attention_norm(x)), *positions)
        x = x + self.dropout(self.attention_out(mixed))
        out: Tensor = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return out

    @abstractmethod
    def attend(self, qkv: Tensor, *positions: Tensor) -> Tensor:
        """Causal attention over a whole window: what `qkv` makes of (B, T, C) -> (B, T, C)."""

    @abstractmethod
    def feed_forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""


class Transformer(LanguageModel):
    """An embedding, blocks, a norm, and the embedding again as the head."""

    def __init__(self, config: ModelConfig, blocks: Iterable[Block], final_norm: nn.Module) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocabulary_size, config.n_embd)
        self.blocks = nn.ModuleList(blocks)
        self.final_norm = final_norm
        self.dropout = nn.Dropout(config.dropout)
        initialise(self, config.n_layer, residual=("attention_out", "down"))

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64, T <= block_size -> logits (B, T, V)."""
        length = token_ids.shape[1]
        self.config.check_window(length)
        x = self.dropout(self.embed(token_ids))  # (B, T, C)
        positions = self.positions(length)
        for block in self.blocks:
            x = block(x, *positions)
        return F.linear(self.final_norm(x), self.embedding.weight)  # (B, T, V)

    def embed(self, token_ids: Tensor) -> Tensor:
        """What the first block is given: token_ids (B, T) int64 -> (B, T, C)."""
        embedded: Tensor = self.embedding(token_ids)
        return embedded

    def positions(self, length: int) -> tuple[Tensor, ...]:
        """What every block is told about the positions of a window of `length` tokens."""
        return ()


class TransformerStep(StepModule):
    """The transformer for tracing: one GroupQueryAttention a layer, which caches and attends.

    Attributes:
        model: whose weights are shared.
        state: a key and a value cache of `max_length` positions a layer, each (n_kv_head, max_length, head_size) a row.
    """

    def __init__(self, model: Transformer, n_kv_head: int, max_length: int) -> None:
        super().__init__()
        self.model = model
        self.state = cache_tensors(model.config, n_kv_head, max_length)

    def forward(
        self, token_ids: Tensor, logits_at: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor
    ) -> Any:
        """See `StepModule`; state is key and value of each layer, each (B, n_kv_head, max_length, head_size)."""
        x = self.embed(token_ids, last_position)  # (B, T, C)
        positions = self.positions(token_ids.shape[1], last_position, total_length)
        present: list[Tensor] = []
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            qkv = block.qkv(block.attention_norm(x))
            mixed, *caches = cached_attention(
                qkv,
                state[2 * layer : 2 * layer + 2],
                last_position,
                total_length,
                self.model.config.n_head,
                **self.attention_inputs(block, qkv, positions),
            )
            x = x + block.attention_out(mixed)
            x = x + block.feed_forward(block.feed_forward_norm(x))
            present += caches
        wanted = x.index_select(1, logits_at).reshape(-1, x.shape[2])  # (B, T, C) -> (B K, C)
        return F.linear(self.model.final_norm(wanted), self.model.embedding.weight), *present

    def embed(self, token_ids: Tensor, last_position: Tensor) -> Tensor:
        """What the first block is given, (B, T, C)."""
        embedded: Tensor = self.model.embedding(token_ids)
        return embedded

    def positions(self, length: int, last_position: Tensor, total_length: Tensor) -> tuple[Tensor, ...]:
        """What every layer's attention is told about the positions of the `length` new tokens."""
        return ()

    def attention_inputs(self, block: Block, qkv: Tensor, positions: tuple[Tensor, ...]) -> Mapping[str, Any]:
        """What a layer's attention is given beside `qkv`, as `cached_attention` takes it."""
        return {}
