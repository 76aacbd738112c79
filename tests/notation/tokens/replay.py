"""Feeds an encoded score to the grammar, token by token."""

from __future__ import annotations

from notation.score import KeySignature, Score
from notation.tokens import encode
from notation.tokens import vocabulary as v
from notation.tokens.encode import EncodedScore
from notation.tokens.grammar import Grammar, Scope


def keys_of_measure(score: Score, index: int) -> dict[int, KeySignature]:
    """The signature of every part in a measure; of its last measure where the part is shorter."""
    return {
        number: part.measures[min(index, len(part.measures) - 1)].key
        for number, part in enumerate(score.parts)
        if part.measures
    }


def new_grammar(score: Score, encoded: EncodedScore) -> Grammar:
    """A grammar before the first measure of a score."""
    n_parts = len(score.parts)
    free = v.TOKENS[encoded.measures[0].metre_and_key[0]] == "time:none"
    full = None if free else encode.measure_column(score.parts, 0)[0][1].time.duration
    return Grammar(Scope(n_parts, tuple(range(n_parts))), keys_of_measure(score, 0), full)


def first_illegal(score: Score, encoded: EncodedScore) -> tuple[int, list[str], str] | None:
    """Where the grammar does not allow what the encoder wrote: measure, tokens before, the token; None if nowhere."""
    grammar = new_grammar(score, encoded)
    for index, measure in enumerate(encoded.measures):
        keys = keys_of_measure(score, index)
        grammar.keys = dict(keys)
        ids = encode.measure_ids(measure, encoded.n_parts)
        for place, token_id in enumerate(ids):
            if not grammar.legal()[token_id]:
                return index, [v.TOKENS[before] for before in ids[:place]], v.TOKENS[token_id]
            grammar.advance(token_id)
            grammar.keys = dict(keys)  # parts of transposing instruments have signatures of their own
    return None
