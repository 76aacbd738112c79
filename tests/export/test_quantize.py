"""Eight-bit blocks: how far a weight moves."""

from __future__ import annotations

import numpy as np
import pytest

from export.quantize import BLOCK, ZERO, quantize_blocks


@pytest.mark.parametrize("k", [pytest.param(2 * BLOCK, id="whole blocks"), pytest.param(BLOCK + 3, id="a part block")])
def test_a_weight_moves_by_at_most_half_a_step(k: int) -> None:
    weights = np.random.default_rng(0).normal(size=(k, 5)).astype(np.float32)
    values, scales = quantize_blocks(weights)
    restored = ((values.astype(np.float32) - ZERO) * scales[:, :, None]).reshape(5, -1)[:, :k].T
    steps = np.repeat(scales, BLOCK, axis=1)[:, :k].T
    assert np.all(np.abs(restored - weights) <= steps * 0.501)
    assert np.abs(restored - weights).max() > 0


def test_zeros_stay_zero() -> None:
    values, scales = quantize_blocks(np.zeros((BLOCK, 2), np.float32))
    assert np.all(values == ZERO)
    assert np.all(scales == 0)


def test_each_block_has_its_own_scale() -> None:
    weights = np.ones((2 * BLOCK, 1), np.float32)
    weights[BLOCK:] = 0.001
    values, scales = quantize_blocks(weights)
    np.testing.assert_allclose(scales, [[1 / 127, 0.001 / 127]], rtol=1e-6)
    assert np.all(values == ZERO + 127)
