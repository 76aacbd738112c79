"""What stands before the cursor, as tokens, and what a part has had so far.

A prompt needs every earlier measure of its piece, for an echo may come from anywhere; from one prompt to the next
hardly any of them changes. So what was found out about a measure is remembered, for the last few pieces, by the
measures themselves: readers give an unchanged measure back as the same object, or as one that knows its `origin`.
How a measure is encoded depends on its column (the same measure of every part), on where its ties land (the next
column), on how measures are numbered so far and on the signature before it; nothing else is looked at. What is
remembered never shows: a site gives the same tokens every time. Threads may ask at the same time.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from threading import Lock
from typing import NamedTuple

from notation.moving import unmoved
from notation.score import Measure, Part
from notation.tokens import encode
from notation.tokens.echo import Column
from notation.tokens.encode import EncodedMeasure, SectionCounter

MAX_REMEMBERED = 4096
"""Measures that are remembered of pieces other than the last one."""

_Measures = tuple[Measure | None, ...]
_Ids = tuple[int, ...]
_Key = tuple[_Ids, _Ids, tuple[int, int, int], tuple[int, ...]]


class _Kept(NamedTuple):
    """An encoded measure. `held` keeps alive the measures whose identity stands in its key."""

    encoded: EncodedMeasure
    column: Column
    state: tuple[int, int, int]
    pickup: Fraction
    held: tuple[_Measures, _Measures]


class _Facts(NamedTuple):
    """What one measure of one part has."""

    n_events: int
    chords: bool
    symbols: bool
    graces: bool
    places: frozenset[tuple[int, int]]
    held: Measure


@dataclass
class _Piece:
    """What is remembered of one piece, after its last prompt."""

    measures: dict[_Key, _Kept] = field(default_factory=dict)
    facts: dict[int, _Facts] = field(default_factory=dict)


class _Memory:
    """The last few pieces, known by the identity of their first measures."""

    def __init__(self) -> None:
        self._pieces: OrderedDict[_Ids, _Piece] = OrderedDict()
        self._lock = Lock()

    def of(self, first: _Ids) -> _Piece:
        with self._lock:
            return self._pieces.get(first) or _Piece()

    def keep(self, first: _Ids, piece: _Piece) -> None:
        with self._lock:
            self._pieces[first] = piece
            self._pieces.move_to_end(first)
            while len(self._pieces) > 1 and sum(len(one.measures) for one in self._pieces.values()) > MAX_REMEMBERED:
                self._pieces.popitem(last=False)


MEMORY = _Memory()


@dataclass(frozen=True, slots=True)
class Earlier:
    """The measures before one measure of a piece.

    Attributes:
        measures: encoded, in order.
        history: the tokens of every voice in each of them.
        pickups: the lengths of their sections' pickups.
        counter: numbers the measure that follows.
    """

    measures: list[EncodedMeasure]
    history: list[Column]
    pickups: frozenset[Fraction]
    counter: SectionCounter


@dataclass(frozen=True, slots=True)
class PartStyle:
    """What a part has, in all its measures.

    Attributes:
        n_events: how many notes, rests and grace notes.
        chords, symbols, graces: whether there are any.
        places: the (staff, number) of its voices.
    """

    n_events: int
    chords: bool
    symbols: bool
    graces: bool
    places: frozenset[tuple[int, int]]


def read_earlier(parts: Sequence[Part], n_measures: int, part: int) -> tuple[Earlier, PartStyle]:
    """The first measures of a score as tokens, and what one of its parts has.

    Args:
        parts: of the score.
        n_measures: how many measures to encode.
        part: index of the part that the style is of; a score may have no such part.
    """
    music = [unmoved(one.measures[: n_measures + 1]) for one in parts]
    columns: list[_Measures] = list(zip_longest(*music)) or [()]
    first = tuple(map(id, columns[0]))
    known = MEMORY.of(first)
    piece = _Piece()
    earlier = _earlier(columns, n_measures, known, piece)
    style = _style(unmoved(parts[part].measures) if part < len(parts) else (), known, piece)
    MEMORY.keep(first, piece)
    return earlier, style


def _earlier(columns: Sequence[_Measures], n_measures: int, known: _Piece, piece: _Piece) -> Earlier:
    counter = SectionCounter()
    state = counter.state
    signs: tuple[int, ...] = ()
    kept: list[_Kept] = []
    ids = [tuple(map(id, column)) for column in columns]
    columns = [*columns, ()]
    ids.append(())
    for index in range(n_measures):
        key = (ids[index], ids[index + 1], state, signs)
        found = known.measures.get(key) or piece.measures.get(key)
        if found is None:
            counter.resume(state)
            found = _encode(columns[index], columns[index + 1], counter, signs)
        piece.measures[key] = found
        kept.append(found)
        state, signs = found.state, found.encoded.metre_and_key
    counter.resume(state)
    return Earlier(
        [one.encoded for one in kept],
        [one.column for one in kept],
        frozenset(one.pickup for one in kept if one.pickup),
        counter,
    )


def _encode(column: _Measures, following: _Measures, counter: SectionCounter, signs: tuple[int, ...]) -> _Kept:
    encoded = encode.encode_measure(_present(column), _present(following), counter, signs, Counter())
    voices = {segment.voice: segment.ids for segment in encoded.segments}
    return _Kept(encoded, voices, counter.state, counter.pickup, (column, following))


def _present(column: _Measures) -> list[tuple[int, Measure]]:
    """A column without the parts that lack the measure, with the parts' indices."""
    return [(part, measure) for part, measure in enumerate(column) if measure is not None]


def _style(measures: Iterable[Measure], known: _Piece, piece: _Piece) -> PartStyle:
    found = []
    for measure in measures:
        facts = known.facts.get(id(measure)) or _facts(measure)
        piece.facts[id(measure)] = facts
        found.append(facts)
    return PartStyle(
        sum(one.n_events for one in found),
        any(one.chords for one in found),
        any(one.symbols for one in found),
        any(one.graces for one in found),
        frozenset[tuple[int, int]]().union(*{one.places for one in found}),
    )


def _facts(measure: Measure) -> _Facts:
    events = [event for voice in measure.voices for event in voice.events]
    return _Facts(
        len(events),
        any(len(event.notes) > 1 for event in events),
        any(event.chord_symbol is not None for event in events),
        any(event.grace for event in events),
        frozenset((voice.staff, voice.number) for voice in measure.voices),
        measure,
    )
