"""How does what was read look after the text before it has grown or shrunk?

Music that an edit has only moved is the same music at other places. A tune of a book keeps its name, title and span at
once, a measure its own span; the parts of the one, and the voices of the other with the spans of every note, are moved
when they are first asked for, since in a long document hardly any are. Such a score becomes a plain `Score` at that
moment. A moved measure remembers the one that it is made of (`origin`): what only depends on the music may be kept
for that one. Threads may ask at the same time.
"""

from __future__ import annotations

from dataclasses import fields, replace
from threading import Lock

from notation.diagnostic import Diagnostic
from notation.score import Event, Measure, Note, Part, Score, Voice
from notation.source import Span

_PARTS = Score.__dict__["parts"]
_VOICES = Measure.__dict__["voices"]
_LOCK = Lock()


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
        with _LOCK:
            held: _UnmovedScore | tuple[Part, ...] = _PARTS.__get__(self)
            if isinstance(held, _UnmovedScore):
                held = tuple(_moved_part(part, held.by) for part in held.score.parts)
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


_SET_SPAN = Measure.__dict__["span"].__set__
_OTHERS = tuple(
    (Measure.__dict__[one.name].__get__, Measure.__dict__[one.name].__set__)
    for one in fields(Measure)
    if one.name not in ("voices", "span")
)
"""How every other field of a measure is read and set."""


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
    moved = _MovedMeasure.__new__(_MovedMeasure)
    for get, put in _OTHERS:
        put(moved, get(measure))
    _SET_SPAN(moved, span)
    _VOICES.__set__(moved, _UnmovedMeasure(measure, by))
    return moved


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
    return Span(span.start + by, span.end + by)


def _moved_part(part: Part, by: int) -> Part:
    measures = tuple(moved_measure(measure, by) for measure in part.measures)
    return replace(part, measures=measures)


def _moved_voice(voice: Voice, by: int) -> Voice:
    return Voice(tuple(_moved_event(event, by) for event in voice.events), voice.staff, voice.number)


def _moved_event(event: Event, by: int) -> Event:
    return Event(
        event.onset,
        event.duration,
        tuple(Note(note.pitch, note.tie, note.accidental, moved_span(note.span, by)) for note in event.notes),
        event.tuplet,
        event.grace,
        event.hidden,
        event.whole_measure,
        event.chord_symbol,
        event.marks,
        moved_span(event.span, by),
    )
