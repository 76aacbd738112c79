"""How does what was read look after the text before it has grown or shrunk?

A tune that an edit has only moved is the same music at other places. Its score keeps the name, title and span of the
tune at once; the parts, with the spans of every note, are moved when they are first asked for, since in a long tune
book hardly any tune is. Such a score becomes a plain `Score` at that moment. Threads may ask at the same time.
"""

from __future__ import annotations

from threading import Lock

from notation.diagnostic import Diagnostic
from notation.score import Event, Measure, Note, Part, Score, Voice
from notation.source import Span

_PARTS = Score.__dict__["parts"]
_LOCK = Lock()


class _Unmoved:
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
            held: _Unmoved | tuple[Part, ...] = _PARTS.__get__(self)
            if isinstance(held, _Unmoved):
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
    _PARTS.__set__(moved, _Unmoved(score, by))
    return moved


def moved_diagnostic(found: Diagnostic, by: int) -> Diagnostic:
    """The same finding, `by` characters further on."""
    if not by:
        return found
    return Diagnostic(found.code, found.severity, moved_span(found.span, by), found.message, found.paragraph)


def moved_span(span: Span, by: int) -> Span:
    """The same characters, `by` characters further on."""
    return Span(span.start + by, span.end + by)


def _moved_part(part: Part, by: int) -> Part:
    measures = tuple(_moved_measure(measure, by) for measure in part.measures)
    return Part(part.id, measures, part.name, part.instrument, part.staves, part.last_fields)


def _moved_measure(measure: Measure, by: int) -> Measure:
    voices = tuple(
        Voice(tuple(_moved_event(event, by) for event in voice.events), voice.staff, voice.number)
        for voice in measure.voices
    )
    return Measure(
        voices,
        measure.time,
        measure.key,
        measure.barline,
        measure.repeat_start,
        measure.ending,
        measure.transpose,
        measure.clefs,
        measure.number,
        measure.implicit,
        moved_span(measure.span, by),
        measure.fields,
    )


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
