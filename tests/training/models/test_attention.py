"""Causal attention: blocks of queries, distances, and the way without blocks that a graphics card takes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.models.attention import QUERY_BLOCK, causal_attention, causal_bias, skewed

B, N_HEAD, SIZE = 2, 3, 8
LENGTHS = pytest.mark.parametrize(
    "length",
    [
        pytest.param(1, id="one token"),
        pytest.param(QUERY_BLOCK, id="one block"),
        pytest.param(2 * QUERY_BLOCK + 5, id="blocks and a part of one"),
    ],
)


def draw(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def one_by_one(q: Tensor, relative: Tensor) -> Tensor:
    """Each query's product with the vector of its distance to each key, zero at later keys: (B, n_head, T, T)."""
    length = q.shape[2]
    products = torch.zeros(*q.shape[:2], length, length)
    for query in range(length):
        for key in range(query + 1):
            products[:, :, query, key] = (q[:, :, query] * relative[:, query - key]).sum(-1)
    return products


def plain(q: Tensor, k: Tensor, v: Tensor, added: Tensor) -> Tensor:
    """The definition: softmax of the scaled sum of both products, over the keys that are not later."""
    scores = (q @ k.transpose(-1, -2) + added) * SIZE**-0.5
    later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(-1) @ v


@pytest.mark.parametrize("n", [1, 3, 7])
def test_skewing_puts_each_product_at_its_key(n: int) -> None:
    q, relative = draw(B, N_HEAD, 7, SIZE, seed=0), draw(N_HEAD, 7, SIZE, seed=1)
    last = skewed(q[:, :, -n:], relative)
    torch.testing.assert_close(last.tril(7 - n), one_by_one(q, relative)[:, :, -n:])


@LENGTHS
def test_blocks_attend_like_the_whole(length: int) -> None:
    q, k, v = (draw(B, N_HEAD, length, SIZE, seed=seed) for seed in range(3))
    torch.testing.assert_close(causal_attention(q, k, v), plain(q, k, v, torch.zeros(1)))


def test_distances_count() -> None:
    length = QUERY_BLOCK + 6
    q, k, v = (draw(1, 1, length, SIZE, seed=seed) for seed in range(3))
    relative = draw(1, length + 10, SIZE, seed=3)
    wanted = plain(q, k, v, one_by_one(q, relative))
    torch.testing.assert_close(causal_attention(q, k, v, relative=relative), wanted)


def test_the_bias_for_a_graphics_card_says_the_same() -> None:
    q, k, v = (draw(B, N_HEAD, 9, SIZE, seed=seed) for seed in range(3))
    relative = draw(N_HEAD, 12, SIZE, seed=3)
    bias = causal_bias(q, relative)
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    torch.testing.assert_close(mixed, causal_attention(q, k, v, relative=relative))


def test_query_heads_share_keys() -> None:
    q, k, v = draw(B, 4, 9, SIZE, seed=0), draw(B, 2, 9, SIZE, seed=1), draw(B, 2, 9, SIZE, seed=2)
    repeated = [heads.repeat_interleave(2, dim=1) for heads in (k, v)]
    torch.testing.assert_close(causal_attention(q, k, v), causal_attention(q, *repeated))
