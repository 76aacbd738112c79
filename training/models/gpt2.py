"""A decoder-only transformer with learned positions, layer norms before each block and a GELU feed-forward.

Positions are learned one by one, so the model knows none beyond `block_size`, and its state has no room for more.

Source: Radford et al., Language models are unsupervised multitask learners (2019).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.attention import causal_attention
from training.models.contract import ModelConfig, StepModule
from training.models.transformer import Block, Transformer, TransformerStep


class GPT2Block(Block):
    """Layer norms, biases, and as many key and value heads as query heads."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        width, hidden = config.n_embd, config.n_hidden or 4 * config.n_embd
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def attend(self, qkv: Tensor, *positions: Tensor) -> Tensor:
        """Causal attention over a whole window: (B, T, 3 C) -> (B, T, C)."""
        heads = qkv.view(*qkv.shape[:2], -1, self.config.head_size).transpose(1, 2)  # (B, 3 n_head, T, head_size)
        q, k, v = heads.chunk(3, dim=1)
        mixed = causal_attention(q, k, v, relative=self.relative(q))
        return mixed.transpose(1, 2).flatten(2)  # (B, n_head, T, head_size) -> (B, T, C)

    def relative(self, q: Tensor) -> Tensor | None:
        """Vectors by distance for `causal_attention`; here there are none."""
        return None

    def feed_forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        down: Tensor = self.down(self.activation(self.up(x)))
        return down

    def activation(self, x: Tensor) -> Tensor:
        """GELU, in the approximation that GPT-2 uses."""
        return F.gelu(x, approximate="tanh")


class GPT2(Transformer):
    """The transformer; `n_kv_head` has no meaning here."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, (GPT2Block(config) for _ in range(config.n_layer)), nn.LayerNorm(config.n_embd))
        self.position_embedding = nn.Embedding(config.block_size, config.n_embd)
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def embed(self, token_ids: Tensor) -> Tensor:
        """Tokens and positions: token_ids (B, T) int64 -> (B, T, C)."""
        return super().embed(token_ids) + self.position_embedding.weight[: token_ids.shape[1]]

    def step_module(self, max_length: int) -> StepModule:
        """The step with a key and a value cache of `max_length` positions a layer.

        Raises:
            ValueError: there is no position learned for so many tokens.
        """
        self.config.check_window(max_length)
        return GPT2Step(self, max_length)


class GPT2Step(TransformerStep):
    """The transformer for tracing."""

    def __init__(self, model: GPT2, max_length: int) -> None:
        super().__init__(model, model.config.n_head, max_length)
        self.position_embedding = model.position_embedding

    def embed(self, token_ids: Tensor, last_position: Tensor) -> Tensor:
        """Tokens and positions, (B, T, C)."""
        positions = last_position[:, None].long() + torch.arange(1 - token_ids.shape[1], 1)  # (B, T)
        embedded: Tensor = super().embed(token_ids, last_position) + self.position_embedding(positions)
        return embedded
