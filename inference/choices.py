"""What may be written next, and how likely each is: the model's say among what the grammar allows.

A reference ("this measure is the one k back") is one choice; what it stands for is then fed at once. The probability of
a reference is the sum over all that stand for the same music.

Units: scores are natural logarithms of probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.engine import Engine
from notation.tokens import vocabulary as v
from notation.tokens.echo import Echo
from notation.tokens.grammar import Grammar
from notation.tokens.prompt import Prompt

Logits = NDArray[np.float32]
REFERENCE_ADVANTAGE = 0.7
"""A reference is taken when it is at least this many times as likely as the likeliest first token of a new measure:
what follows that token is still to be guessed, what follows a reference is not."""
MAX_CHOICES = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may be written next: the tokens, their log-probability, the reference they come from."""

    ids: tuple[int, ...]
    log_probability: float
    reference: int | None = None


def choices(logits: Logits, grammar: Grammar, most: int = MAX_CHOICES) -> list[Choice]:
    """What may be written next, likeliest first, probabilities renormalised over what is legal.

    Args:
        logits: scores of the next token, shape (V,).
        grammar: standing where the token goes; not changed.
        most: how many single tokens there are among the choices, at most.
    """
    ids, references = grammar.legal_ids(), grammar.references()
    n = len(ids)
    scores = _log_probabilities(logits, _with_references(ids, references))
    order = np.argsort(-scores[:n], kind="stable")[:most]
    plain = [Choice((int(ids[place]),), float(scores[place])) for place in order]
    return ranked(_with_echo([*_merged(references, scores[n:]), *plain], grammar.echo()))


def likeliest(logits: Logits, grammar: Grammar, ids: NDArray[np.intp]) -> Choice:
    """The first of `choices`, without the others; `ids` are the legal tokens."""
    if grammar.may_repeat():
        return choices(logits, grammar, 1)[0]
    scores = logits.take(ids)
    best = int(scores.argmax())
    above = scores.astype(np.float64) - float(scores[best])
    return Choice((int(ids[best]),), -math.log(np.exp(above).sum()))


def _with_references(ids: NDArray[np.intp], references: Mapping[int, tuple[int, ...]]) -> NDArray[np.intp]:
    """The ids of single tokens and of references."""
    return np.concatenate((ids, np.fromiter(references, np.intp, len(references)))) if references else ids


def _with_echo(options: Sequence[Choice], echo: Echo | None) -> list[Choice]:
    """The model's choices mixed with the measure that came the last time, by how certain that is."""
    if echo is None:
        return list(options)
    found = Choice(echo.ids, math.log(echo.certainty), echo.back)
    mixed = []
    for option in options:
        score = option.log_probability + math.log1p(-echo.certainty)
        if option.ids == echo.ids and option.reference is not None:
            found = replace(found, log_probability=float(np.logaddexp(found.log_probability, score)))
        else:
            mixed.append(replace(option, log_probability=score))
    return [found, *mixed]


def _log_probabilities(logits: Logits, ids: NDArray[np.intp]) -> NDArray[np.float64]:
    """Log-probabilities of some tokens, given that it is one of them."""
    scores = logits[ids].astype(np.float64)
    scores -= scores.max()
    scores -= np.log(np.exp(scores).sum())
    return scores


def _merged(references: Mapping[int, tuple[int, ...]], scores: Iterable[float]) -> list[Choice]:
    """References that stand for the same music made one choice, named by the nearest measure."""
    found: dict[tuple[int, ...], Choice] = {}
    for (token_id, music), score in zip(references.items(), scores, strict=True):
        known = found.get(music)
        if known is None:
            found[music] = Choice(music, float(score), token_id - v.FIRST_REFERENCE + 1)
        else:
            total = float(np.logaddexp(known.log_probability, score))
            found[music] = Choice(music, total, known.reference)
    return list(found.values())


def ranked(options: Iterable[Choice]) -> list[Choice]:
    """Best first; a reference counts `REFERENCE_ADVANTAGE` more."""
    advantage = -math.log(REFERENCE_ADVANTAGE)
    return sorted(
        options,
        key=lambda choice: -(choice.log_probability + (advantage if choice.reference is not None else 0.0)),
    )


def first_options(
    engine: Engine, prompt: Prompt, cancelled: Callable[[], bool], most: int = MAX_CHOICES
) -> list[Choice]:
    """What may be written at the cursor.

    Where the measure is begun, and an earlier one begins the same, going on like that one is a choice too. Its
    probability follows from what the model said at the start of the measure: how likely the reference was, against
    how likely the tokens were that have been typed since.

    Raises:
        Cancelled: `cancelled` said so.
    """
    begun = _begun_before(prompt)
    if not begun or prompt.fresh is None:
        return choices(engine.prefill(prompt.ids, cancelled), prompt.grammar, most)
    n_before = len(prompt.ids) - prompt.n_typed
    grammar = prompt.fresh.copy()
    logits = engine.logits_after(prompt.ids[:n_before], cancelled)
    at_start = {choice.ids: choice for choice in choices(logits, grammar, 0)}
    new_material = 0.0
    for place, token_id in enumerate(prompt.ids[n_before:]):
        new_material += _log_probability(logits, grammar, token_id, is_first=place == 0)
        grammar.advance(token_id)
        logits = engine.logits_after(prompt.ids[: n_before + place + 1], cancelled)
    engine.prefill(prompt.ids, cancelled)
    again = [
        Choice(music[prompt.n_typed :], at_start[music].log_probability, at_start[music].reference)
        for music in begun
        if music in at_start
    ]
    total = float(np.logaddexp.reduce([new_material, *(choice.log_probability for choice in again)]))
    plain = [
        Choice(choice.ids, choice.log_probability + new_material - total)
        for choice in choices(logits, prompt.grammar, most)
    ]
    return ranked([Choice(choice.ids, choice.log_probability - total, choice.reference) for choice in again] + plain)


def _log_probability(logits: Logits, grammar: Grammar, token_id: int, *, is_first: bool) -> float:
    """The log-probability of a legal token, references being possible only at the start of a measure."""
    ids = grammar.legal_ids()
    place = int(np.searchsorted(ids, token_id))
    if place == len(ids) or ids[place] != token_id:
        raise ValueError(f"token '{v.TOKENS[token_id]}' is written where the grammar does not allow it")
    return float(_log_probabilities(logits, _with_references(ids, grammar.references() if is_first else {}))[place])


def _begun_before(prompt: Prompt) -> list[tuple[int, ...]]:
    """Earlier measures of the voice that begin with what is typed, and go on in a way that fits."""
    voice = prompt.grammar.voice
    if voice is None or not prompt.n_typed or prompt.fresh is None or len(voice.ids) != prompt.n_typed:
        return []
    echo = prompt.fresh.echo()
    earlier = [measure.get(voice.id, ()) for measure in reversed(prompt.grammar.history[-v.N_REFERENCES :])]
    return [
        music
        for music in dict.fromkeys([*earlier, *([echo.ids] if echo else [])])
        if len(music) > prompt.n_typed
        and music[: prompt.n_typed] == voice.ids
        and prompt.grammar.fits(music[prompt.n_typed :])
    ]


def read(engine: Engine, prompt: Prompt, cancelled: Callable[[], bool] = lambda: False) -> None:
    """Let the model read a prompt, so that `next_measures` need not.

    Raises:
        Cancelled: `cancelled` said so.
    """
    if _begun_before(prompt):
        for end in range(len(prompt.ids) - prompt.n_typed, len(prompt.ids)):
            engine.logits_after(prompt.ids[:end], cancelled)
    engine.prefill(prompt.ids, cancelled)
