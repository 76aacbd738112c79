"""A decoder-only transformer with root-mean-square norms before each block, rotary positions and a gated feed-forward.

Attention may share key and value heads among query heads; the output head shares the embedding's weights.

Sources: Touvron et al., LLaMA (arXiv 2302.13971); Su et al., RoFormer (2104.09864); Shazeer, GLU variants (2002.05202);
Ainslie et al., grouped queries (2305.13245). Rotary pairs are (i, i + head_size / 2), as the GroupQueryAttention
operator of onnxruntime has them with `rotary_interleaved = 0`.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.attention import cache_tensors, cached_attention, causal_attention, initialise
from training.models.contract import LanguageModel, ModelConfig, StepModule

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


class Block(nn.Module):
    """Attention, then the gated feed-forward, each after its norm and added to what came in."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.kv_size = config.n_kv_head * config.head_size
        self.attention_norm = nn.RMSNorm(config.n_embd, eps=NORM_EPSILON)
        self.qkv = nn.Linear(config.n_embd, config.n_embd + 2 * self.kv_size, bias=False)
        self.attention_out = nn.Linear(config.n_embd, config.n_embd, bias=False)
        self.feed_forward_norm = nn.RMSNorm(config.n_embd, eps=NORM_EPSILON)
        self.gate_up = nn.Linear(config.n_embd, 2 * config.hidden_size, bias=False)
        self.down = nn.Linear(config.hidden_size, config.n_embd, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C); cos, sin (T, head_size / 2)."""
        x = x + self.dropout(self.attention_out(self._attend(self.attention_norm(x), cos, sin)))
        out: Tensor = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return out

    def feed_forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # each (B, T, hidden_size)
        down: Tensor = self.down(F.silu(gate) * up)
        return down

    def _attend(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, width = x.shape
        size = self.config.head_size
        q, k, v = self.qkv(x).split((width, self.kv_size, self.kv_size), dim=-1)
        q = q.view(batch, length, -1, size).transpose(1, 2)  # (B, n_head, T, head_size)
        k = k.view(batch, length, -1, size).transpose(1, 2)  # (B, n_kv_head, T, head_size)
        v = v.view(batch, length, -1, size).transpose(1, 2)  # (B, n_kv_head, T, head_size)
        dropout = self.config.dropout if self.training else 0.0
        mixed = causal_attention(rotate(q, cos, sin).type_as(v), rotate(k, cos, sin).type_as(v), v, dropout)
        return mixed.transpose(1, 2).reshape(batch, length, width)  # (B, n_head, T, head_size) -> (B, T, C)


class Llama(LanguageModel):
    """The transformer; about 5 million weights with the default dimensions and 1,000 tokens."""

    rotary_cos: Tensor
    rotary_sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.embedding = nn.Embedding(config.vocabulary_size, config.n_embd)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.final_norm = nn.RMSNorm(config.n_embd, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(config.dropout)
        cos, sin = rotary_tables(config.block_size, config.head_size, config.rope_theta)
        self.register_buffer("rotary_cos", cos, persistent=False)
        self.register_buffer("rotary_sin", sin, persistent=False)
        initialise(self, config.n_layer, residual=("attention_out", "down"))

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64, T <= block_size -> logits (B, T, V)."""
        length = token_ids.shape[1]
        self.config.check_window(length)
        x = self.dropout(self.embedding(token_ids))  # (B, T, C)
        cos, sin = self.rotary_cos[:length], self.rotary_sin[:length]
        for block in self.blocks:
            x = block(x, cos, sin)
        return F.linear(self.final_norm(x), self.embedding.weight)  # (B, T, V)

    def step_module(self, max_length: int) -> StepModule:
        """The step with a key and a value cache of `max_length` positions a layer."""
        return LlamaStep(self, max_length)


class LlamaStep(StepModule):
    """The transformer for tracing: attention is one GroupQueryAttention a layer, which rotates, caches and attends."""

    rotary_cos: Tensor
    rotary_sin: Tensor

    def __init__(self, model: Llama, max_length: int) -> None:
        super().__init__()
        config = model.config
        self.model = model
        cos, sin = rotary_tables(max_length, config.head_size, config.rope_theta)
        self.register_buffer("rotary_cos", cos)
        self.register_buffer("rotary_sin", sin)
        self.state = cache_tensors(config, config.n_kv_head, max_length)

    def forward(self, token_ids: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor) -> Any:
        """See `StepModule`; state is key and value of each layer, each (B, n_kv_head, max_length, head_size)."""
        x = self.model.embedding(token_ids)  # (B, T, C)
        rotary = self.rotary_cos, self.rotary_sin
        present: list[Tensor] = []
        for layer, block in enumerate(self.model.blocks):
            assert isinstance(block, Block)
            qkv = block.qkv(block.attention_norm(x))
            past = state[2 * layer : 2 * layer + 2]
            mixed, *caches = cached_attention(
                qkv, past, last_position, total_length, self.model.config.n_head, rotary=rotary
            )
            x = x + block.attention_out(mixed)
            x = x + block.feed_forward(block.feed_forward_norm(x))
            present += caches
        last = self.model.final_norm(x[:, -1])  # (B, T, C) -> (B, C)
        return F.linear(last, self.model.embedding.weight), *present
