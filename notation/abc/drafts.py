"""Music while it is being read: events, measures and voices that are not finished yet.

Half-read music changes (a broken rhythm lengthens the note before it, a tie or a syllable comes after), so it is kept
in drafts; `freeze_measures` makes the score's own immutable values of them once nothing can change any more.

Durations are Fractions of a whole note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Never

from notation.abc.fields import Properties
from notation.makers import make_event, make_note, make_span
from notation.score import (
    NO_MARKS,
    Barline,
    ChordSymbol,
    Event,
    KeySignature,
    Marks,
    Measure,
    Note,
    Pitch,
    TimeSignature,
    Voice,
)
from notation.source import Span

_ZERO = Fraction(0)


@lru_cache(maxsize=16384)
def _sum(a: int, b: int, c: int, d: int) -> Fraction:
    return Fraction(a, b) + Fraction(c, d)


def add_lengths(one: Fraction, other: Fraction) -> Fraction:
    """The sum of two lengths; the few sums that music is made of are remembered, for fractions add slowly."""
    return _sum(one.numerator, one.denominator, other.numerator, other.denominator)


@lru_cache(maxsize=4096)
def _product(a: int, b: int, c: int, d: int) -> Fraction:
    return Fraction(a, b) * Fraction(c, d)


def scale_length(one: Fraction, factor: Fraction) -> Fraction:
    """The product of a length and a factor, remembered likewise."""
    return _product(one.numerator, one.denominator, factor.numerator, factor.denominator)


class Draft:
    """An event that is being read; it becomes an `Event` once its measure's onsets are known."""

    broken: Fraction | None = None
    tuplet: tuple[int, int] | None = None
    grace = False
    hidden = False
    whole = False
    chord_symbol: ChordSymbol | None = None
    decorations: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    slur_starts = 0
    slur_ends = 0
    lyrics: tuple[str, ...] = ()

    def __init__(self, base: Fraction, start: int, end: int) -> None:
        self.base = base
        self.start = start
        self.end = end
        self.notes: list[tuple[Pitch, bool, int, int]] = []
        self.ties: list[bool] = []

    @property
    def duration(self) -> Fraction:
        """What it sounds, in whole notes."""
        if self.grace:
            return _ZERO
        duration = self.base
        if self.broken is not None:
            duration = scale_length(duration, self.broken)
        if self.tuplet is not None:
            duration = _product(duration.numerator, duration.denominator, self.tuplet[1], self.tuplet[0])
        return duration


class MeasureDraft:
    """A measure that is being read. `layers[k]` are the events of overlay k."""

    __slots__ = (
        "barline", "clef", "end", "ending", "fields", "key", "layers", "repeat_start", "start", "time", "transpose",
    )  # fmt: skip

    def __init__(self, start: int, state: VoiceState) -> None:
        self.start = start
        self.end = start
        self.layers: list[list[Draft]] = [[]]
        self.key = state.key
        self.time = state.time
        self.clef = state.clef
        self.transpose = state.transpose
        self.barline: Barline | None = None
        self.repeat_start = False
        self.ending: tuple[int, ...] = ()
        self.fields: list[tuple[str, str]] = []


class SealedError(Exception):
    """Music from before a seam would have to be changed: the tune must be read from its beginning."""


class _Sealed:
    """Music before a seam. It is read already, and cannot be looked at or changed."""

    def __getattr__(self, name: str) -> Never:
        raise SealedError(name)

    def __setattr__(self, name: str, value: object) -> Never:
        raise SealedError(name)

    def __iter__(self) -> Never:
        raise SealedError

    def __len__(self) -> Never:
        raise SealedError


SEALED: Any = _Sealed()
"""Stands for any piece of music before a seam."""


@dataclass(frozen=True, slots=True)
class VoiceSeam:
    """What a voice takes along from one line of music to the next, when nothing is half said.

    Attributes:
        id to fields: as in `VoiceState`.
        has_measures: whether there is a measure before.
        barline: of the last measure; signs at the start of the next line may add to it.
        last_has_notes: whether the last event has notes; None if there is none that a sign could apply to.
    """

    id: str
    name: str
    key: KeySignature
    time: TimeSignature
    unit: Fraction
    octave: int
    clef: str
    transpose: int
    repeat_start: bool
    ending: tuple[int, ...]
    fields: tuple[tuple[str, str], ...]
    has_measures: bool
    barline: Barline | None
    last_has_notes: bool | None


class VoiceState:
    """One voice while its tune is read: its settings, its measures, and what is half said.

    Attributes:
        index, layer: the measure (of `measures`) and the overlay that the next event goes to.
        lengths, alters: what a note of a written length lasts, and what the key gives a step, as far as they are known;
            forgotten when the unit length or the key changes.
        tuplet_left: how many events the open tuplet still takes.
        broken: the factor that a broken rhythm puts on the next event, or None.
        ties: position -> alter of the notes that are tied to what comes next.
        lead: where the signs that belong to the next event begin, if there are any.
        overlay_start: the measure that an open `(&` leads back to.
        fields: what the document says where the next measure begins.
        last, last_has_notes: the last event; whether it has notes, if it is sealed. None if there is none.
    """

    def __init__(self, name: str, key: KeySignature, time: TimeSignature, unit: Fraction) -> None:
        self.id = name
        self.name = ""
        self.key = key
        self.time = time
        self.unit = unit
        self.lengths: dict[str | None, Fraction] = {}
        self.alters: dict[str, int] = {}
        self.octave = 0
        self.clef = ""
        self.transpose = 0
        self.measures: list[MeasureDraft] = []
        self.index = 0
        self.layer = 0
        self.accidentals: dict[int, int] = {}
        self.ties: dict[int, int] = {}
        self.ties_of_layers: dict[int, dict[int, int]] = {}
        self.tuplet: tuple[int, int] | None = None
        self.tuplet_left = 0
        self.tuplet_events: list[Draft] = []
        self.broken: Fraction | None = None
        self.last: Draft | None = None
        self.last_has_notes: bool | None = None
        self.overlay_end = 0
        self.line: list[Draft | None] = []
        self.verse = 0
        self.repeat_start = False
        self.ending: tuple[int, ...] = ()
        self.lead: int | None = None
        self.overlay_start: int | None = None
        self.chord_symbol: ChordSymbol | None = None
        self.decorations: list[str] = []
        self.annotations: list[str] = []
        self.slur_starts = 0
        self.fields: list[tuple[str, str]] = []

    def begin_line(self) -> None:
        """Forget the notes that lyrics could be aligned with; a barline stands as None among them."""
        self.line = []
        self.verse = 0

    def measure(self, start: int) -> MeasureDraft:
        """The measure that the next event goes to; made if it is not there."""
        if self.index == len(self.measures):
            draft = MeasureDraft(start, self)
            draft.repeat_start, draft.ending = self.repeat_start, self.ending
            draft.fields = self.fields
            self.repeat_start, self.ending, self.fields = False, (), []
            self.measures.append(draft)
        return self.measures[self.index]

    def fields_here(self) -> list[tuple[str, str]]:
        """The fields of the measure that is being written, or else of the one that comes next."""
        return self.measures[self.index].fields if self.index < len(self.measures) else self.fields

    def current(self) -> list[Draft]:
        """The events of the measure and layer that the next event goes to, as far as they are there."""
        if self.index >= len(self.measures):
            return []
        layers = self.measures[self.index].layers
        return layers[self.layer] if self.layer < len(layers) else []

    @property
    def number(self) -> int:
        """What `Voice.number` the next event goes to: overlays without events do not count."""
        layers = self.measures[self.index].layers if self.index < len(self.measures) else []
        return 1 + sum(map(bool, layers[: self.layer]))

    def apply(self, properties: Properties) -> None:
        """Take over what a `K:` or `V:` field says besides the key."""
        if properties.clef is not None:
            self.clef = properties.clef
        if properties.octave is not None:
            self.octave = properties.octave
        if properties.transpose is not None:
            self.transpose = properties.transpose
        if properties.name is not None:
            self.name = properties.name

    def seam(self) -> VoiceSeam | None:
        """What is in force where a line of music begins, or None if something is half said there."""
        if (
            self.index != len(self.measures)
            or self.layer
            or self.tuplet_left
            or self.slur_starts
            or self.ties
            or self.accidentals
            or self.broken is not None
            or self.lead is not None
            or self.overlay_start is not None
            or self.chord_symbol is not None
            or self.decorations
            or self.annotations
            or any(self.ties_of_layers.values())
        ):
            return None
        return VoiceSeam(
            self.id,
            self.name,
            self.key,
            self.time,
            self.unit,
            self.octave,
            self.clef,
            self.transpose,
            self.repeat_start,
            self.ending,
            tuple(self.fields),
            bool(self.measures),
            self.measures[-1].barline if self.measures else None,
            self._last_has_notes(),
        )

    def _last_has_notes(self) -> bool | None:
        if self.last is SEALED:
            return self.last_has_notes
        return None if self.last is None else bool(self.last.notes)

    def resume(self, seam: VoiceSeam, n_measures: int) -> None:
        """Go on from a seam.

        Args:
            seam: what is in force there.
            n_measures: how many measures are before it. Nothing but the barline of the last can still change; its
                `end` is 0 until something is added to it.
        """
        self.name = seam.name
        self.octave, self.clef, self.transpose = seam.octave, seam.clef, seam.transpose
        self.repeat_start, self.ending, self.fields = seam.repeat_start, seam.ending, list(seam.fields)
        if n_measures:
            self.measures = [SEALED] * n_measures
            self.measures[-1] = MeasureDraft(0, self)
            self.measures[-1].barline = seam.barline
            self.measures[-1].layers = SEALED
        self.index = n_measures
        self.last_has_notes = seam.last_has_notes
        self.last = None if seam.last_has_notes is None else SEALED

    def enter_layer(self, layer: int) -> None:
        """Go on in another overlay; each has its own ties over the barline."""
        self.ties_of_layers[self.layer] = self.ties
        self.layer = layer
        self.ties = self.ties_of_layers.pop(layer, {})

    def clear_marks(self) -> None:
        """Forget what was to stand on the next event."""
        self.chord_symbol = None
        self.decorations.clear()
        self.annotations.clear()


def freeze_measures(drafts: Sequence[MeasureDraft]) -> tuple[Measure, ...]:
    """The measures of drafts that follow one another in one voice; nothing changes them any more."""
    _settle_ties(drafts)
    return tuple(_freeze_measure(draft) for draft in drafts)


def _settle_ties(measures: Sequence[MeasureDraft]) -> None:
    """Take away ties that find no note of their pitch; the last event of a voice may still find one."""
    waiting: dict[int, tuple[Draft, int]] = {}
    for measure in measures:
        for number, layer in enumerate(measure.layers):
            for draft in layer:
                if draft.grace:
                    continue
                previous = waiting.get(number)
                if previous is not None:
                    _land(previous[0], draft)
                waiting[number] = (draft, 0)


def _land(previous: Draft, draft: Draft) -> None:
    if any(previous.ties):
        pitches = {note[0] for note in draft.notes}
        previous.ties = [tie and note[0] in pitches for tie, note in zip(previous.ties, previous.notes, strict=True)]


def freeze_event(draft: Draft, onset: Fraction) -> Event:
    """The event of a draft."""
    marks = NO_MARKS
    if draft.decorations or draft.annotations or draft.slur_starts or draft.slur_ends or draft.lyrics:
        lyrics = draft.lyrics
        while lyrics and not lyrics[-1]:
            lyrics = lyrics[:-1]
        marks = Marks(draft.decorations, draft.annotations, draft.slur_starts, draft.slur_ends, lyrics)
    if len(draft.notes) == 1:  # most events by far
        pitch, accidental, start, end = draft.notes[0]
        notes: tuple[Note, ...] = (make_note(pitch, draft.ties[0], accidental, make_span(start, end)),)
    else:
        notes = tuple(
            make_note(pitch, tie, accidental, make_span(start, end))
            for (pitch, accidental, start, end), tie in zip(draft.notes, draft.ties, strict=True)
        )
    return make_event(
        onset,
        draft.duration,
        notes,
        draft.tuplet,
        draft.grace,
        draft.hidden,
        draft.whole,
        draft.chord_symbol,
        marks,
        make_span(draft.start, draft.end),
    )


def freeze_layer(layer: Iterable[Draft]) -> tuple[Event, ...]:
    """The events of one voice of a measure, with their onsets."""
    onset = _ZERO
    events = []
    for draft in layer:
        event = freeze_event(draft, onset)
        if not event.grace:
            onset = add_lengths(onset, event.duration)
        events.append(event)
    return tuple(events)


def _freeze_measure(draft: MeasureDraft) -> Measure:
    """The measure of a draft; overlays without events are left out."""
    layers = filter(None, draft.layers)
    voices = tuple(Voice(freeze_layer(layer), 1, number) for number, layer in enumerate(layers, 1))
    return Measure(
        voices,
        draft.time,
        draft.key,
        draft.barline,
        draft.repeat_start,
        draft.ending,
        draft.transpose,
        (draft.clef,) if draft.clef else (),
        span=Span(draft.start, draft.end),
        fields=tuple(draft.fields),
    )
