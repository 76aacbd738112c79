"""A decoder-only transformer that knows positions only as distances: Music Transformer.

Each head has a learned vector for every distance; its product with the query is added to the attention score of the
key that stands so far back. Norms come before each block, as in our other transformers (the paper puts them after), and
distances go back over the whole window. The feed-forward is ReLU's, the output head shares the embedding's weights.

In the exported step the products with the distances become the bias of the attention operator, so keys and values
have the same cache as elsewhere.

Source: Huang et al., Music Transformer (arXiv 1809.04281).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.attention import cache_tensors, cached_attention, causal_attention, initialise
from training.models.contract import LanguageModel, ModelConfig, StepModule


class Block(nn.Module):
    """Relative attention, then the feed-forward, each after its norm and added to what came in."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, hidden = config.n_embd, config.n_hidden or 4 * config.n_embd
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.distances = nn.Parameter(torch.empty(config.n_head, config.block_size, config.head_size))
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
        down: Tensor = self.down(F.relu(self.up(x)))
        return down

    def _attend(self, x: Tensor) -> Tensor:
        size = self.config.head_size
        q, k, v = (each.unflatten(-1, (-1, size)).transpose(1, 2) for each in self.qkv(x).chunk(3, dim=-1))
        dropout = self.config.dropout if self.training else 0.0
        mixed = causal_attention(q, k, v, dropout, relative=self.distances.type_as(q))
        return mixed.transpose(1, 2).flatten(2)  # (B, n_head, T, head_size) -> (B, T, C)


class MusicTransformer(LanguageModel):
    """The transformer; `n_kv_head` has no meaning here."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocabulary_size, config.n_embd)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.final_norm = nn.LayerNorm(config.n_embd)
        self.dropout = nn.Dropout(config.dropout)
        initialise(self, config.n_layer, residual=("attention_out", "down"))

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64, T <= block_size -> logits (B, T, V)."""
        self.config.check_window(token_ids.shape[1])
        x = self.dropout(self.embedding(token_ids))  # (B, T, C)
        for block in self.blocks:
            x = block(x)
        return F.linear(self.final_norm(x), self.embedding.weight)  # (B, T, V)

    def step_module(self, max_length: int) -> StepModule:
        """The step with a key and a value cache of `max_length` positions a layer.

        Raises:
            ValueError: there is no vector learned for distances as long as that.
        """
        self.config.check_window(max_length)
        return MusicTransformerStep(self, max_length)


class MusicTransformerStep(StepModule):
    """The transformer for tracing."""

    def __init__(self, model: MusicTransformer, max_length: int) -> None:
        super().__init__()
        self.model = model
        self.state = cache_tensors(model.config, model.config.n_head, max_length)

    def forward(self, token_ids: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor) -> Any:
        """See `StepModule`; state is key and value of each layer, each (B, n_head, max_length, head_size)."""
        n_head = self.model.config.n_head
        x = self.model.embedding(token_ids)  # (B, T, C)
        distances = self._distances(token_ids.shape[1], last_position, total_length)
        present: list[Tensor] = []
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            qkv = block.qkv(block.attention_norm(x))
            bias = self._bias(block, qkv, distances)
            past = state[2 * layer : 2 * layer + 2]
            mixed, *caches = cached_attention(qkv, past, last_position, total_length, n_head, bias=bias)
            x = x + block.attention_out(mixed)
            x = x + block.feed_forward(block.feed_forward_norm(x))
            present += caches
        last = self.model.final_norm(x[:, -1])  # (B, T, C) -> (B, C)
        return F.linear(last, self.model.embedding.weight), *present

    def _distances(self, length: int, last_position: Tensor, total_length: Tensor) -> Tensor:
        """How far back each key is from each new token, 0 where it comes later: (B, 1, T, total_length)."""
        n_keys = total_length.item()
        torch._check(n_keys >= 1)  # type: ignore[no-untyped-call]
        torch._check(n_keys <= self.state[0].shape[1])  # type: ignore[no-untyped-call]
        positions = last_position[:, None].long() + torch.arange(1 - length, 1)  # (B, T)
        return (positions[:, None, :, None] - torch.arange(n_keys)).clamp_min(0)

    def _bias(self, block: Block, qkv: Tensor, distances: Tensor) -> Tensor:
        """What attention adds to its scaled scores: (B, n_head, T, total_length)."""
        config = self.model.config
        q = qkv[:, :, : config.n_embd].view(*qkv.shape[:2], config.n_head, config.head_size)
        vectors = block.distances[:, : distances.shape[3]] * config.head_size**-0.5  # (n_head, total_length, head_size)
        products = q.transpose(1, 2) @ vectors.transpose(-1, -2)  # (B, n_head, T, total_length), by distance
        picked: Tensor = products.gather(3, distances.expand_as(products))
        return picked
