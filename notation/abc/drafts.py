"""Music while it is being read: events, measures and voices that are not finished yet.

Half-read music changes (a broken rhythm lengthens the note before it, a tie or a syllable comes after), so it is kept
in drafts, which become the score's own immutable values once nothing can change any more (`VoiceState.freeze`,
`freeze_layer`).

Durations are `notation.abc.lengths`, fractions of a whole note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Never, cast

from notation.abc.fields import Properties
from notation.abc.lengths import NOTHING, Length, length_of, plus
from notation.makers import make_marks, make_measure, make_note, make_span, make_voice, maker
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
)
from notation.source import Span

MOST_KNOWN = 4096
"""Notes whose meaning under one key is remembered."""
Heard = tuple[Pitch, bool, Length, Length]
"""What a written note means: its pitch, whether an accidental is written, its length, and this in units."""


@lru_cache(maxsize=64)
def _heard_under(key: KeySignature, unit: Fraction, octave: int) -> dict[str, Heard]:
    """What notes mean under a key alone, as far as they have been met; readers add to it."""
    return {}


class Draft:
    """An event that is being read.

    It has the slots of an `Event`, so that it need only be called one in the end; until then it may be changed, it has
    no onset, and its duration is a `Length`.
    """

    __slots__ = (
        "chord_symbol", "duration", "grace", "hidden", "marks", "notes", "onset", "span", "tuplet", "whole_measure",
    )  # fmt: skip

    duration: Length
    notes: tuple[Note, ...]
    tuplet: tuple[int, int] | None
    grace: bool
    hidden: bool
    whole_measure: bool
    chord_symbol: ChordSymbol | None
    marks: Marks
    span: Span

    def tie(self, end: int) -> None:
        """Tie all notes to the next event, with a sign that ends at an offset."""
        self.notes = tuple(tied(note) for note in self.notes)
        self.span = make_span(self.span.start, max(self.span.end, end))

    def end_slur(self) -> None:
        """One more slur ends here."""
        old = self.marks
        self.marks = make_marks(old.decorations, old.annotations, old.slur_starts, old.slur_ends + 1, old.lyrics)

    def decorate(self, name: str) -> None:
        """Add a decoration."""
        old = self.marks
        decorations = (*old.decorations, name)
        self.marks = make_marks(decorations, old.annotations, old.slur_starts, old.slur_ends, old.lyrics)

    def annotate(self, text: str) -> None:
        """Add an annotation."""
        old = self.marks
        annotations = (*old.annotations, text)
        self.marks = make_marks(old.decorations, annotations, old.slur_starts, old.slur_ends, old.lyrics)

    def sing(self, verse: int, syllable: str) -> None:
        """Put a syllable under the event."""
        old = self.marks
        lyrics = (*old.lyrics[:verse], *[""] * (verse - len(old.lyrics)), syllable)
        while lyrics and not lyrics[-1]:
            lyrics = lyrics[:-1]
        self.marks = make_marks(old.decorations, old.annotations, old.slur_starts, old.slur_ends, lyrics)


def make_draft(duration: Length, notes: tuple[Note, ...], span: Span) -> Draft:
    """A draft of an event. As there is one for every note, this is no constructor, which would be slower to call."""
    draft = Draft()
    draft.duration = duration
    draft.notes = notes
    draft.tuplet = None
    draft.grace = draft.hidden = draft.whole_measure = False
    draft.chord_symbol = None
    draft.marks = NO_MARKS
    draft.span = span
    return draft


def tied(note: Note, tie: bool = True) -> Note:
    """The same note, tied or not."""
    return make_note(note.pitch, tie, note.accidental, note.span)


class MeasureDraft:
    """A measure that is being read.

    Attributes:
        layers: the events of overlay k are `layers[k]`.
        is_full: whether it has no overlay and is known to be as long as its metre says, once it is frozen.
    """

    __slots__ = (
        "barline", "clef", "end", "ending", "fields", "is_full", "key", "layers", "repeat_start", "start", "time",
        "transpose",
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
        self.is_full = False


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


_make_voice_seam = maker(VoiceSeam)


class VoiceState:
    """One voice while its tune is read: its settings, its measures, and what is half said.

    Attributes:
        n_sealed: how many measures stand before the seam at which reading was taken up; all of them end before it, but
            for the barline of the last.
        index, layer: the measure (of `measures`) and the overlay that the next event goes to; `go_to` and
            `enter_layer` change them.
        measure, events: what they stand for, once there is an event in it; `events` is None before.
        known: what written notes mean here, as far as it is known; another one after whatever changes it.
        tuplet_left: how many events the open tuplet still takes.
        broken: the factor that a broken rhythm puts on the next event, or None.
        ties: position -> alter of the notes that are tied to what comes next; `has_ties` if there ever were any.
        lead: where the signs that belong to the next event begin, if there are any.
        overlay_start: the measure that an open `(&` leads back to.
        chord_symbol, decorations, annotations, slur_starts: stand on the next event; `is_marked` if any do.
        fields: what the document says where the next measure begins.
        last, last_has_notes: the last event; whether it has notes, if it is sealed. None if there is none.
        written: how long the last event would be without broken rhythm and tuplet.
    """

    __slots__ = (
        "accidentals", "annotations", "broken", "chord_symbol", "clef", "decorations", "ending", "events", "fields",
        "has_ties", "id", "index", "is_marked", "key", "known", "last", "last_has_notes", "layer", "lead", "line",
        "measure", "measures", "n_sealed", "name", "octave", "overlay_end", "overlay_start", "repeat_start",
        "slur_starts", "ties", "ties_of_layers", "time", "transpose", "tuplet", "tuplet_events", "tuplet_left",
        "unit", "verse", "written",
    )  # fmt: skip

    def __init__(self, name: str, key: KeySignature, time: TimeSignature, unit: Fraction) -> None:
        self.id = name
        self.name = ""
        self.key = key
        self.time = time
        self.unit = unit
        self.octave = 0
        self.clef = ""
        self.transpose = 0
        self.measures: list[MeasureDraft] = []
        self.n_sealed = 0
        self.index = 0
        self.layer = 0
        self.measure: MeasureDraft | None = None
        self.events: list[Draft] | None = None
        self.accidentals: dict[int, int] = {}
        self.ties: dict[int, int] = {}
        self.has_ties = False
        self.ties_of_layers: dict[int, dict[int, int]] = {}
        self.known = _heard_under(key, unit, 0)
        self.tuplet: tuple[int, int] | None = None
        self.tuplet_left = 0
        self.tuplet_events: list[Draft] = []
        self.broken: Length | None = None
        self.last: Draft | None = None
        self.last_has_notes: bool | None = None
        self.written = NOTHING
        self.overlay_end = 0
        self.line: list[Draft | None] = []
        self.verse = 0
        self.repeat_start = False
        self.ending: tuple[int, ...] = ()
        self.lead: int | None = None
        self.overlay_start: int | None = None
        self.is_marked = False
        self.chord_symbol: ChordSymbol | None = None
        self.decorations: list[str] = []
        self.annotations: list[str] = []
        self.slur_starts = 0
        self.fields: list[tuple[str, str]] = []

    def hear_anew(self) -> None:
        """Written notes may mean something else from here on."""
        is_plain = not self.accidentals and not self.ties
        self.known = _heard_under(self.key, self.unit, self.octave) if is_plain else {}

    def begin_line(self) -> None:
        """Forget the notes that lyrics could be aligned with; a barline stands as None among them."""
        self.line = []
        self.verse = 0

    def begin(self, start: int) -> list[Draft]:
        """The events that the next one, which begins at an offset, goes to; its measure is made if it is not there."""
        if self.index == len(self.measures):
            draft = MeasureDraft(start, self)
            draft.repeat_start, draft.ending = self.repeat_start, self.ending
            draft.fields = self.fields
            self.repeat_start, self.ending, self.fields = False, (), []
            self.measures.append(draft)
        self.measure = self.measures[self.index]
        layers = self.measure.layers
        while len(layers) <= self.layer:
            layers.append([])
        self.events = layers[self.layer]
        return self.events

    def go_to(self, index: int) -> None:
        """Go on in another measure."""
        self.index = index
        self.events = None

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
            self.hear_anew()
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
        return _make_voice_seam(
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
        self.hear_anew()
        self.repeat_start, self.ending, self.fields = seam.repeat_start, seam.ending, list(seam.fields)
        if n_measures:
            self.measures = [SEALED] * n_measures
            self.measures[-1] = MeasureDraft(0, self)
            self.measures[-1].barline = seam.barline
            self.measures[-1].layers = SEALED
        self.n_sealed = n_measures
        self.go_to(n_measures)
        self.last_has_notes = seam.last_has_notes
        self.last = None if seam.last_has_notes is None else SEALED

    def enter_layer(self, layer: int) -> None:
        """Go on in another overlay; each has its own ties over the barline."""
        self.ties_of_layers[self.layer] = self.ties
        self.layer = layer
        self.events = None
        self.ties = self.ties_of_layers.pop(layer, {})
        self.hear_anew()

    def clear_marks(self) -> None:
        """Forget what was to stand on the next event, but for slurs."""
        self.is_marked = self.slur_starts > 0
        self.chord_symbol = None
        self.decorations.clear()
        self.annotations.clear()

    def freeze(self, first: int = 0) -> tuple[Measure, ...]:
        """The measures from the first on; nothing changes them any more."""
        drafts = self.measures[first:]
        if self.has_ties:
            _settle_ties(drafts)
        measures = []
        time, full = None, None
        for draft in drafts:
            if draft.time is not time:
                time = draft.time
                full = None if time.duration is None else length_of(time.duration)
            measures.append(_freeze_measure(draft, full))
        return tuple(measures)

    def doubtful(self) -> list[int]:
        """The indices of the measures that may be too short or too long, once all are frozen."""
        return [index for index, draft in enumerate(self.measures) if not draft.is_full]


def _settle_ties(measures: Sequence[MeasureDraft]) -> None:
    """Take away ties that find no note of their pitch; the last event of a voice may still find one."""
    waiting: dict[int, Draft] = {}
    for measure in measures:
        for number, layer in enumerate(measure.layers):
            for draft in layer:
                if draft.grace:
                    continue
                previous = waiting.get(number)
                if previous is not None:
                    _land(previous, draft)
                waiting[number] = draft


def _land(previous: Draft, draft: Draft) -> None:
    if any(note.tie for note in previous.notes):
        pitches = {note.pitch for note in draft.notes}
        previous.notes = tuple(tied(note, note.tie and note.pitch in pitches) for note in previous.notes)


def freeze_layer(layer: Sequence[Draft]) -> tuple[tuple[Event, ...], Length]:
    """The events of one voice of a measure, and how long they are together; the drafts become the events."""
    onset = NOTHING
    for draft in layer:
        event: Any = draft
        length = draft.duration
        event.onset, event.duration = onset.fraction, length.fraction
        event.__class__ = Event
        onset = plus(onset, length)
    return cast("tuple[Event, ...]", tuple(layer)), onset


def _freeze_measure(draft: MeasureDraft, full: Length | None) -> Measure:
    """The measure of a draft whose metre says how long it is; overlays without events are left out."""
    frozen = [freeze_layer(layer) for layer in draft.layers if layer]
    draft.is_full = len(frozen) == 1 and frozen[0][1] is full
    return make_measure(
        tuple([make_voice(events, 1, number) for number, (events, _) in enumerate(frozen, 1)]),
        draft.time,
        draft.key,
        draft.barline,
        draft.repeat_start,
        draft.ending,
        draft.transpose,
        (draft.clef,) if draft.clef else (),
        "",
        False,
        make_span(draft.start, draft.end),
        tuple(draft.fields),
    )
