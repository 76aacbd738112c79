"""Music from a model: the decode loop.

Every step asks the grammar first: where only one token is legal it is taken without running the model, else the model
chooses among the legal ones. A reference ("this measure is the one k back") is one choice; what it stands for is then
fed at once. The probability of a reference is the sum over all that stand for the same music.

Rows decode side by side in one batch: candidates differ in their first choice, and go on from there. The cancel flag
and the deadline are looked at before every run of the model.

Units: scores are natural logarithms of probabilities.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inference.engine import Batch, Engine
from inference.errors import Cancelled
from notation.tokens import vocabulary as v
from notation.tokens.echo import Echo, VoiceId
from notation.tokens.grammar import Grammar, Phase
from notation.tokens.prompt import Prompt

Logits = NDArray[np.float32]
MAX_TOKENS_PER_MEASURE = 160
REFERENCE_ADVANTAGE = 0.7
"""A reference is taken when it is at least this many times as likely as the likeliest first token of a new measure:
what follows that token is still to be guessed, what follows a reference is not."""
TOP_P = 0.95
MAX_CHOICES = 64


@dataclass(frozen=True, slots=True)
class DecodedMeasure:
    """One measure as the model wrote it.

    Attributes:
        head: tokens before its voices, `m:` included; empty for the measure at the cursor, unless the prompt has none.
        voices: new tokens by voice.
        barline: the token it ends with.
        reference: how many measures back the model referred to, if it did.
    """

    head: tuple[int, ...]
    voices: Mapping[VoiceId, tuple[int, ...]]
    barline: int
    reference: int | None = None

    @property
    def is_pickup(self) -> bool:
        """Whether it is a section's first, short one."""
        return _is_pickup(self.head)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer: measures, the sum of log-probabilities of its choices, and how many tokens it has."""

    measures: tuple[DecodedMeasure, ...]
    log_probability: float
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may be written next: the tokens, their log-probability, the reference they come from."""

    ids: tuple[int, ...]
    log_probability: float
    reference: int | None = None


@dataclass
class _Row:
    """One answer in the making. `feed`: tokens that the model has not read yet; `legal`: those that may come next."""

    grammar: Grammar
    log_probability: float = 0.0
    n_tokens: int = 0
    feed: list[int] = field(default_factory=list)
    measures: list[DecodedMeasure] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    voices: dict[VoiceId, list[int]] = field(default_factory=dict)
    reference: int | None = None
    measure_tokens: int = 0
    done: bool = False
    legal: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))


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


def next_measures(
    engine: Engine,
    prompt: Prompt,
    n_measures: int = 1,
    *,
    candidates: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
    cancelled: Callable[[], bool] = lambda: False,
    deadline: float | None = None,
) -> list[Candidate]:
    """Finish the measure at the cursor, and go on to `n_measures` in all.

    Args:
        engine: the model.
        prompt: what it reads.
        n_measures: how many measures to write, the one at the cursor included, unless that is a pickup.
        candidates: how many different answers to try for; fewer may come.
        temperature: 0 takes the likeliest choice each time; above, choices are drawn.
        seed: of the drawing.
        cancelled: asked before every run of the model.
        deadline: on the clock of `time.monotonic`; whole measures that are done by then are given.

    Returns:
        Different answers, the first choice first; empty if there was no time for one measure.

    Raises:
        Cancelled: `cancelled` said so.
    """
    loop = _Loop(prompt, n_measures, temperature, np.random.default_rng(seed))
    grammar = prompt.grammar.copy()
    grammar.last_measure = n_measures == 1
    row = _Row(grammar)
    loop.settle(row)
    if row.done:
        return _distinct([row])
    loop.decide_head(engine, row, cancelled)
    most = MAX_CHOICES if temperature > 0 else min(candidates, MAX_CHOICES)
    if row.feed:
        options = choices(engine.prefill([*prompt.ids, *row.feed], cancelled), row.grammar, most)
        row.feed = []
    else:
        options = first_options(engine, replace(prompt, grammar=grammar), cancelled, most)
    rows = loop.first_rows(row, options, candidates)
    loop.run(engine, rows, cancelled, deadline)
    return _distinct(rows)


def read(engine: Engine, prompt: Prompt, cancelled: Callable[[], bool] = lambda: False) -> None:
    """Let the model read a prompt, so that `next_measures` need not.

    Raises:
        Cancelled: `cancelled` said so.
    """
    if _begun_before(prompt):
        for end in range(len(prompt.ids) - prompt.n_typed, len(prompt.ids)):
            engine.logits_after(prompt.ids[:end], cancelled)
    engine.prefill(prompt.ids, cancelled)


def _is_pickup(head: Sequence[int]) -> bool:
    """Whether the head of a measure says that it is a section's first, short one."""
    return bool(head) and head[0] == v.PICKUP


def _distinct(rows: Sequence[_Row]) -> list[Candidate]:
    """The answers of rows that have one, each once."""
    found: dict[tuple[object, ...], Candidate] = {}
    for row in rows:
        if row.measures:
            candidate = Candidate(tuple(row.measures), row.log_probability, row.n_tokens)
            found.setdefault(_key(row.measures), candidate)
    return list(found.values())


def _key(measures: Sequence[DecodedMeasure]) -> tuple[object, ...]:
    return tuple((one.head, tuple(sorted(one.voices.items())), one.barline) for one in measures)


@dataclass
class _Loop:
    """The decode loop over some rows."""

    prompt: Prompt
    n_measures: int
    temperature: float
    random: np.random.Generator

    def decide_head(self, engine: Engine, row: _Row, cancelled: Callable[[], bool]) -> None:
        """Choose among the heads of the measure to come, where there are several: once for all candidates."""
        while row.grammar.heads and not row.done:
            logits = engine.prefill([*self.prompt.ids, *row.feed], cancelled)
            self.take(row, self.chosen(logits, row))
            self.settle(row)

    def first_rows(self, row: _Row, options: Sequence[Choice], candidates: int) -> list[_Row]:
        """One row for each of the likeliest first choices, or for those drawn."""
        if self.temperature > 0:
            options = self._drawn(options, candidates)
        rows = []
        for option in options[:candidates]:
            twin = replace(
                row,
                grammar=row.grammar.copy(),
                feed=[],
                measures=list(row.measures),
                head=list(row.head),
                voices={voice: list(ids) for voice, ids in row.voices.items()},
            )
            self.take(twin, option)
            self.settle(twin)
            rows.append(twin)
        return rows

    def run(self, engine: Engine, rows: Sequence[_Row], cancelled: Callable[[], bool], deadline: float | None) -> None:
        """Let every row go on until it is done, from the context that the engine read last."""
        if all(row.done for row in rows):
            return
        batch = engine.fork(len(rows))
        while True:
            for length, row in zip(batch.lengths, rows, strict=True):
                row.done = row.done or length + len(row.feed) > engine.max_length  # it keeps its whole measures
            if all(row.done for row in rows):
                return
            if cancelled():
                raise Cancelled("stopped while decoding.")
            if deadline is not None and time.monotonic() > deadline:
                return
            logits = self._read(batch, rows)
            for row, row_logits in zip(rows, logits, strict=True):
                if not row.done:
                    self.take(row, self.chosen(row_logits, row))
                    self.settle(row)

    def chosen(self, logits: Logits, row: _Row) -> Choice:
        """What comes next: the likeliest, or what is drawn."""
        if self.temperature > 0:
            return self._drawn(choices(logits, row.grammar), 1)[0]
        return likeliest(logits, row.grammar, row.legal)

    @staticmethod
    def _read(batch: Batch, rows: Sequence[_Row]) -> Logits:
        """Let the model read what each row has written."""
        if len(rows) == 1:
            feed, rows[0].feed = rows[0].feed, []
            return batch.feed(0, feed)[np.newaxis] if feed else batch.logits
        waiting = [index for index, row in enumerate(rows) if row.feed and not row.done]
        alone = [index for index in waiting if len(rows[index].feed) > 1 or len(waiting) == 1]
        for index in alone:
            batch.feed(index, rows[index].feed)
            rows[index].feed = []
        if len(alone) < len(waiting):
            batch.step([row.feed[0] if row.feed and not row.done else -1 for row in rows])
            for row in rows:
                row.feed = []
        return batch.logits

    def _drawn(self, options: Sequence[Choice], n: int) -> list[Choice]:
        """`n` different options, drawn from the likeliest that make up `TOP_P`."""
        scores = np.array([option.log_probability for option in options]) / self.temperature
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        order = np.argsort(-weights, kind="stable")
        kept = order[: max(n, int(np.searchsorted(np.cumsum(weights[order]), TOP_P)) + 1)]
        weights = np.maximum(weights[kept], 1e-12)
        drawn = self.random.choice(kept, size=min(n, len(kept)), replace=False, p=weights / weights.sum())
        return [options[index] for index in drawn]

    def take(self, row: _Row, option: Choice) -> None:
        """Write one choice."""
        row.log_probability += option.log_probability
        row.n_tokens += 1
        row.reference = option.reference if option.reference is not None else row.reference
        for token_id in option.ids:
            self._write(row, token_id)

    def settle(self, row: _Row) -> None:
        """Write what can only be written one way."""
        while not row.done:
            if row.measure_tokens > MAX_TOKENS_PER_MEASURE:
                row.done = True
                return
            row.legal = legal = row.grammar.legal_ids()
            row.done = not len(legal)  # what is typed leaves no way on
            if len(legal) != 1 or row.grammar.references():
                return
            self._write(row, int(legal[0]))

    def _write(self, row: _Row, token_id: int) -> None:
        grammar = row.grammar
        before = grammar.phase
        grammar.advance(token_id)
        row.feed.append(token_id)
        row.measure_tokens += 1
        if grammar.phase is Phase.MEASURE:
            self._end_measure(row, token_id)
        elif before is Phase.MEASURE or (grammar.voice is None and grammar.phase is not Phase.PART):
            row.head.append(token_id)
        elif grammar.voice is not None and grammar.voice.ids:
            row.voices.setdefault(grammar.voice.id, []).append(token_id)
        if before is Phase.MEASURE:
            grammar.last_measure = self._n_left(row) == 1

    def _end_measure(self, row: _Row, barline: int) -> None:
        voices = {voice: tuple(ids) for voice, ids in row.voices.items()}
        row.measures.append(DecodedMeasure(tuple(row.head), voices, barline, row.reference))
        row.head, row.voices, row.reference, row.measure_tokens = [], {}, None, 0
        n_left = self._n_left(row)
        if not n_left or v.TOKENS[barline] == "|]":
            row.done = True
            return
        row.grammar.last_measure = n_left == 1
        row.feed.extend(self.prompt.open_measure(row.grammar, len(row.measures)))

    def _n_left(self, row: _Row) -> int:
        """How many measures are still to be finished; a pickup at the cursor comes on top of those asked for."""
        first = row.measures[0].head if row.measures else row.head
        return self.n_measures + _is_pickup(first) - len(row.measures)
