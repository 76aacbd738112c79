"""A decoder-only transformer with root-mean-square norms before each block, rotary positions and a gated feed-forward.

Attention may share key and value heads among query heads.

Sources: Touvron et al., LLaMA (arXiv 2302.13971); Su et al., RoFormer (2104.09864); Shazeer, GLU variants (2002.05202);
Ainslie et al., grouped queries (2305.13245). Rotary pairs are (i, i + head_size / 2), as the GroupQueryAttention
operator of onnxruntime has them with `rotary_interleaved = 0`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.attention import causal_attention
from training.models.contract import ModelConfig, StepModule
from training.models.transformer import Block, Transformer, TransformerStep

NORM_EPSILON = 1e-5


def rotary_tables(length: int, head_size: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary angles, each (length, head_size / 2) float32."""
    wavelengths = theta ** (-torch.arange(0, head_size, 2, dtype=torch.float64) / head_size)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), wavelengths)
    return angles.cos().float(), angles.sin().float()


def rotate(heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair of `heads` (B, n_head, T, head_size) by its position's angle; cos, sin (T, head_size / 2)."""
    first, second = heads.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class LlamaBlock(Block):
    """Root-mean-square norms, no biases, grouped queries and a gated feed-forward."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.kv_size = config.n_kv_head * config.head_size
        self.attention_norm = nn.RMSNorm(config.n_embd, eps=NORM_EPSILON)
        self.qkv = nn.Linear(config.n_embd, config.n_embd + 2 * self.kv_size, bias=False)
        self.attention_out = nn.Linear(config.n_embd, config.n_embd, bias=False)
        self.feed_forward_norm = nn.RMSNorm(config.n_embd, eps=NORM_EPSILON)
        self.gate_up = nn.Linear(config.n_embd, 2 * config.hidden_size, bias=False)
        self.down = nn.Linear(config.hidden_size, config.n_embd, bias=False)

    def attend(self, qkv: Tensor, *positions: Tensor) -> Tensor:
        """Causal attention over a whole window.

        Args:
            qkv: (B, T, C + 2 kv_size).
            positions: the cosines and sines of `rotary_tables`, each (T, head_size / 2).

        Returns:
            (B, T, C).
        """
        cos, sin = positions
        heads = qkv.view(*qkv.shape[:2], -1, self.config.head_size).transpose(1, 2)  # (B, all heads, T, head_size)
        n_head, n_kv_head = self.config.n_head, self.config.n_kv_head
        q, k, v = torch.split(heads, [n_head, n_kv_head, n_kv_head], dim=1)
        q, k = (rotate(heads, cos, sin).type_as(v) for heads in (q, k))
        mixed = causal_attention(q, k, v)
        return mixed.transpose(1, 2).flatten(2)  # (B, n_head, T, head_size) -> (B, T, C)

    def feed_forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # each (B, T, hidden_size)
        down: Tensor = self.down(F.silu(gate) * up)
        return down


class Llama(Transformer):
    """The transformer; about 5 million weights with the default dimensions and 1,000 tokens."""

    rotary_cos: Tensor
    rotary_sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        norm = nn.RMSNorm(config.n_embd, eps=NORM_EPSILON)
        super().__init__(config, (LlamaBlock(config) for _ in range(config.n_layer)), norm)
        cos, sin = rotary_tables(config.block_size, config.head_size, config.rope_theta)
        self.register_buffer("rotary_cos", cos, persistent=False)
        self.register_buffer("rotary_sin", sin, persistent=False)

    def positions(self, length: int) -> tuple[Tensor, ...]:
        """Cosines and sines, each (length, head_size / 2)."""
        return self.rotary_cos[:length], self.rotary_sin[:length]

    def step_module(self, max_length: int) -> StepModule:
        """The step with a key and a value cache of `max_length` positions a layer."""
        return LlamaStep(self, max_length)


class LlamaStep(TransformerStep):
    """The transformer for tracing; the attention operator also rotates."""

    rotary_cos: Tensor
    rotary_sin: Tensor

    def __init__(self, model: Llama, max_length: int) -> None:
        config = model.config
        super().__init__(model, config.n_kv_head, max_length)
        cos, sin = rotary_tables(max_length, config.head_size, config.rope_theta)
        self.register_buffer("rotary_cos", cos)
        self.register_buffer("rotary_sin", sin)

    def positions(self, length: int, last_position: Tensor, total_length: Tensor) -> tuple[Tensor, ...]:
        """Cosines and sines of all positions, each (max_length, head_size / 2): the operator picks its own."""
        return self.rotary_cos, self.rotary_sin

    def attention_inputs(self, block: Block, qkv: Tensor, positions: tuple[Tensor, ...]) -> Mapping[str, Any]:
        """The angles that queries and keys are turned by."""
        return {"rotary": positions}
