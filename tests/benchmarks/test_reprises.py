"""The weights of what comes again are those that make what came likeliest."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks.reprises import NAMES, Measures, costs, fit, held_out

N = 200


@pytest.fixture
def measures() -> Measures:
    """Two reprises a measure, of which the one with more alike before it comes, unless something new does."""
    random = torch.Generator().manual_seed(0)
    features = torch.zeros(N, 3, len(NAMES))
    alike = torch.rand(N, 2, generator=random) * 3
    features[:, 1:, NAMES.index("REPRISE")] = 1
    features[:, 1:, NAMES.index("ALIKE")] = alike
    features[:, 0, NAMES.index("NEW")] = -torch.rand(N, generator=random)
    absent = torch.zeros(N, 3)
    absent[::2, 2] = -math.inf  # every other measure has one reprise alone
    came = torch.where(alike.max(1).values > 1.5, 1 + alike.argmax(1), 0)
    came[::2] = torch.where(alike[::2, 0] > 1.5, 1, 0)
    return Measures(features, absent, came, torch.full((N,), math.log(3)), [f"tune {index // 4}" for index in range(N)])


def test_what_is_alike_counts(measures: Measures) -> None:
    weights = dict(zip(NAMES, fit(measures, torch.ones(N, dtype=torch.bool)).tolist(), strict=True))
    assert weights["ALIKE"] > 1
    assert weights["REPRISE"] < -1
    assert weights["SEEN"] == weights["SAID"] == 0


def test_others_cost_less_than_without_weights(measures: Measures) -> None:
    unweighted = float(costs(measures, torch.zeros(len(NAMES))).mean())
    assert unweighted == pytest.approx((math.log(2) + math.log(3)) / 2)
    assert held_out(measures) < 0.7 * unweighted
