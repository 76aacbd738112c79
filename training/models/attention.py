"""What the transformers have in common: causal attention, in training and in the exported step.

Training attends over whole windows. The step is one GroupQueryAttention operator of onnxruntime a layer, which writes
keys and values into a cache of fixed size, in place, and attends to what stands there.

Source: Vaswani et al., Attention is all you need (arXiv 1706.03762); the operator's definition,
com.microsoft.GroupQueryAttention, onnxruntime contrib operators.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.contract import ModelConfig, StateTensor

QUERY_BLOCK = 128


def causal_attention(q: Tensor, k: Tensor, v: Tensor, relative: Tensor | None = None) -> Tensor:
    """Each position attends to itself and to those before it.

    On the CPU this is done a block of queries at a time, against the keys up to the block's end: compiled, a training
    step of 512 tokens is then a third faster than with torch's own fused kernel.

    Args:
        q: (B, n_head, T, head_size).
        k, v: (B, n_kv_head, T, head_size).
        relative: a vector for each distance from 0 on, (n_head, at least T, head_size); its product with the query is
            added to the query's product with the key at that distance.

    Returns:
        (B, n_head, T, head_size).
    """
    grouped = q.shape[1] != k.shape[1]
    if not q.is_cpu:
        bias = None if relative is None else causal_bias(q, relative)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, is_causal=bias is None, enable_gqa=grouped)
    if grouped:
        k, v = (heads.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for heads in (k, v))
    q = q * q.shape[-1] ** -0.5
    mixed = []
    for start in range(0, q.shape[2], QUERY_BLOCK):
        end = min(start + QUERY_BLOCK, q.shape[2])
        scores = q[:, :, start:end] @ k[:, :, :end].transpose(-1, -2)  # (B, n_head, end - start, end)
        if relative is not None:
            scores = scores + skewed(q[:, :, start:end], relative[:, :end])
        later = torch.ones(end - start, end, dtype=torch.bool, device=q.device).triu(1 + start)
        weights = scores.float().masked_fill(later, -torch.inf).softmax(-1).type_as(v)
        mixed.append(weights @ v[:, :, :end])
    return torch.cat(mixed, dim=2)


def skewed(q: Tensor, relative: Tensor) -> Tensor:
    """The product of each query with the vector of its distance to each key, without a vector for each pair.

    All products with all distances are made in one, the farthest first; each row is then a place too far to the right
    of the row after it. A column put before them and another cut of the same memory into rows move every row to its
    place ("skewing": Huang et al., arXiv 1809.04281, section 3.4.1, here for the last queries of a window).

    Args:
        q: the queries of the last N of T positions, (B, n_head, N, head_size).
        relative: vectors of the distances 0 to T - 1, (n_head, T, head_size).

    Returns:
        (B, n_head, N, T); what stands at keys after the query means nothing.
    """
    n, length = q.shape[2], relative.shape[1]
    products = q @ relative.flip(1).transpose(-1, -2)  # (B, n_head, N, T), distances T - 1 to 0
    padded = F.pad(products, (1, 0)).flatten(2)  # (B, n_head, N (T + 1))
    return padded[:, :, n:].view(*q.shape[:2], n, length)


def causal_bias(q: Tensor, relative: Tensor) -> Tensor:
    """The same as what attention adds to scaled scores, minus infinity at keys after the query: (B, n_head, T, T)."""
    length = q.shape[2]
    bias = skewed(q * q.shape[-1] ** -0.5, relative[:, :length])
    later = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
    return bias.masked_fill(later, -torch.inf)


def cache_tensors(config: ModelConfig, n_kv_head: int, max_length: int) -> tuple[StateTensor, ...]:
    """A key and a value cache a layer, each (n_kv_head, max_length, head_size) a row."""
    shape = (n_kv_head, max_length, config.head_size)
    names = [f"{part}_{layer}" for layer in range(config.n_layer) for part in ("key", "value")]
    return tuple(StateTensor(name, shape, "cache") for name in names)


def cached_attention(
    qkv: Tensor,
    past: tuple[Tensor, ...],
    last_position: Tensor,
    total_length: Tensor,
    n_head: int,
    *,
    rotary: tuple[Tensor, Tensor] | None = None,
    bias: Tensor | None = None,
) -> Any:
    """One GroupQueryAttention, for tracing.

    Args:
        qkv: queries, keys and values of the new tokens, side by side in the last axis.
        past: the caches of keys and values, each (B, n_kv_head, max_length, head_size).
        last_position, total_length: see `StepModule`.
        n_head: heads of queries.
        rotary: cosines and sines by position, if queries and keys are to be turned.
        bias: added to the scaled scores, (B, n_head, T, total_length).

    Returns:
        What was attended to, (B, T, n_head * head_size), and both caches with the new tokens.
    """
    key, value = past
    batch, length = qkv.shape[:2]
    cos, sin = rotary or (None, None)
    inputs: tuple[Tensor | None, ...] = (qkv, None, None, key, value, last_position, total_length, cos, sin)
    if bias is not None:
        inputs += (None, bias)
    return torch.onnx.ops.symbolic_multi_out(
        "com.microsoft::GroupQueryAttention",
        inputs,
        attrs={"num_heads": n_head, "kv_num_heads": key.shape[1], "do_rotary": int(rotary is not None)},
        dtypes=(qkv.dtype, key.dtype, value.dtype),
        shapes=((batch, length, n_head * key.shape[3]), key.shape, value.shape),
        version=1,
    )


def initialise(model: nn.Module, n_layer: int, residual: tuple[str, ...]) -> None:
    """Small normal weights; those that write to the residual stream smaller with depth, so that its size holds.

    Args:
        model: its matrices are overwritten, and its biases set to 0.
        n_layer: blocks, each of which writes to the stream twice.
        residual: names that the modules which write to it end with.
    """
    for name, weight in model.named_parameters():
        module, _, kind = name.rpartition(".")
        if weight.dim() >= 2:
            nn.init.normal_(weight, std=0.02 / (math.sqrt(2 * n_layer) if module.endswith(residual) else 1.0))
        elif kind == "bias":
            nn.init.zeros_(weight)
