"""The n-gram model's probabilities are those of Witten and Bell's rule, worked out by hand. A token is a number."""

import numpy as np
import pytest

from training.metrics.ngram import NGram

SEQUENCES = [[1, 2, 1, 2, 1, 3], [1, 2]]


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("context", [[], [1], [2, 1], [3], [1, 3, 3, 2, 1, 2, 1]])
def test_probabilities_add_up_to_one(order, context):
    probabilities = NGram(SEQUENCES, vocabulary_size=5, order=order).probabilities(context)
    assert probabilities.sum() == pytest.approx(1)
    assert (probabilities > 0).all()


def test_one_gram_counts_tokens():
    # 8 tokens of 3 kinds: (count + 3 / 5) / (8 + 3)
    expected = (np.array([0, 4, 3, 1, 0]) + 3 / 5) / 11
    assert NGram(SEQUENCES, vocabulary_size=5, order=1).probabilities([2]) == pytest.approx(expected)


def test_a_longer_context_is_interpolated_with_the_shorter():
    shorter = (np.array([0, 4, 3, 1, 0]) + 3 / 5) / 11
    # After 1: 2 three times, 3 once; two kinds.
    expected = (np.array([0, 0, 3, 1, 0]) + 2 * shorter) / 6
    assert NGram(SEQUENCES, vocabulary_size=5, order=2).probabilities([3, 1]) == pytest.approx(expected)


def test_a_context_that_was_never_met_says_what_a_shorter_one_says():
    model = NGram(SEQUENCES, vocabulary_size=5, order=3)
    assert model.probabilities([3, 1]) == pytest.approx(NGram(SEQUENCES, vocabulary_size=5, order=2).probabilities([1]))


def test_the_start_of_a_sequence_is_a_context():
    assert NGram([[1, 2], [1, 2], [2, 1, 1]], vocabulary_size=3, order=3).probabilities([]).argmax() == 1


def test_without_training_text_nothing_is_known():
    assert NGram([], vocabulary_size=4, order=3).probabilities([1, 2]) == pytest.approx([0.25] * 4)
