"""The loss is what it says, position by position."""

import math

import pytest
import torch

from notation.tokens.vocabulary import FIRST_REFERENCE, TOKENS
from training.objectives.next_token import next_token_loss, position_costs

V = len(TOKENS)


@pytest.fixture
def logits():
    return torch.randn(2, 5, V, generator=torch.Generator().manual_seed(0))


def test_a_plain_position_costs_its_negative_log_probability(logits):
    targets = torch.randint(0, V, (2, 5), generator=torch.Generator().manual_seed(1))
    costs = position_costs(logits, targets, torch.zeros_like(targets))
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    torch.testing.assert_close(costs.flatten(), expected)


@pytest.mark.parametrize(
    "backs",
    [
        pytest.param([1], id="the measure before"),
        pytest.param([4, 8], id="either of two"),
        pytest.param([32], id="the farthest"),
        pytest.param(list(range(1, 33)), id="any at all"),
    ],
)
def test_a_repeat_costs_what_all_right_references_have_together(logits, backs):
    targets = torch.full((2, 5), 7)
    masks = torch.zeros((2, 5), dtype=torch.int64)
    masks[1, 2] = sum(1 << (back - 1) for back in backs)
    costs = position_costs(logits, targets, masks)
    probabilities = logits[1, 2].softmax(-1)
    expected = -math.log(sum(probabilities[FIRST_REFERENCE + back - 1].item() for back in backs))
    assert costs[1, 2].item() == pytest.approx(expected, abs=1e-5)
    assert costs[0, 0].item() == pytest.approx(-logits[0, 0].log_softmax(-1)[7].item(), abs=1e-5)


def test_the_loss_is_the_weighted_mean(logits):
    targets = torch.zeros((2, 5), dtype=torch.int64)
    targets[0, 1] = -100
    weights = torch.rand(2, 5, generator=torch.Generator().manual_seed(2))
    weights[0, 1] = 0
    sums = next_token_loss(logits, targets, torch.zeros_like(targets), weights)
    costs = position_costs(logits, targets, torch.zeros_like(targets))
    assert sums.loss.item() == pytest.approx(((costs * weights).sum() / weights.sum()).item())
    assert sums.n_positions == 9


def test_what_has_no_weight_has_no_gradient(logits):
    logits.requires_grad_()
    weights = torch.ones(2, 5)
    weights[0] = 0
    masks = torch.zeros((2, 5), dtype=torch.int64)
    masks[:, 3] = 5
    next_token_loss(logits, torch.ones((2, 5), dtype=torch.int64), masks, weights).loss.backward()
    assert not logits.grad[0].any()
    assert logits.grad[1].any(-1).all()
    assert logits.grad.isfinite().all()


def test_a_repeat_is_taught_by_raising_the_right_references(logits):
    logits.requires_grad_()
    masks = torch.zeros((2, 5), dtype=torch.int64)
    masks[0, 0] = 0b101
    next_token_loss(logits, torch.full((2, 5), 3), masks, torch.ones(2, 5)).loss.backward()
    falling = (logits.grad[0, 0] < 0).nonzero().flatten().tolist()
    assert falling == [FIRST_REFERENCE, FIRST_REFERENCE + 2]


def test_nothing_to_learn_costs_nothing(logits):
    targets = torch.full((2, 5), -100)
    assert next_token_loss(logits, targets, torch.zeros_like(targets), torch.zeros(2, 5)).loss == 0
