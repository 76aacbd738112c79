"""Compound tokens: what they are made of, and that their factors make one distribution over the vocabulary."""

from __future__ import annotations

import pytest
import torch

from notation.tokens.vocabulary import TOKEN_IDS, TOKENS
from training.models import ModelConfig
from training.models.lstm_heads import CompoundHead, LSTMHeads, kinds, parts


def config(vocabulary_size: int = len(TOKENS)) -> ModelConfig:
    return ModelConfig("lstm_heads", vocabulary_size, n_layer=1, n_embd=32, block_size=64)


@pytest.mark.parametrize(
    ("token", "made_of"),
    [
        pytest.param("n:9:-1", ("n", "octave 1", "degree 2", "alter -1"), id="a note"),
        pytest.param("n:-1:0", ("n", "octave -1", "degree 6", "alter 0"), id="a note below the tonic"),
        pytest.param("up:2:1", ("up", "steps 2", "alter 1"), id="a note of a chord"),
        pytest.param("d:1/8", ("d", "duration 1/8", "tuplet None"), id="a duration"),
        pytest.param("d:1/12(3:2)", ("d", "duration 1/12", "tuplet (3, 2)"), id="a duration in a tuplet"),
        pytest.param("key:-2", ("key", "value key:-2"), id="a value"),
        pytest.param(":|", (":|",), id="a sign"),
    ],
)
def test_a_token_is_made_of(token: str, made_of: tuple[str, ...]) -> None:
    assert parts(TOKEN_IDS[token]) == made_of


def test_no_two_tokens_are_made_alike() -> None:
    assert len({parts(token_id) for token_id in range(len(TOKENS))}) == len(TOKENS)


@pytest.mark.parametrize("vocabulary_size", [len(TOKENS), 50, TOKEN_IDS["n:0:1"]])
def test_kinds_cover_the_vocabulary(vocabulary_size: int) -> None:
    assert sum(kind.n_tokens for kind in kinds(vocabulary_size)) == vocabulary_size


def test_probabilities_add_up_to_one() -> None:
    torch.manual_seed(0)
    head = CompoundHead(config())
    with torch.no_grad():
        head.factors.weight.normal_(std=1.0)
        logits = head(torch.randn(5, 32))
    assert logits.shape == (5, len(TOKENS))
    torch.testing.assert_close(logits.logsumexp(-1), torch.zeros(5), rtol=0, atol=1e-5)
    assert logits.std() > 1


def test_alterations_are_weighed_alike_at_every_step() -> None:
    """The heads of step and alteration are apart: how much likelier a sharp is than a natural is no matter of step."""
    with torch.no_grad():
        logits = LSTMHeads(config()).eval()(torch.tensor([[0, TOKEN_IDS["n:3:0"]]]))[0, -1]
    sharper = [float(logits[TOKEN_IDS[f"n:{step}:1"]] - logits[TOKEN_IDS[f"n:{step}:0"]]) for step in (-7, 0, 12)]
    assert sharper == pytest.approx([sharper[0]] * 3, abs=1e-5)


def test_what_a_note_teaches_is_known_of_its_octave() -> None:
    torch.manual_seed(0)
    model = LSTMHeads(config())
    low, high, other = (model.embedding(torch.tensor([TOKEN_IDS[token]])) for token in ("n:0:0", "n:7:0", "n:4:1"))
    assert (low - high).norm() < (low - other).norm()


def test_other_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match=f"{len(TOKENS)} tokens.*{len(TOKENS) + 1}"):
        LSTMHeads(config(len(TOKENS) + 1))
