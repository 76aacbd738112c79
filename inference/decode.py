"""Music from a model: the decode loop.

Every step asks the grammar first: where only one token is legal it is taken without running the model, else the model
chooses among the legal ones (`inference.choices`). Rows decode side by side in one batch. The cancel flag and the
deadline are looked at before every run of the model.

Of several candidates the first is what would be given alone. The others leave it, or one another, where that costs
least: every way not taken is weighed by how likely its measure may be, and the likeliest are gone first.

Units: scores are natural logarithms of probabilities.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference.choices import MAX_CHOICES, Choice, Logits, choices, first_options, likeliest
from inference.engine import Batch, Engine
from inference.errors import Cancelled
from notation.tokens import vocabulary as v
from notation.tokens.echo import VoiceId
from notation.tokens.grammar import Grammar, Phase
from notation.tokens.prompt import Prompt

MAX_TOKENS_PER_MEASURE = 160
TOP_P = 0.95
MAX_WAYS = 3
"""Ways that are looked at where the model chooses, when several candidates are wanted."""
MAX_TRIES = 2
"""Measures that are written for each candidate: some end like another, or not at all."""


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
    context = [*prompt.ids, *row.feed]
    if row.feed:
        options = choices(engine.prefill(context, cancelled), row.grammar, most)
        row.feed = []
    else:
        options = first_options(engine, replace(prompt, grammar=grammar), cancelled, most)
    if temperature > 0:
        rows = [loop.branch(row, option) for option in loop.drawn(options, candidates)]
    elif candidates == 1:
        rows = [loop.branch(row, options[0])]
    else:
        rows = loop.different(engine, context, row, options, candidates, cancelled, deadline)
        engine.prefill(context, cancelled)
    loop.run(engine, rows, cancelled, deadline)
    return _distinct(rows)


class _Way(NamedTuple):
    """A way not gone yet: how unlikely its measure may be, in nats, and the choices that lead there; numbers differ."""

    unlikelihood: float
    number: int
    path: tuple[Choice, ...]


def _unlikelihood(option: Choice, taken: Choice, row: _Row) -> float:
    """What the measure that begins with an option may come to, `row` having taken another choice there."""
    if option.reference is not None or taken.reference is not None:
        return -option.log_probability
    return -(row.log_probability - taken.log_probability + option.log_probability)


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


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

    def branch(self, row: _Row, *options: Choice) -> _Row:
        """A row that goes on from another with some choices."""
        twin = replace(
            row,
            grammar=row.grammar.copy(),
            feed=list(row.feed),
            measures=list(row.measures),
            head=list(row.head),
            voices={voice: list(ids) for voice, ids in row.voices.items()},
        )
        for option in options:
            self.take(twin, option)
            self.settle(twin)
        return twin

    def different(
        self,
        engine: Engine,
        context: Sequence[int],
        start: _Row,
        options: list[Choice],
        n: int,
        cancelled: Callable[[], bool],
        deadline: float | None,
    ) -> list[_Row]:
        """Rows in which the measure at the cursor is written, with different notes; the likeliest after the first.

        A way is as likely as the measure it leaves, less what its choice is less likely than the one taken there; a
        reference as it is.
        """
        numbers = count()
        waiting = [_Way(0.0, next(numbers), (options[0],))]
        found: dict[tuple[object, ...], _Row] = {}
        for n_written in range(MAX_TRIES * n):
            if not waiting or len(found) == n or (found and _is_over(deadline)):
                break
            way = heappop(waiting)
            row = self.branch(start, *way.path)
            ways = self._write_measure(engine, context, row, way.path, cancelled)
            if not n_written:
                ways += [((option,), options[0]) for option in options[1:]]
            for path, taken in ways:
                heappush(waiting, _Way(_unlikelihood(path[-1], taken, row), next(numbers), path))
            if row.measures:
                found.setdefault(tuple(sorted(row.measures[0].voices.items())), row)
        first, *others = found.values() or [start]
        return [first, *sorted(others, key=lambda row: -row.log_probability)]

    def _write_measure(
        self, engine: Engine, context: Sequence[int], row: _Row, path: tuple[Choice, ...], cancelled: Callable[[], bool]
    ) -> list[tuple[tuple[Choice, ...], Choice]]:
        """Write the measure at the cursor, the first choice each time; the ways not gone, with what was taken there."""
        ways = []
        while not row.done and not row.measures:
            if len(context) + len(row.feed) > engine.max_length:
                row.done = True
                break
            best, *others = choices(engine.prefill([*context, *row.feed], cancelled), row.grammar, MAX_WAYS)
            ways += [((*path, other), best) for other in others[: MAX_WAYS - 1]]
            path = (*path, best)
            self.take(row, best)
            self.settle(row)
        return ways

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
            if _is_over(deadline):
                return
            logits = self._read(batch, rows)
            for row, row_logits in zip(rows, logits, strict=True):
                if not row.done:
                    self.take(row, self.chosen(row_logits, row))
                    self.settle(row)

    def chosen(self, logits: Logits, row: _Row) -> Choice:
        """What comes next: the likeliest, or what is drawn."""
        if self.temperature > 0:
            return self.drawn(choices(logits, row.grammar), 1)[0]
        return likeliest(logits, row.grammar, row.legal)

    def _read(self, batch: Batch, rows: Sequence[_Row]) -> Logits:
        """Let the model read what each row has written."""
        if len(rows) == 1:
            feed, rows[0].feed = rows[0].feed, []
            return batch.feed(0, feed, self._guess(rows[0]))[np.newaxis] if feed else batch.logits
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

    def _guess(self, row: _Row) -> tuple[int, ...]:
        """What will most likely be fed next, if that can be foreseen and is fed at all."""
        return () if self._n_left(row) < 2 else row.grammar.foreseen(repeats=row.reference is not None)

    def drawn(self, options: Sequence[Choice], n: int) -> list[Choice]:
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
