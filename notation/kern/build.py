"""From the spines of a timeline to the parts of a score.

Spines go from the lowest to the highest staff, parts from the highest down. Spines are staves of one part if they
share a *part, or stand side by side with one keyboard instrument and name, or with one name and no *part. Two spines
that are all there is are also one part if only the lower one has its keyboard named, or if they stand without
instrument and words under a treble and a bass clef.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from notation.kern.instruments import instrument_of
from notation.kern.timeline import Frame, Piece, RawMeasure, Spine, Timeline
from notation.kern.tokens import NoteToken, tuplet_of
from notation.score import NO_MARKS, Barline, Event, Measure, Part, Voice

_KEYBOARDS = {"piano": 2, "harpsichord": 2, "organ": 4}
"""How many staves one player reads at most."""

_DOTS = (Fraction(7, 4), Fraction(3, 2), Fraction(1))


def build_parts(timeline: Timeline) -> tuple[Part, ...]:
    """The parts of all spines, from the highest down."""
    groups = _group(timeline.spines)
    return tuple(_Builder(timeline, group).part(f"P{number}") for number, group in enumerate(reversed(groups), start=1))


def _group(spines: Sequence[Spine]) -> list[list[Spine]]:
    """Spines by part, still from the lowest up."""
    groups: list[list[Spine]] = []
    for spine in spines:
        home = next((group for group in groups if spine.part and group[0].part == spine.part), None)
        if home is None and groups and _share_part(groups[-1], spine, len(spines)):
            home = groups[-1]
        if home is None:
            groups.append([spine])
        else:
            home.append(spine)
    return groups


def _share_part(group: list[Spine], spine: Spine, n_spines: int) -> bool:
    below = group[-1]
    word = _instrument(spine)
    word_below = _instrument(below)
    if word_below in _KEYBOARDS and word == word_below:
        return spine.name == below.name and len(group) < _KEYBOARDS[word]
    if n_spines == 2 and word_below in _KEYBOARDS and not word and not spine.name:
        return True
    if not spine.part and not below.part and spine.name and spine.name == below.name:
        return True
    is_bare = not (word or word_below or spine.name or below.name or spine.has_text or below.has_text)
    return n_spines == 2 and is_bare and (below.first_clef, spine.first_clef) == ("bass", "treble")


def _instrument(spine: Spine) -> str:
    return instrument_of(spine.code, spine.name) or ("voice" if spine.has_text else "")


class _Builder:
    """Makes the part of some spines; keeps every event that was made, for most of them come again."""

    def __init__(self, timeline: Timeline, spines: list[Spine]) -> None:
        self._ticks = timeline.ticks
        self._frames = timeline.frames
        self._staves = spines[::-1]
        self._times: dict[int, Fraction] = {}
        self._events: dict[tuple[int, int, int, int], tuple[Event, ...]] = {}
        self._rests: dict[tuple[int, int], tuple[Event, ...]] = {}

    def part(self, identity: str) -> Part:
        """The part, with an id."""
        names = [spine.name for spine in self._staves if spine.name]
        instruments = [word for word in map(_instrument, self._staves) if word]
        for spine in self._staves:
            resolve_ties(spine)
        return Part(
            id=identity,
            measures=tuple(self._measure(index, frame) for index, frame in enumerate(self._frames)),
            name=names[0] if names else "",
            instrument=instruments[0] if instruments else "",
            staves=len(self._staves),
        )

    def _measure(self, index: int, frame: Frame) -> Measure:
        raws = [spine.measures[index] for spine in self._staves]
        top, interval = raws[0], self._staves[0].transposition
        full = top.time.duration
        return Measure(
            voices=tuple(
                Voice(self._fill(spine, raw, pieces), staff, number)
                for staff, (spine, raw) in enumerate(zip(self._staves, raws, strict=True), start=1)
                for number, pieces in (sorted(raw.voices.items()) or [(1, [])])
            ),
            time=top.time,
            key=interval.key(top.key) if interval.chromatic else top.key,
            barline=Barline(frame.barline.style, frame.barline.repeat_end) if frame.barline else None,
            repeat_start=frame.repeat_start,
            transpose=-interval.chromatic,
            clefs=tuple(raw.clef for raw in raws),
            number=frame.number,
            implicit=index == 0 and full is not None and self._time(top.end - top.start) < full,
        )

    def _fill(self, spine: Spine, raw: RawMeasure, pieces: list[Piece]) -> tuple[Event, ...]:
        """The events of a voice, with hidden rests from the start of the measure to its end."""
        events: list[Event] = []
        clock = raw.start
        for onset, duration, token, _ in pieces:
            if onset > clock:
                events += self._gap(clock - raw.start, onset - clock)
            key = (onset - raw.start, duration, id(token), spine.index)
            if key not in self._events:
                self._events[key] = self._make(onset - raw.start, duration, token, spine)
            events += self._events[key]
            clock = max(clock, onset + duration)
        if clock < raw.end:
            events += self._gap(clock - raw.start, raw.end - clock)
        if len(pieces) == 1 and events[0].is_rest and not events[0].hidden and events[0].end == raw.time.duration:
            return (replace(events[0], whole_measure=True),)
        return tuple(events)

    def _make(self, onset: int, duration: int, token: NoteToken, spine: Spine) -> tuple[Event, ...]:
        notes = token.notes
        if spine.transposition.chromatic:
            notes = tuple(replace(note, pitch=spine.transposition.pitch(note.pitch)) for note in notes)
        when, length = self._time(onset), self._time(duration)
        if length == token.duration:
            return (Event(when, length, notes, token.tuplet, token.grace, token.hidden, marks=token.marks),)
        held = tuple(replace(note, tie=True) for note in notes)
        values = notatable(length)
        events: list[Event] = []
        for index, (value, tuplet) in enumerate(values):
            is_last = index == len(values) - 1
            marks = NO_MARKS if index else token.marks
            events.append(Event(when, value, notes if is_last else held, tuplet, hidden=token.hidden, marks=marks))
            when += value
        return tuple(events)

    def _gap(self, onset: int, duration: int) -> tuple[Event, ...]:
        if (onset, duration) not in self._rests:
            when = self._time(onset)
            rests: list[Event] = []
            for value, tuplet in notatable(self._time(duration)):
                rests.append(Event(when, value, tuplet=tuplet, hidden=True))
                when += value
            self._rests[onset, duration] = tuple(rests)
        return self._rests[onset, duration]

    def _time(self, ticks: int) -> Fraction:
        if ticks not in self._times:
            self._times[ticks] = Fraction(ticks, self._ticks)
        return self._times[ticks]


def notatable(duration: Fraction) -> list[tuple[Fraction, tuple[int, int] | None]]:
    """Cut a duration into note values with at most two dots, longest first: (sounding duration, tuplet) each."""
    tuplet = tuplet_of(duration)
    actual, normal = tuplet or (1, 1)
    left = duration * actual / normal
    values: list[tuple[Fraction, tuple[int, int] | None]] = []
    while left:
        plain = Fraction(2) ** (left.numerator.bit_length() - left.denominator.bit_length())
        value = next(plain * dots for dots in _DOTS if plain * dots <= left)
        values.append((value * normal / actual, tuplet))
        left -= value
    return values


def resolve_ties(spine: Spine) -> None:
    """Tie the pieces that barlines cut, and untie the notes that the next note of their voice does not take up."""
    waiting: dict[int, tuple[list[Piece], int]] = {}
    for measure in spine.measures:
        for voice, pieces in measure.voices.items():
            for index, (onset, duration, token, is_cut) in enumerate(pieces):
                if not duration:
                    continue
                if voice in waiting:
                    _land(*waiting.pop(voice), onset, token)
                if is_cut and token.notes:
                    held = tuple(replace(note, tie=True) for note in token.notes)
                    pieces[index] = (onset, duration, replace(token, notes=held), True)
                if is_cut or any(note.tie for note in token.notes):
                    waiting[voice] = (pieces, index)
    for pieces, index in waiting.values():
        _land(pieces, index, -1, None)


def _land(pieces: list[Piece], index: int, onset: int, following: NoteToken | None) -> None:
    """Untie what is not taken up by a note at an onset."""
    start, duration, token, is_cut = pieces[index]
    pitches = {note.pitch for note in following.notes} if following and start + duration == onset else set()
    notes = tuple(replace(note, tie=note.tie and note.pitch in pitches) for note in token.notes)
    if notes != token.notes:
        pieces[index] = (start, duration, replace(token, notes=notes), is_cut)
