"""What may be written next, and how likely each is: the model's say among what the grammar allows.

A reference ("this measure is the one k back") is one choice; what it stands for is then fed at once. The probability of
a reference is the sum over all that stand for the same music.

Units: scores are natural logarithms of probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.engine import Engine
from notation.tokens import vocabulary as v
from notation.tokens.echo import Echo, Reprise
from notation.tokens.grammar import Grammar
from notation.tokens.prompt import Prompt

Logits = NDArray[np.float32]
REFERENCE_ADVANTAGE = 0.7
REPRISE_ADVANTAGE = 0.45
"""An earlier measure is taken when it is at least this many times as likely as the likeliest first token of a new one:
what follows that token is still to be guessed, what follows in the measure is not. Beside other voices, and alone."""
MAX_CHOICES = 64
REPRISE, ALIKE = -0.821, 0.520
SEEN, SAID, SAID_ALIKE = 0.129, 0.918, -0.150
NEW = 0.716
"""How likely an earlier measure comes again in a voice beside which nothing is known: the score of anything else is
`NEW` times what the model says of it, that of a measure `REPRISE`, `ALIKE` for how much is alike before it (as the
logarithm of one more token) and, if the model sees it, `SEEN` and a share of what the model says. Fitted by
`benchmarks.reprises`."""
LEAST_SAID = -10.0
"""A lower log-probability of the model's says no more than this."""


class Choice(NamedTuple):
    """One thing that may be written next: the tokens, their log-probability, the reference they come from."""

    ids: tuple[int, ...]
    log_probability: float
    reference: int | None = None


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What may be written next.

    Attributes:
        repeats: earlier measures that may come again.
        ids: single tokens.
        scores: their log-probabilities.
        advantage: how much less likely than a single token a repeat may be.
    """

    repeats: list[Choice]
    ids: NDArray[np.intp]
    scores: NDArray[np.float64]
    advantage: float = REFERENCE_ADVANTAGE

    def likeliest(self, most: int) -> Iterable[np.intp]:
        """The places of single tokens, the likeliest first, at most so many."""
        return (self.scores.argmax(),) if most == 1 else np.argsort(-self.scores, kind="stable")[:most]

    def of(self, token_id: int) -> float:
        """The log-probability of a single token.

        Raises:
            ValueError: it is not legal.
        """
        place = int(np.searchsorted(self.ids, token_id))
        if place == len(self.ids) or self.ids[place] != token_id:
            raise ValueError(f"token '{v.TOKENS[token_id]}' is written where the grammar does not allow it")
        return float(self.scores[place])


def choices(logits: Logits, grammar: Grammar, most: int = MAX_CHOICES) -> list[Choice]:
    """What may be written next, likeliest first, probabilities renormalised over what is legal.

    Args:
        logits: scores of the next token, shape (V,).
        grammar: standing where the token goes; not changed.
        most: how many single tokens there are among the choices, at most.
    """
    return _best(_weigh(logits, grammar, grammar.legal_ids()), most)


def _best(weighed: _Weighed, most: int) -> list[Choice]:
    order = weighed.likeliest(most)
    plain = [Choice((int(weighed.ids[place]),), float(weighed.scores[place])) for place in order]
    return ranked([*weighed.repeats, *plain], weighed.advantage)


def likeliest(logits: Logits, grammar: Grammar, ids: NDArray[np.intp]) -> Choice:
    """The first of `choices`, without the others; `ids` are the legal tokens."""
    if grammar.may_repeat():
        return _best(_weigh(logits, grammar, ids), 1)[0]
    scores = logits.take(ids)
    best = scores.argmax()
    above = scores.astype(np.float64)
    above -= above[best]
    return Choice((int(ids[best]),), -math.log(np.add.reduce(np.exp(above, above))))


def _with_references(ids: NDArray[np.intp], references: Mapping[int, tuple[int, ...]]) -> NDArray[np.intp]:
    """The ids of single tokens and of references."""
    return np.concatenate((ids, np.fromiter(references, np.intp, len(references)))) if references else ids


def said_by_model(logits: Logits, grammar: Grammar) -> tuple[float, dict[tuple[int, ...], float]]:
    """The log-probability of anything new, and of each earlier measure, as the model alone has them.

    Args:
        logits: scores of the next token, shape (V,).
        grammar: standing where the token goes; not changed.
    """
    repeats, plain = _said(logits, grammar, grammar.legal_ids())
    return _any_of(plain), {one.ids: one.log_probability for one in repeats}


def _said(logits: Logits, grammar: Grammar, ids: NDArray[np.intp]) -> tuple[list[Choice], NDArray[np.float64]]:
    """What the model says: of earlier measures, and the log-probabilities of single tokens, `ids`."""
    references = grammar.references()
    scores = _log_probabilities(logits, _with_references(ids, references))
    return _merged(references, scores[len(ids) :].tolist()), scores[: len(ids)]


def _weigh(logits: Logits, grammar: Grammar, ids: NDArray[np.intp]) -> _Weighed:
    """What the model says, mixed with what is known of earlier measures where a voice begins; `ids` are legal."""
    repeats, plain = _said(logits, grammar, ids)
    if reprises := grammar.reprises():
        new = _any_of(plain)
        repeats, mixed = _with_reprises(repeats, new, reprises)
        return _Weighed(repeats, ids, plain + (mixed - new), REPRISE_ADVANTAGE)
    if echo := grammar.echo():
        return _Weighed(_with_echo(repeats, echo), ids, plain + math.log1p(-echo.certainty))
    return _Weighed(repeats, ids, plain)


def _with_reprises(repeats: Iterable[Choice], new: float, reprises: Iterable[Reprise]) -> tuple[list[Choice], float]:
    """The model's repeats weighed by what is alike before them, among all reprises.

    Args:
        repeats: of the measures that the model sees.
        new: how likely the model finds anything else, as a log-probability.
        reprises: all measures that may come again.

    Returns:
        A choice for each reprise, and the log-probability of anything else.
    """
    said = {one.ids: one.log_probability for one in repeats}
    scores = [NEW * new]
    for one in reprises:
        alike = math.log1p(one.n_alike)
        score = REPRISE + ALIKE * alike
        if one.ids in said:
            score += SEEN + (SAID + SAID_ALIKE * alike) * max(said[one.ids], LEAST_SAID)
        scores.append(score)
    total = _sum(scores)
    found = [Choice(one.ids, score - total, one.back) for one, score in zip(reprises, scores[1:], strict=True)]
    return found, scores[0] - total


def _with_echo(repeats: Iterable[Choice], echo: Echo) -> list[Choice]:
    """The model's repeats mixed with the measure that came the last time, by how certain that is."""
    found = Choice(echo.ids, math.log(echo.certainty), echo.back)
    mixed = []
    for option in repeats:
        score = option.log_probability + math.log1p(-echo.certainty)
        if option.ids == echo.ids:
            found = found._replace(log_probability=_sum((found.log_probability, score)))
        else:
            mixed.append(option._replace(log_probability=score))
    return [found, *mixed]


def _log_probabilities(logits: Logits, ids: NDArray[np.intp]) -> NDArray[np.float64]:
    """Log-probabilities of some tokens, given that it is one of them."""
    scores = logits[ids].astype(np.float64)
    scores -= scores.max()
    scores -= np.log(np.exp(scores).sum())
    return scores


def _any_of(scores: NDArray[np.float64]) -> float:
    """The log-probability of any of many tokens, of their log-probabilities."""
    return math.log(np.add.reduce(np.exp(scores)))


def _sum(scores: Sequence[float]) -> float:
    """The log-probability of any of a few things, of their log-probabilities."""
    highest = max(scores)
    return highest + math.log(math.fsum(math.exp(score - highest) for score in scores))


def _merged(references: Mapping[int, tuple[int, ...]], scores: Iterable[float]) -> list[Choice]:
    """References that stand for the same music made one choice, named by the nearest measure."""
    found: dict[tuple[int, ...], Choice] = {}
    for (token_id, music), score in zip(references.items(), scores, strict=True):
        known = found.get(music)
        if known is None:
            found[music] = Choice(music, score, token_id - v.FIRST_REFERENCE + 1)
        else:
            found[music] = known._replace(log_probability=_sum((known.log_probability, score)))
    return list(found.values())


def ranked(options: Iterable[Choice], advantage: float) -> list[Choice]:
    """Best first; a repeat may be so many times as likely as a single token to come before it."""
    more = -math.log(advantage)
    return sorted(
        options,
        key=lambda choice: -(choice.log_probability + (more if choice.reference is not None else 0.0)),
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
    grammar = prompt.fresh.copy()
    at_first, *following = engine.prefill_looking_back(prompt.ids, prompt.n_typed, cancelled)
    start = here = _weigh(at_first, grammar, grammar.legal_ids())
    at_start = {choice.ids: choice for choice in start.repeats}
    new_material = 0.0
    for token_id, logits in zip(prompt.ids[-prompt.n_typed :], following, strict=True):
        new_material += here.of(token_id)
        grammar.advance(token_id)
        here = _weigh(logits, grammar, grammar.legal_ids())
    again = [
        Choice(music[prompt.n_typed :], at_start[music].log_probability, at_start[music].reference)
        for music in begun
        if music in at_start
    ]
    total = _sum([new_material, *(choice.log_probability for choice in again)])
    plain = [
        Choice(choice.ids, choice.log_probability + new_material - total)
        for choice in choices(following[-1], prompt.grammar, most)
    ]
    repeats = [choice._replace(log_probability=choice.log_probability - total) for choice in again]
    return ranked([*repeats, *plain], start.advantage)


def _begun_before(prompt: Prompt) -> list[tuple[int, ...]]:
    """Earlier measures of the voice that begin with what is typed, and go on in a way that fits."""
    voice = prompt.grammar.voice
    if voice is None or not prompt.n_typed or prompt.fresh is None or len(voice.ids) != prompt.n_typed:
        return []
    echo = prompt.fresh.echo()
    earlier = (*prompt.fresh.references().values(), *(one.ids for one in prompt.fresh.reprises(voice.ids)))
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
    engine.prefill_looking_back(prompt.ids, prompt.n_typed if _begun_before(prompt) else 0, cancelled)
