"""An LSTM over compound tokens, with heads of their own for pitch, alteration and duration.

Networks of this family read a note as one compound of pitch, onset and duration, and have an output head for each. Our
token stream says the same things one after another, since all architectures share it: a duration holds until the next,
pitch follows, and an onset is not said at all but follows from the durations before it. So here the compound is the
token's: it is read as the sum of what it is made of (a note: its kind, octave, degree and alteration; a duration: its
kind, length and tuplet), and written by factors: the probability of a token is that of its kind (a note, a further
note of a chord, a duration, something else), times that of each of its values given the kind, each from a head of its
own: step and alteration, duration, or which of the other tokens it is. There is therefore no head for the onset.

The factors' probabilities multiply to one distribution over the vocabulary, so the logits are log-probabilities and
everything that reads logits works as with any other architecture. The heads are the rows of one matrix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from notation.tokens.vocabulary import ALTERS, DURATION_OF, NOTE_OF, TOKENS, UP_OF, family
from training.models.contract import ModelConfig
from training.models.lstm import LSTM

_ALTERED = ("n", "up")
"""Kinds of which every token is a step with an alteration, listed step by step."""
_KINDS = ("d", *_ALTERED)
"""Families that are kinds; what stands between them in the vocabulary is a kind as well."""
_STEPS_AN_OCTAVE = 7


class LSTMHeads(LSTM):
    """The LSTM with compound input and output; it knows the tokens, so it takes none but the vocabulary's."""

    def __init__(self, config: ModelConfig) -> None:
        if config.vocabulary_size > len(TOKENS):
            raise ValueError(
                f"lstm_heads knows the parts of {len(TOKENS)} tokens, the configuration has {config.vocabulary_size}: "
                "leave vocabulary_size out."
            )
        super().__init__(config)
        self.embedding = CompoundEmbedding(config)
        self.head = CompoundHead(config)


class CompoundEmbedding(nn.Module):
    """A token's embedding is the sum of its parts' embeddings."""

    parts_of: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        tokens = [parts(token_id) for token_id in range(config.vocabulary_size)]
        numbers = {part: number for number, part in enumerate(sorted({part for each in tokens for part in each}), 1)}
        table = torch.zeros(len(tokens), max(map(len, tokens)), dtype=torch.long)  # 0: no such part
        for row, each in zip(table, tokens, strict=True):
            row[: len(each)] = torch.tensor([numbers[part] for part in each])
        self.register_buffer("parts_of", table, persistent=False)
        self.parts = nn.Embedding(len(numbers) + 1, config.n_embd, padding_idx=0)

    def forward(self, token_ids: Tensor) -> Tensor:
        """(B, T) int64 -> (B, T, C)."""
        summed: Tensor = self.parts(self.parts_of[token_ids]).sum(-2)  # (B, T, most parts, C) -> (B, T, C)
        return summed


def parts(token_id: int) -> tuple[str, ...]:
    """What a token is made of, its kind first; parts of the same name are the same wherever they are."""
    token = TOKENS[token_id]
    kind = family(token)
    if token_id in NOTE_OF:
        step, alter = NOTE_OF[token_id]
        octave, degree = divmod(step, _STEPS_AN_OCTAVE)
        return kind, f"octave {octave}", f"degree {degree}", f"alter {alter}"
    if token_id in UP_OF:
        step, alter = UP_OF[token_id]
        return kind, f"steps {step}", f"alter {alter}"
    if token_id in DURATION_OF:
        duration, tuplet = DURATION_OF[token_id]
        return kind, f"duration {duration}", f"tuplet {tuplet}"
    return (kind,) if kind == token else (kind, f"value {token}")


@dataclass(frozen=True)
class Kind:
    """Tokens of one kind, one after another in the vocabulary.

    Attributes:
        n_tokens: how many there are.
        heads: how many values each head chooses among: one head, or two where every value of the first goes with
            every value of the second.
    """

    n_tokens: int
    heads: tuple[int, ...]


def kinds(vocabulary_size: int) -> list[Kind]:
    """The kinds of the first tokens of the vocabulary, in its order."""
    found = []
    families = (family(token) for token in TOKENS[:vocabulary_size])
    for name, run in groupby(each if each in _KINDS else "" for each in families):
        n = len(list(run))
        if name in _ALTERED and n % len(ALTERS) == 0:
            found.append(Kind(n, (n // len(ALTERS), len(ALTERS))))
        else:
            found.append(Kind(n, (n,)))
    return found


class CompoundHead(nn.Module):
    """The log-probability of each token as the sum of its factors'."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.kinds = kinds(config.vocabulary_size)
        self.sizes = [len(self.kinds), *(size for kind in self.kinds for size in kind.heads)]
        self.factors = nn.Linear(config.n_embd, sum(self.sizes))
        with torch.no_grad():  # all tokens are equally likely at first
            self.factors.bias.zero_()
            self.factors.bias[: len(self.kinds)] = torch.tensor([math.log(kind.n_tokens) for kind in self.kinds])

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., V) float32."""
        heads = (scores.float().log_softmax(-1) for scores in self.factors(x).split(self.sizes, dim=-1))
        of_kinds = next(heads).split(1, dim=-1)  # each (..., 1)
        tokens = [
            own + _joint([next(heads) for _ in kind.heads]) for kind, own in zip(self.kinds, of_kinds, strict=True)
        ]
        return torch.cat(tokens, dim=-1)


def _joint(heads: Sequence[Tensor]) -> Tensor:
    """The log-probability of each value, or pair of values: (..., n) or (..., m), (..., n) -> (..., m n)."""
    if len(heads) == 1:
        return heads[0]
    first, second = heads
    return (first[..., :, None] + second[..., None, :]).flatten(-2)
