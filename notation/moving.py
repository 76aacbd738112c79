"""How does what was read look after the text before it has grown or shrunk?

Music that an edit has only moved is the same music at other places, and nearly all of a long document is moved by every
edit and looked at by nobody. So moving costs next to nothing until somebody looks. `spliced` makes a tuple whose items
are moved one by one, when they are first asked for: the tunes of a book, the measures of a part, what was found wrong.
A tune has its name, title and span at once, a measure its own span; the parts of the one, and the voices of the other
with the spans of every note, are moved when they are first asked for. Such a score becomes a plain `Score` at that
moment. A moved measure remembers the one that it is made of (`origin`): what only depends on the music may be kept
for that one. Threads may ask at the same time.

Code in C may look into a tuple without asking it for its items: `"%s %s" % moved` writes them as they are held, not
moved. Make a plain `tuple(moved)` of it first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from threading import Lock
from typing import Any, SupportsIndex, TypeVar, overload

from notation.diagnostic import Diagnostic
from notation.makers import make_event, make_note, make_span, maker
from notation.score import Event, Measure, Part, Score, Voice
from notation.source import Span

T = TypeVar("T")
_MAX_STEPS = 64
"""After so many edits at different places, all items of a tuple are moved at once."""
_PARTS = Score.__dict__["parts"]
_VOICES = Measure.__dict__["voices"]
_LOCK = Lock()


class _MovedTuple(tuple[T, ...]):
    """A tuple that holds its items as they were, and moves each when it is first asked for.

    It is used like any tuple. `steps` are (index, distance) pairs: from that index on, up to the next, items stand so
    many characters further on than the items that are held.
    """

    steps: tuple[tuple[int, int], ...]
    move: Callable[[T, int], T]
    moved: dict[int, T]

    def held(self) -> tuple[T, ...]:
        """The items as they were."""
        return tuple.__getitem__(self, slice(None))

    def distance(self, index: int) -> int:
        """How many characters further on an item stands than the one that is held."""
        place = bisect_right(self.steps, index, key=lambda step: step[0])
        return self.steps[place - 1][1] if place else 0

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return tuple(self)[index]
            upper = spliced(self, max(start, stop), len(self), (), 0, self.move)
            return spliced(upper, 0, start, (), 0, self.move)
        return self._item(range(len(self))[index])

    def _item(self, index: int) -> T:
        if index not in self.moved:
            item: T = tuple.__getitem__(self, index)
            by = self.distance(index)
            return self.moved.setdefault(index, self.move(item, by) if by else item)
        return self.moved[index]

    def __iter__(self) -> Iterator[T]:
        return map(self._item, range(len(self)))

    def __reversed__(self) -> Iterator[T]:
        return map(self._item, reversed(range(len(self))))

    def __contains__(self, item: object) -> bool:
        return item in tuple(self)

    def index(self, *args: Any) -> int:
        return tuple(self).index(*args)

    def count(self, item: Any) -> int:
        return tuple(self).count(item)

    def __add__(self, other: Any) -> Any:
        return tuple(self) + tuple(other) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return tuple(other) + tuple(self) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: SupportsIndex) -> tuple[T, ...]:
        return tuple(self) * times

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, tuple) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return tuple(self) < tuple(other)

    def __le__(self, other: Any) -> bool:
        return tuple(self) <= tuple(other)

    def __gt__(self, other: Any) -> bool:
        return tuple(self) > tuple(other)

    def __ge__(self, other: Any) -> bool:
        return tuple(self) >= tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __reduce__(self) -> tuple[type, tuple[list[T]]]:
        return tuple, (list(self),)


def spliced(
    items: tuple[T, ...], first: int, last: int, new: Iterable[T], by: int, move: Callable[[T, int], T]
) -> tuple[T, ...]:
    """`items` with `new` instead of those from `first` up to but not including `last`, and those behind moved.

    Args:
        items: any tuple; one that came from here, with the same `move`.
        first, last: which to replace.
        new: what by.
        by: how many characters further on the items from `last` on stand.
        move: gives an item moved by a distance other than 0.
    """
    middle = tuple(new)
    held, old_steps = (items.held(), items.steps) if isinstance(items, _MovedTuple) else (items, ())
    joined = held[:first] + middle + held[last:]
    grown = first + len(middle) - last
    steps = [step for step in old_steps if step[0] < first]
    steps.append((first, 0))
    behind = items.distance(last) if isinstance(items, _MovedTuple) else 0
    steps.append((first + len(middle), behind + by))
    steps.extend((index + grown, distance + by) for index, distance in old_steps if index > last)
    short = _without_idle(steps, len(joined))
    if not short:
        return joined
    found: _MovedTuple[T] = _MovedTuple(joined)
    found.steps, found.move, found.moved = short, move, {}
    if isinstance(items, _MovedTuple) and not middle and not by:  # a slice: its items are those of the whole
        for index, item in tuple(items.moved.items()):
            if not first <= index < last:
                found.moved[index if index < first else index + grown] = item
    return found if len(short) <= _MAX_STEPS else tuple(found)


def _without_idle(steps: Iterable[tuple[int, int]], length: int) -> tuple[tuple[int, int], ...]:
    """The steps that change a distance; of several at one index the last."""
    found: list[tuple[int, int]] = []
    for index, distance in steps:
        if found and found[-1][0] == index:
            found.pop()
        if index < length and distance != (found[-1][1] if found else 0):
            found.append((index, distance))
    return tuple(found)


def moved_all(items: tuple[T, ...], by: int, move: Callable[[T, int], T]) -> tuple[T, ...]:
    """All of `items`, moved; see `spliced`."""
    return spliced(items, 0, 0, (), by, move) if by else items


def index_at(items: tuple[T, ...], place: int, place_of: Callable[[T], int]) -> int:
    """The index of the first item that stands at an offset or behind it; none is moved for it.

    Args:
        items: in order of their places.
        place: the offset.
        place_of: says where an item stands.
    """
    if not isinstance(items, _MovedTuple):
        return bisect_left(items, place, key=place_of)
    get = tuple.__getitem__
    return bisect_left(range(len(items)), place, key=lambda index: place_of(get(items, index)) + items.distance(index))


def unmoved(measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
    """The `origin` of every measure of a part, none of which is moved for it."""
    return tuple(map(origin, measures.held() if isinstance(measures, _MovedTuple) else measures))


class _UnmovedScore:
    """The score that a moved one is made of, and how many characters further on it stands."""

    __slots__ = ("by", "score")

    def __init__(self, score: Score, by: int) -> None:
        self.score = score
        self.by = by


class _MovedScore(Score):
    """A `Score` whose parts are moved when they are first read."""

    __slots__ = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        with _LOCK:  # the score that this one is made of is a plain one: nobody locks twice
            held: _UnmovedScore | tuple[Part, ...] = _PARTS.__get__(self)
            if isinstance(held, _UnmovedScore):
                held = tuple(moved_part(part, held.by) for part in held.score.parts)
                _PARTS.__set__(self, held)
                object.__setattr__(self, "__class__", Score)
        return held

    @parts.setter
    def parts(self, parts: tuple[Part, ...]) -> None:
        # Only copying comes here: a copy has its parts from the start.
        _PARTS.__set__(self, parts)
        object.__setattr__(self, "__class__", Score)

    def __eq__(self, other: object) -> bool:
        return self._plain() == other

    def __hash__(self) -> int:
        return hash(self._plain())

    def __repr__(self) -> str:
        return repr(self._plain())

    def _plain(self) -> Score:
        return Score(self.parts, self.title, self.composer, self.rhythm, self.fields, self.span)


class _UnmovedMeasure:
    """The measure that a moved one is made of, how many characters further on it stands, and its voices there."""

    __slots__ = ("by", "measure", "voices")

    def __init__(self, measure: Measure, by: int) -> None:
        self.measure = measure
        self.by = by
        self.voices: tuple[Voice, ...] | None = None


class _MovedMeasure(Measure):
    """A `Measure` whose voices are moved when they are first read."""

    __slots__ = ()

    @property
    def voices(self) -> tuple[Voice, ...]:
        held: _UnmovedMeasure = _VOICES.__get__(self)
        if held.voices is None:
            held.voices = tuple(_moved_voice(voice, held.by) for voice in held.measure.voices)
        return held.voices

    @voices.setter
    def voices(self, voices: tuple[Voice, ...]) -> None:
        # Only copying comes here: a copy has its voices from the start.
        _VOICES.__set__(self, voices)
        object.__setattr__(self, "__class__", Measure)

    def __eq__(self, other: object) -> bool:
        return self._plain() == other

    def __hash__(self) -> int:
        return hash(self._plain())

    def __repr__(self) -> str:
        return repr(self._plain())

    def _plain(self) -> Measure:
        return Measure(**{one.name: getattr(self, one.name) for one in fields(Measure)})


_make_moved_measure = maker(Measure, _MovedMeasure)


def moved_score(score: Score, by: int) -> Score:
    """The same music, `by` characters further on."""
    moved = _MovedScore.__new__(_MovedScore)
    for name, value in (
        ("title", score.title),
        ("composer", score.composer),
        ("rhythm", score.rhythm),
        ("fields", score.fields),
        ("span", moved_span(score.span, by)),
    ):
        object.__setattr__(moved, name, value)
    held = _PARTS.__get__(score)
    if isinstance(held, _UnmovedScore):  # or reading the parts would read parts, and wait for itself
        score, by = held.score, held.by + by
    _PARTS.__set__(moved, _UnmovedScore(score, by))
    return moved


def moved_measure(measure: Measure, by: int) -> Measure:
    """The same music, `by` characters further on; music that is back at its old place is what it was."""
    span = moved_span(measure.span, by)
    if type(measure) is _MovedMeasure:
        held: _UnmovedMeasure = _VOICES.__get__(measure)
        measure, by = held.measure, by + held.by
    if not by:
        return measure
    unmoved_voices: Any = _UnmovedMeasure(measure, by)
    return _make_moved_measure(
        unmoved_voices,
        measure.time,
        measure.key,
        measure.barline,
        measure.repeat_start,
        measure.ending,
        measure.transpose,
        measure.clefs,
        measure.number,
        measure.implicit,
        span,
        measure.fields,
    )


def origin(measure: Measure) -> Measure:
    """The measure that a moved one is made of, which is the same music elsewhere; any other measure itself."""
    if type(measure) is not _MovedMeasure:
        return measure
    held: _UnmovedMeasure = _VOICES.__get__(measure)
    return held.measure


def moved_diagnostic(found: Diagnostic, by: int) -> Diagnostic:
    """The same finding, `by` characters further on."""
    if not by:
        return found
    return Diagnostic(found.code, found.severity, moved_span(found.span, by), found.message, found.paragraph)


def moved_span(span: Span, by: int) -> Span:
    """The same characters, `by` characters further on."""
    return make_span(span.start + by, span.end + by)


def moved_part(part: Part, by: int) -> Part:
    """The same music, `by` characters further on."""
    return replace(part, measures=moved_all(part.measures, by, moved_measure)) if by else part


def _moved_voice(voice: Voice, by: int) -> Voice:
    return Voice(tuple(_moved_event(event, by) for event in voice.events), voice.staff, voice.number)


def _moved_event(event: Event, by: int) -> Event:
    return make_event(
        event.onset,
        event.duration,
        tuple([make_note(note.pitch, note.tie, note.accidental, moved_span(note.span, by)) for note in event.notes]),
        event.tuplet,
        event.grace,
        event.hidden,
        event.whole_measure,
        event.chord_symbol,
        event.marks,
        moved_span(event.span, by),
    )
