"""What a predictor thinks of the music that really came: bits a note, and the next note given the past.

Both are teacher-forced: the predictor reads what the measure really holds so far, and is asked on.

Bits a note. The probability of a measure is that of its music, however it is said: where a voice begins, that it plays
an earlier measure again (all references to the same music, and its echo) and that it is written out, added up; then
that it ends (by whichever barline). Where a section may begin with a pickup, whether it does is part of the measure.
The grammar's certainties cost nothing. The sum over measures is divided by their noteheads. Measures that cannot be
suggested (a pickup of a length that the tune gives no hint of, say; and there is room for so many tokens only) have no
probability and are left out; the figure `writable` says how many are not.

The next note. For each note of a measure that a predictor has read up to the note before, its likeliest next note, and
whether its onset, its duration and its pitch (a chord's lowest) are right, each by itself. Rests between two notes
belong to the onset, which counts from the start of the measure; a measure that is ended too soon has all three wrong.
Grace notes are not asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from export.evaluation.tasks import Content, Task
from inference.choices import Choice, choices, first_options
from inference.completion import GENERATED_TOKENS
from inference.engine import Engine
from notation.score import KeySignature
from notation.tokens import vocabulary as v
from notation.tokens.decode import decode_segment
from notation.tokens.encode import Segment, segment_prefix
from notation.tokens.grammar import Grammar, Phase
from notation.tokens.prompt import Prompt
from training.metrics.ngram import NGram

Logits = NDArray[np.float32]
_BARLINES = sorted(v.BARLINE_IDS.values())
_MOST_STEPS = 24
"""Tokens that a predictor may write before its next note; more is no note."""
_MOST_TOKENS = GENERATED_TOKENS - _MOST_STEPS
"""Of a measure; a model has no room for more."""


UNWRITABLE: Mapping[str, tuple[float, float]] = {"writable": (0.0, 1.0)}
"""The figures of a measure that cannot be suggested."""


class Reader(Protocol):
    """A predictor that stands before a measure and reads it token by token."""

    def logits(self, written: Sequence[int]) -> Logits:
        """Scores of the next token after the tokens `written` of the measure, shape (V,)."""

    def choices(self, logits: Logits, grammar: Grammar) -> list[Choice]:
        """What may come next, best first, with log-probabilities that are normalised over what is legal."""

    def at_cursor(self, written: Sequence[int], grammar: Grammar) -> list[Choice]:
        """What may come next at a cursor after `written`, as an editor would ask."""


class ModelReader:
    """A model, with all that the decode loop adds to it."""

    def __init__(self, engine: Engine, prompt: Prompt) -> None:
        self._engine = engine
        self._prompt = prompt

    def logits(self, written: Sequence[int]) -> Logits:
        """See `Reader`."""
        return self._engine.prefill([*self._prompt.ids, *written])

    def choices(self, logits: Logits, grammar: Grammar) -> list[Choice]:
        """See `Reader`."""
        return choices(logits, grammar)

    def at_cursor(self, written: Sequence[int], grammar: Grammar) -> list[Choice]:
        """See `Reader`."""
        here = replace(
            self._prompt,
            ids=(*self._prompt.ids, *written),
            grammar=grammar,
            n_typed=len(written),
            fresh=self._prompt.grammar,
        )
        return first_options(self._engine, here, lambda: False)


class NGramReader:
    """An n-gram model of one part's own measures, held to the grammar."""

    def __init__(self, model: NGram, context: Sequence[int]) -> None:
        self._model = model
        self._context = context

    def logits(self, written: Sequence[int]) -> Logits:
        """See `Reader`."""
        return np.log(self._model.probabilities([*self._context, *written])).astype(np.float32)

    def choices(self, logits: Logits, grammar: Grammar) -> list[Choice]:
        """See `Reader`."""
        ids = np.flatnonzero(grammar.legal())
        scores = logits[ids].astype(np.float64)
        scores -= np.logaddexp.reduce(scores)
        order = np.argsort(-scores, kind="stable")
        return [Choice((int(ids[place]),), float(scores[place])) for place in order]

    def at_cursor(self, written: Sequence[int], grammar: Grammar) -> list[Choice]:
        """See `Reader`."""
        return self.choices(self.logits(written), grammar)


def read_ratios(reader: Reader, grammar: Grammar, task: Task, head_nats: float = 0.0) -> dict[str, tuple[float, float]]:
    """Bits a note, how much is writable, and the next note's fields, of one measure; see the module.

    Args:
        reader: standing before the measure.
        grammar: standing there too; not changed.
        task: which measure.
        head_nats: what its head has cost.
    """
    n_tokens = sum(len(prefix) + len(ids) for prefix, ids in _laid_out(task.truth, task.source.n_parts))
    nats = measure_nats(reader, grammar, task.truth, task.source.n_parts) if n_tokens <= _MOST_TOKENS else None
    if nats is None:
        return dict(UNWRITABLE)
    n_notes = sum(token in v.NOTEHEADS for _, ids in task.truth for token in ids)
    fields = _field_ratios(reader, grammar, task)
    return {"bits a note": ((head_nats + nats) / math.log(2), n_notes), **fields, "writable": (1.0, 1.0)}


def true_head(grammar: Grammar, task: Task) -> tuple[int, ...] | None:
    """What of the head is left to a predictor, as it really is: empty where all is given; None if it cannot be said."""
    if not grammar.heads:
        return ()
    if "pickup" not in task.kinds:
        return next((head for head in grammar.heads if head[0] != v.PICKUP), None)
    length = v.TOKEN_IDS.get(f"len:{task.score.parts[task.part].measures[task.measure].duration / v.LENGTH_UNIT}")
    return next((head for head in grammar.heads if head[0] == v.PICKUP and head[-1] == length), None)


def head_nats(reader: Reader, grammar: Grammar, head: Sequence[int]) -> float:
    """What the head of a measure costs, in nats. The grammar is not changed."""
    grammar = grammar.copy()
    written: list[int] = []
    nats = 0.0
    for token in head:
        if len(grammar.legal_ids()) > 1:
            logits = reader.logits(written)
            nats -= _plain(reader.choices(logits, grammar), logits, token)
        _write(grammar, written, token)
    return nats


def measure_nats(reader: Reader, grammar: Grammar, truth: Content, n_parts: int) -> float | None:
    """What a measure costs, in nats; None if the grammar cannot write it. The grammar is not changed."""
    grammar = grammar.copy()
    written: list[int] = []
    nats = 0.0
    for prefix, ids in _laid_out(truth, n_parts):
        for token in prefix:
            if not grammar.legal()[token]:
                return None
            logits = reader.logits(written)
            nats -= _plain(reader.choices(logits, grammar), logits, token)
            _write(grammar, written, token)
        cost = _segment_nats(reader, grammar, written, ids)
        if cost is None:
            return None
        nats += cost
    ends = np.flatnonzero(grammar.legal()[_BARLINES])
    if len(ends) == 0:
        return None
    logits = reader.logits(written)
    options = reader.choices(logits, grammar)
    return nats - float(np.logaddexp.reduce([_plain(options, logits, _BARLINES[place]) for place in ends]))


def _segment_nats(reader: Reader, grammar: Grammar, written: list[int], ids: tuple[int, ...]) -> float | None:
    """What a voice costs: played again, or written out. The grammar and `written` go past it."""
    again, plain = -math.inf, 0.0
    for place, token in enumerate(ids):
        if not grammar.legal()[token]:
            return None
        logits = reader.logits(written)
        options = reader.choices(logits, grammar)
        if place == 0:
            repeats = [one.log_probability for one in options if one.reference is not None and one.ids == ids]
            again = float(np.logaddexp.reduce(repeats)) if repeats else -math.inf
        plain += _plain(options, logits, token)
        _write(grammar, written, token)
    return -float(np.logaddexp(again, plain))


def _plain(options: Sequence[Choice], logits: Logits, token: int) -> float:
    """The log-probability of one token written out: all such share what they are normalised by."""
    best = next(one for one in options if one.reference is None)
    return best.log_probability + float(logits[token]) - float(logits[best.ids[0]])


def _laid_out(truth: Content, n_parts: int) -> list[tuple[list[int], tuple[int, ...]]]:
    """Of each voice what announces it (the part is named already) and its tokens."""
    found = []
    previous: Segment | None = None
    for (staff, number), ids in truth:
        segment = Segment(0, staff, number, ids)
        prefix = segment_prefix(segment, previous, n_parts)
        found.append((prefix[1:] if previous is None and n_parts > 1 else prefix, ids))
        previous = segment
    return found


def _write(grammar: Grammar, written: list[int], token: int) -> None:
    grammar.advance(token)
    written.append(token)


NoteFields = tuple[Fraction, object, Fraction]
"""Onset, pitch and duration of a note."""


def _field_ratios(reader: Reader, grammar: Grammar, task: Task) -> dict[str, tuple[float, float]]:
    hits, n = [0, 0, 0], 0
    grammar = grammar.copy()
    written: list[int] = []
    for prefix, ids in _laid_out(task.truth, task.source.n_parts):
        for token in prefix:
            _write(grammar, written, token)
        notes = _notes(ids)
        starts = _starts(ids)
        for place in range(len(ids)):
            if place in starts:
                number = starts.index(place)
                predicted = _next_note(reader, grammar, written, ids[:place], number)
                hits = [
                    hit + (predicted is not None and predicted[index] == notes[number][index])
                    for index, hit in enumerate(hits)
                ]
                n += 1
            _write(grammar, written, ids[place])
    return {name: (hit, n) for name, hit in zip(("next onset", "next pitch", "next duration"), hits, strict=True)}


def _notes(ids: Sequence[int]) -> list[NoteFields]:
    """The notes of a voice but for grace notes; of chords the lowest."""
    events = decode_segment(ids, KeySignature())
    return [(one.onset, one.notes[0].pitch, one.duration) for one in events if one.notes and not one.grace]


def _starts(ids: Sequence[int]) -> list[int]:
    """Of each note of a voice the place in its tokens where the note before is over."""
    starts: list[int] = []
    place = 0
    for index, token in enumerate(ids):
        if token in v.NOTE_OF and (index == 0 or ids[index - 1] != v.GRACE):
            starts.append(place)
            place = index + 1
        elif index == place and index and (token in v.UP_OF or token == v.TIE):
            place = index + 1
    return starts


def _next_note(
    reader: Reader, grammar: Grammar, written: Sequence[int], before: Sequence[int], number: int
) -> NoteFields | None:
    """The likeliest next note after the tokens `before` of a voice, which hold `number` notes; None for none."""
    grammar = grammar.copy()
    now, voice = list(written), list(before)
    options = reader.at_cursor(now, grammar)
    for _ in range(_MOST_STEPS):
        for token in options[0].ids:
            if v.family(v.TOKENS[token]) == "voice" or token in _BARLINES:
                return None
            _write(grammar, now, token)
            voice.append(token)
        if voice[-1] not in v.DURATION_OF and voice[-1] != v.GRACE and len(notes := _notes(voice)) > number:
            return notes[number]
        if grammar.phase is Phase.MEASURE:
            return None
        options = reader.choices(reader.logits(now), grammar)
    return None
