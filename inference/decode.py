"""Music from a model: the decode loop.

Every step asks the grammar first: where only one token is legal it is taken without running the model, else the model
chooses among the legal ones. A reference ("this measure is the one k back") is one choice; what it stands for is then
fed at once. The probability of a reference is the sum over all that stand for the same music.

Rows decode side by side in one batch: candidates differ in their first choice, and go on from there. The cancel flag
and the deadline are looked at before every run of the model.

Units: scores are natural logarithms of probabilities.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inference.engine import Batch, Engine
from inference.errors import Cancelled
from notation.tokens import vocabulary as v
from notation.tokens.grammar import Grammar, Phase, VoiceId
from notation.tokens.prompt import Prompt

Logits = NDArray[np.float32]
MAX_TOKENS_PER_MEASURE = 160
REFERENCE_ADVANTAGE = 0.35
"""A reference is taken when it is at least this many times as likely as the likeliest first token of a new measure:
what follows that token is still to be guessed, what follows a reference is not."""
TOP_P = 0.95


@dataclass(frozen=True, slots=True)
class DecodedMeasure:
    """One measure as the model wrote it.

    Attributes:
        head: tokens before its voices, `m:` included; empty for the measure at the cursor.
        voices: new tokens by voice.
        barline: the token it ends with.
        reference: how many measures back the model referred to, if it did.
    """

    head: tuple[int, ...]
    voices: Mapping[VoiceId, tuple[int, ...]]
    barline: int
    reference: int | None = None


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
    """One answer in the making. `feed`: tokens that the model has not read yet."""

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
    failed: bool = False


def choices(logits: Logits, grammar: Grammar) -> list[Choice]:
    """What may be written next, likeliest first, probabilities renormalised over what is legal.

    Args:
        logits: scores of the next token, shape (V,).
        grammar: standing where the token goes; not changed.
    """
    legal = grammar.legal()
    references = grammar.references() if grammar.scope.references else {}
    ids = np.flatnonzero(legal)
    reference_ids = np.fromiter(references, dtype=np.intp, count=len(references))
    scores = logits[np.concatenate([ids, reference_ids])].astype(np.float64)
    scores -= scores.max()
    scores -= np.log(np.exp(scores).sum())
    found: dict[tuple[int, ...], Choice] = {}
    for token_id, score in zip(references, scores[len(ids) :], strict=True):
        music = references[token_id]
        back = token_id - v.FIRST_REFERENCE + 1
        known = found.get(music)
        total = score if known is None else np.logaddexp(known.log_probability, score)
        nearest = back if known is None or known.reference is None else known.reference
        found[music] = Choice(music, float(total), nearest)
    order = np.argsort(-scores[: len(ids)], kind="stable")[:64]
    plain = [Choice((int(ids[place]),), float(scores[place])) for place in order]
    advantage = -float(np.log(REFERENCE_ADVANTAGE))
    ranked = sorted(found.values(), key=lambda choice: -choice.log_probability)
    return sorted(
        [*ranked, *plain],
        key=lambda choice: -(choice.log_probability + (advantage if choice.reference is not None else 0.0)),
    )


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
        n_measures: how many measures to write, the one at the cursor included.
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
    logits = engine.prefill(prompt.ids, cancelled)
    random = np.random.default_rng(seed)
    grammar = prompt.grammar.copy()
    grammar.last_measure = n_measures == 1
    rows = [_Row(grammar)]
    loop = _Loop(prompt, n_measures, temperature, random)
    loop.settle(rows[0])
    if rows[0].feed:
        logits = engine.prefill([*prompt.ids, *rows[0].feed], cancelled)
        rows[0].feed = []
    if not rows[0].done:
        rows = loop.first_choices(rows[0], logits, candidates)
        loop.run(engine.fork(len(rows)), rows, cancelled, deadline)
    return _distinct(rows)


def _distinct(rows: Sequence[_Row]) -> list[Candidate]:
    found: dict[tuple[DecodedMeasure, ...], Candidate] = {}
    for row in rows:
        measures = tuple(row.measures)
        if measures and _key(measures) not in {_key(known) for known in found}:
            found[measures] = Candidate(measures, row.log_probability, row.n_tokens)
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

    def first_choices(self, row: _Row, logits: Logits, candidates: int) -> list[_Row]:
        """One row for each of the likeliest first choices."""
        options = choices(logits, row.grammar)
        if self.temperature > 0:
            options = self._drawn(options, candidates)
        rows = []
        for option in options[:candidates]:
            twin = _Row(row.grammar.copy(), row.log_probability, row.n_tokens)
            twin.voices = {voice: list(ids) for voice, ids in row.voices.items()}
            twin.head, twin.measure_tokens = list(row.head), row.measure_tokens
            twin.measures = list(row.measures)
            self.take(twin, option)
            self.settle(twin)
            rows.append(twin)
        return rows

    def run(self, batch: Batch, rows: Sequence[_Row], cancelled: Callable[[], bool], deadline: float | None) -> None:
        """Let every row go on until it is done."""
        while any(not row.done for row in rows):
            if cancelled():
                raise Cancelled("stopped while decoding.")
            if deadline is not None and time.monotonic() > deadline:
                return
            logits = self._read(batch, rows)
            for row, row_logits in zip(rows, logits, strict=True):
                if not row.done:
                    options = choices(row_logits, row.grammar)
                    self.take(row, self._drawn(options, 1)[0] if self.temperature > 0 else options[0])
                    self.settle(row)

    @staticmethod
    def _read(batch: Batch, rows: Sequence[_Row]) -> Logits:
        """Let the model read what each row has written."""
        for index, row in enumerate(rows):
            if not row.done and len(row.feed) > 1:
                batch.feed(index, row.feed)
                row.feed = []
        if any(row.feed and not row.done for row in rows):
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
                row.done = row.failed = True
                return
            if row.grammar.references():
                return
            legal = np.flatnonzero(row.grammar.legal())
            if len(legal) != 1:
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

    def _end_measure(self, row: _Row, barline: int) -> None:
        voices = {voice: tuple(ids) for voice, ids in row.voices.items()}
        row.measures.append(DecodedMeasure(tuple(row.head), voices, barline, row.reference))
        row.head, row.voices, row.reference, row.measure_tokens = [], {}, None, 0
        if len(row.measures) >= self.n_measures or v.TOKENS[barline] == "|]":
            row.done = True
            return
        row.grammar.last_measure = len(row.measures) == self.n_measures - 1
        row.feed.extend(self.prompt.open_measure(row.grammar, len(row.measures)))
