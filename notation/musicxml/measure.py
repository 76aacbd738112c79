"""What music does the text of one measure hold?

Reads the content of a `measure` element (in score-timewise: of the `part` in it), given what is in force before it.
Positions are whole multiples of a tick that divides every `divisions` of the measure, so nothing is rounded.
Pure: the same text and state give the same measure, which is why `reader` may remember it.

Source: MusicXML 4.0, the elements note, backup, forward, attributes, barline, harmony and direction.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

from notation.diagnostic import Diagnostic, Severity
from notation.makers import make_event, make_note, make_span
from notation.musicxml import names, tags
from notation.musicxml.note import SaidNote, known_note, read_duration, read_note
from notation.musicxml.tags import Element
from notation.musicxml.values import (
    lyric_text,
    read_chord_symbol,
    read_clef,
    read_decimal,
    read_ending,
    read_integer,
    read_key,
    read_time,
)
from notation.score import (
    ACCIACCATURA,
    NO_MARKS,
    Barline,
    ChordSymbol,
    Event,
    KeySignature,
    Marks,
    Measure,
    Note,
    TimeSignature,
    Voice,
)
from notation.source import Span

_DIVISIONS = re.compile(r"<divisions[^<>]*>\s*([\d.]{1,12})\s*<")
_COMMON_TIME = TimeSignature()
_NO_KEY = KeySignature()
_VERSES = 16
_MANY_TICKS = 10**15
_STAVES = 16


@dataclass(frozen=True, slots=True)
class PartState:
    """What is in force in a part between two measures.

    Attributes:
        divisions: divisions of a quarter note; None before the first.
        time, has_time: the metre, and whether the document gave one.
        key: of the first staff.
        clefs: one a staff, empty where unknown.
        transpose: semitones from written to sounding.
        staves: how many staves the part has so far.
        voices: (staff, voice name) of every voice so far in order of appearance.
    """

    divisions: Fraction | None = None
    time: TimeSignature = _COMMON_TIME
    has_time: bool = False
    key: KeySignature = _NO_KEY
    clefs: tuple[str, ...] = ()
    transpose: int = 0
    staves: int = 1
    voices: tuple[tuple[int, str], ...] = ()

    def voice_number(self, staff: int, name: str) -> int:
        """The number of a voice on its staff, counted from 1; one past the last if it is new."""
        on_staff = [voice for number, voice in self.voices if number == staff]
        return (on_staff.index(name) if name in on_staff else len(on_staff)) + 1

    def voice_name(self, staff: int, number: int) -> str | None:
        """The document's name of a voice, or None if it has not appeared."""
        on_staff = [voice for voice_staff, voice in self.voices if voice_staff == staff]
        return on_staff[number - 1].split("+")[0] if number <= len(on_staff) else None


@dataclass(frozen=True, slots=True)
class ReadMeasure:
    """A measure as read: the music, what was found wrong, and what is in force behind it.

    Attributes:
        position: where the text leaves off, in whole notes from the start of the measure.
        current: the (staff, number) of the voice that was written last; None before the first note.
        after_backup: whether a `backup` was the last thing that moved.
    """

    measure: Measure
    diagnostics: tuple[Diagnostic, ...]
    state: PartState
    position: Fraction = Fraction(0)
    current: tuple[int, int] | None = None
    after_backup: bool = False


@dataclass(slots=True)
class _Draft:
    """An event while its measure is being read; onset and duration in ticks."""

    onset: Fraction | int
    duration: Fraction | int
    start: int
    end: int
    notes: list[Note] = field(default_factory=list)
    tuplet: tuple[int, int] | None = None
    grace: bool = False
    hidden: bool = False
    whole_measure: bool = False
    symbol: ChordSymbol | None = None
    decorations: list[str] = field(default_factory=list)
    annotations: list[str] = field(default_factory=list)
    slur_starts: int = 0
    slur_ends: int = 0
    lyrics: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Stream:
    """The events of one voice of the document in this measure."""

    staff: int
    name: str
    events: list[_Draft] = field(default_factory=list)
    end: Fraction | int = 0


def read_measure(
    content: str, state: PartState, base: int, *, closed: bool = True, number: str = "", implicit: bool = False
) -> ReadMeasure:
    """Read the content of a measure.

    Args:
        content: the characters between its tags.
        state: what is in force before it.
        base: the offset of `content` in its document, added to every span.
        closed: whether the measure has its end tag: then every voice is filled up with hidden rests.
        number, implicit: as its start tag says.
    """
    reader = _Reader(content, state, base)
    for element in tags.read_measure(content):
        reader.read(element)
    return reader.finish(closed, number, implicit)


class _Reader:
    """The state of reading one measure."""

    def __init__(self, content: str, state: PartState, base: int) -> None:
        self.state = state
        self.opening = state
        self.base = base
        self.span = Span(base, base + len(content))
        self.ticks_per_quarter = _ticks_per_quarter(content, state)
        self.position: Fraction | int = 0
        self.far: Fraction | int = 0
        self.streams: dict[tuple[str, int], _Stream] = {}
        self.last: _Draft | None = None
        self.last_stream: _Stream | None = None
        self.skipped = False
        self.music_began = False
        self.after_backup = False
        self.diagnostics: list[Diagnostic] = []
        self.words: list[str] = []
        self.signs: list[str] = []
        self.symbol: tuple[Fraction | int, ChordSymbol] | None = None
        self.late_symbols: list[tuple[Fraction | int, ChordSymbol]] = []
        self.barline = Barline()
        self.repeat_start = False
        self.ending: tuple[int, ...] = ()

    def read(self, element: Element) -> None:
        """Read one element of the measure."""
        tag = element.tag
        if tag == "note":
            self._note(element)
        elif tag == "backup":
            self._backup(element)
        elif tag == "forward":
            self._forward(element)
        elif tag == "attributes":
            self._attributes(element)
        elif tag == "barline":
            self._barline(element)
        elif tag == "harmony":
            self._harmony(element)
        elif tag == "direction":
            self._direction(element)
        elif tag not in names.MEASURE_ELEMENTS:
            self._warn(
                "unknown-element",
                element,
                f"<{tag}> is not an element of a measure; use note, backup, forward, attributes, direction, harmony "
                "or barline.",
            )

    # --- time ---------------------------------------------------------------------------------------------------

    def _ticks(self, value: Fraction | int | None) -> Fraction | int | None:
        """How many ticks a number of divisions is; None if it says nothing."""
        divisions = self.state.divisions
        if divisions is None or value is None:
            return None
        whole = divisions.denominator == 1 and self.ticks_per_quarter % divisions.numerator == 0
        if whole and isinstance(value, int):
            return value * (self.ticks_per_quarter // divisions.numerator)
        return value * self.ticks_per_quarter / divisions

    def _backup(self, element: Element) -> None:
        ticks = self._ticks(read_duration(element)) or 0
        if ticks > self.position:
            self._warn(
                "backup-too-far",
                element,
                f"This backup goes back {self._fraction(ticks)} of a whole note, but only "
                f"{self._fraction(self.position)} of the measure is written; shorten it.",
            )
        self.position = max(0, self.position - ticks)
        self._forget_words()
        self.last, self.after_backup = None, True

    def _forward(self, element: Element) -> None:
        ticks = self._ticks(read_duration(element)) or 0
        voice = element.text_of("voice")
        if voice and ticks:
            staff = read_integer(element.text_of("staff"), 1)
            self._place(_Draft(self.position, ticks, *self._offsets(element), hidden=True), voice, staff)
            self.after_backup = False
        self._move(ticks)
        self.last = None

    def _move(self, ticks: Fraction | int) -> None:
        self.position += ticks
        self.far = max(self.far, self.position)

    def _place(self, draft: _Draft, voice: str, staff: int) -> None:
        """Put an event into its voice; one that overlaps the voice's own events opens another layer of it."""
        layer = 0
        while (stream := self.streams.get((voice, layer))) is not None and stream.end > draft.onset:
            layer += 1
        if stream is None:
            stream = self.streams[voice, layer] = _Stream(min(max(staff, 1), _STAVES), voice)
        stream.events.append(draft)
        stream.end = draft.onset + draft.duration
        self.last_stream = stream

    # --- notes --------------------------------------------------------------------------------------------------

    def _note(self, element: Element) -> None:
        said = known_note(element.content) if element.content is not None else read_note(element)
        if not said.chord:
            self.skipped = said.cue
        if self.skipped or said.cue:
            if not said.grace and not said.chord:
                self._move(self._ticks(said.duration) or 0)
                self.last, self.music_began = None, True
            return
        start, end = self._offsets(element)
        note = None
        if said.pitch is not None:
            note = make_note(said.pitch, said.tie, said.accidental, make_span(start, end))
        if said.chord and self.last is not None and note is not None:
            self.last.notes.append(note)
            self.last.end = end
            self._marks(element, self.last)
            return
        draft = self._draft(element, said, start, end)
        if draft is None or (note is None and not said.rest):
            if draft is not None and not draft.grace:
                self._move(draft.duration)
            return
        self._describe(draft, element, said, note)
        self._place(draft, said.voice, said.staff)
        self._move(draft.duration)
        self.last, self.music_began, self.after_backup = draft, True, False

    def _describe(self, draft: _Draft, element: Element, said: SaidNote, note: Note | None) -> None:
        if note is not None:
            draft.notes.append(note)
        else:
            self._describe_rest(draft, element, said)
        if self.words:
            draft.annotations, self.words = self.words, []
        if self.signs:
            draft.decorations, self.signs = list(dict.fromkeys(self.signs)), []
        if draft.grace and said.slash:
            draft.decorations.append(ACCIACCATURA)
        if not draft.grace and self.symbol is not None:
            draft.symbol, self.symbol = self.symbol[1], None
        if said.marked:
            self._marks(element, draft)

    def _describe_rest(self, draft: _Draft, element: Element, said: SaidNote) -> None:
        draft.hidden = 'print-object="no"' in element.raw_attributes
        if said.whole_measure:
            draft.whole_measure = True
        elif draft.onset == 0 and not said.typed and not draft.hidden:
            draft.whole_measure = self._fraction(draft.duration) == self.state.time.duration

    def _draft(self, element: Element, said: SaidNote, start: int, end: int) -> _Draft | None:
        if said.grace:
            return _Draft(self.position, 0, start, end, grace=True)
        ticks, written = self._ticks(said.duration), said.written
        if ticks is None and self.state.divisions is None and said.timed:
            self._warn(
                "no-divisions",
                element,
                "A duration without divisions says nothing; give <attributes><divisions> before the first note.",
            )
        if ticks is None:
            if written is None:
                return None
            exact = written * 4 * self.ticks_per_quarter
            ticks = exact.numerator if exact.denominator == 1 else exact
        elif written is not None and not self._agrees(ticks, written) and not said.fills_measure:
            self._warn(
                "duration-mismatch",
                element,
                f"The duration is {self._fraction(ticks)} of a whole note, but a {said.kind} with {said.dots} dots"
                f"{f' in a {said.tuplet[0]}:{said.tuplet[1]} tuplet' if said.tuplet else ''} lasts {written}; "
                "correct one of them.",
            )
        if not ticks:
            return _Draft(self.position, 0, start, end, grace=True) if not said.rest else None
        return _Draft(self.position, ticks, start, end, tuplet=said.tuplet)

    def _agrees(self, ticks: Fraction | int, written: Fraction) -> bool:
        """Whether a duration is the written one, up to the rounding of tuplets to whole divisions."""
        if ticks * written.denominator == 4 * self.ticks_per_quarter * written.numerator:
            return True
        divisions = self.state.divisions or Fraction(1)
        difference = abs(self._fraction(ticks) - written)
        return difference < 1 / (4 * divisions) and (written * 4 * divisions).denominator > 1

    def _marks(self, element: Element, draft: _Draft) -> None:
        for child in element.children:
            if child.tag == "lyric":
                _add_lyric(draft.lyrics, child)
            elif child.tag == "notations":
                for notation in child.children:
                    _add_notation(draft, notation)

    # --- what stands between the notes --------------------------------------------------------------------------

    def _attributes(self, element: Element) -> None:
        changes: dict[str, object] = {}
        for child in element.children:
            if child.tag == "divisions":
                value = read_decimal(child.text)
                if value is not None and value > 0:
                    changes["divisions"] = Fraction(value)
                else:
                    self._warn("no-divisions", child, f"divisions is '{child.text}'; it must be more than 0.")
            elif child.tag == "key" and child.attribute("number") in ("", "1"):
                changes["key"] = read_key(child)
            elif child.tag == "time" and child.attribute("number") in ("", "1"):
                if (time := read_time(child)) is not None:
                    changes["time"], changes["has_time"] = time, True
            elif child.tag == "staves":
                changes["staves"] = min(max(read_integer(child.text, 1), self.state.staves), _STAVES)
            elif child.tag == "clef":
                staff = min(max(read_integer(child.attribute("number"), 1), 1), _STAVES)
                clefs = changes.get("clefs", self.state.clefs)
                changes["clefs"] = _with_clef(clefs if isinstance(clefs, tuple) else (), staff, read_clef(child))
            elif child.tag == "transpose" and child.attribute("number") in ("", "1"):
                octaves = read_integer(child.text_of("octave-change"), 0)
                changes["transpose"] = read_integer(child.text_of("chromatic"), 0) + 12 * octaves
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        if not self.music_began:
            self.opening = self.state

    def _barline(self, element: Element) -> None:
        location = element.attribute("location") or "right"
        repeat = element.find("repeat")
        direction = repeat.attribute("direction") if repeat is not None else ""
        ending = element.find("ending")
        if location == "left":
            self.repeat_start |= direction == "forward"
        if ending is not None and ending.attribute("type") == "start" and location != "right":
            self.ending = read_ending(ending.attribute("number"))
        if location == "right":
            style = names.BAR_STYLES.get(element.text_of("bar-style"), "regular")
            repeat_end = direction == "backward"
            self.barline = Barline("regular" if repeat_end and style == "final" else style, repeat_end)

    def _harmony(self, element: Element) -> None:
        symbol = read_chord_symbol(element)
        if symbol is None:
            return
        offset = read_decimal(element.text_of("offset")) or 0
        if not offset and self.symbol is None:
            self.symbol = (self.position, symbol)
            return
        divisions = self.state.divisions or Fraction(1)
        late = self.position + offset * self.ticks_per_quarter / divisions
        self.late_symbols.append((late if late > 0 else 0, symbol))

    def _direction(self, element: Element) -> None:
        below = element.attribute("placement") == "below"
        for kind in element.all("direction-type"):
            for child in kind.children:
                if child.tag == "words" and child.text:
                    self.words.append(("_" if below else "^") + " ".join(child.text.split()))
                elif child.tag == "dynamics":
                    signs = (one.tag for one in child.children if one.tag in names.DYNAMICS)
                    self.signs += [names.DECORATION_NAMES[sign] for sign in signs]
                elif child.tag in ("segno", "coda"):
                    self.signs.insert(sum(sign in ("segno", "coda") for sign in self.signs), child.tag)

    def _forget_words(self) -> None:
        self.words, self.signs = [], []
        if self.symbol is not None:
            self.late_symbols.append(self.symbol)
            self.symbol = None

    # --- the end ------------------------------------------------------------------------------------------------

    def finish(self, closed: bool, number: str, implicit: bool) -> ReadMeasure:
        """The measure, now that all of it is read."""
        self._forget_words()
        self._place_late_symbols()
        voices: dict[tuple[int, int], Voice] = {}
        numbers: dict[int, tuple[int, int]] = {}
        taken: set[tuple[int, str]] = set()
        for stream in self.streams.values():
            staff, name = stream.staff, stream.name
            while (staff, name) in taken:
                name += "+"
            taken.add((staff, name))
            place = (staff, self.state.voice_number(staff, name))
            if (staff, name) not in self.state.voices:
                self.state = replace(
                    self.state, voices=(*self.state.voices, (staff, name)), staves=max(self.state.staves, staff)
                )
            numbers[id(stream)] = place
            voices[place] = Voice(self._events(stream, closed), *place)
        opening = self.opening
        measure = Measure(
            tuple(voices[place] for place in sorted(voices)),
            opening.time,
            opening.key,
            self.barline if closed else None,
            self.repeat_start,
            self.ending,
            opening.transpose,
            opening.clefs,
            number,
            implicit,
            self.span,
        )
        current = numbers[id(self.last_stream)] if self.last_stream is not None else None
        return ReadMeasure(
            measure,
            tuple(self.diagnostics),
            self.state,
            self._fraction(self.position),
            current,
            self.after_backup,
        )

    def _place_late_symbols(self) -> None:
        """Give each harmony that stands at no event of its own to the first event at or after it."""
        if not self.late_symbols or not self.streams:
            return
        events = next(iter(self.streams.values())).events
        for position, symbol in self.late_symbols:
            for event in events:
                if event.onset >= position and not event.grace and event.symbol is None:
                    event.symbol = symbol
                    break

    def _events(self, stream: _Stream, closed: bool) -> tuple[Event, ...]:
        events: list[Event] = []
        end: Fraction | int = 0
        for draft in stream.events:
            if draft.onset > end:
                events.append(self._gap(end, draft.onset, draft.start))
            events.append(self._event(draft))
            end = draft.onset + draft.duration
        if closed and end < self.far:
            events.append(self._gap(end, self.far, stream.events[-1].end))
        return tuple(events)

    def _gap(self, start: Fraction | int, end: Fraction | int, offset: int) -> Event:
        span = Span(offset, offset)
        return Event(self._fraction(start), self._fraction(end - start), hidden=True, span=span)

    def _event(self, draft: _Draft) -> Event:
        notes = draft.notes
        if len(notes) > 1:
            notes = sorted(notes, key=lambda note: (note.pitch.position, note.pitch.alter))
        marks = NO_MARKS
        if draft.decorations or draft.annotations or draft.slur_starts or draft.slur_ends or draft.lyrics:
            verses = tuple(draft.lyrics.get(verse, "") for verse in range(1, max(draft.lyrics, default=0) + 1))
            marks = Marks(
                tuple(draft.decorations), tuple(draft.annotations), draft.slur_starts, draft.slur_ends, verses
            )
        return make_event(
            self._fraction(draft.onset),
            self._fraction(draft.duration),
            tuple(notes),
            draft.tuplet,
            draft.grace,
            draft.hidden,
            draft.whole_measure,
            draft.symbol,
            marks,
            make_span(draft.start, draft.end),
        )

    def _fraction(self, ticks: Fraction | int) -> Fraction:
        return _fraction(ticks, 4 * self.ticks_per_quarter)

    def _offsets(self, element: Element) -> tuple[int, int]:
        return self.base + element.start, self.base + element.end

    def _warn(self, code: str, element: Element, message: str) -> None:
        span = Span(*self._offsets(element))
        self.diagnostics.append(Diagnostic(code, Severity.WARNING, span, message, f"MusicXML 4.0, {element.tag}"))


# --- values of elements ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _fraction(ticks: Fraction | int, ticks_per_whole: int) -> Fraction:
    return Fraction(ticks, ticks_per_whole)


def _ticks_per_quarter(content: str, state: PartState) -> int:
    values = [state.divisions] if state.divisions is not None else []
    if "<divisions" in content:
        values += [Fraction(value) for text in _DIVISIONS.findall(content) if (value := read_decimal(text))]
    ticks = 1
    for value in values:
        if value.denominator == 1 and ticks < _MANY_TICKS:
            ticks = math.lcm(ticks, value.numerator)
    return ticks


def _with_clef(clefs: tuple[str, ...], staff: int, clef: str) -> tuple[str, ...]:
    padded = [*clefs, *[""] * (staff - len(clefs))]
    padded[staff - 1] = clef
    while padded and not padded[-1]:
        padded.pop()
    return tuple(padded)


def _add_lyric(lyrics: dict[int, str], element: Element) -> None:
    verse = read_integer(element.attribute("number"), 0)
    if not 0 < verse <= _VERSES:
        verse = len(lyrics) + 1
    text = "~".join(child.text for child in element.all("text")) if element.find("text") is not None else None
    if verse in lyrics or verse > _VERSES:
        return
    if text is None:
        if element.find("extend") is not None:
            lyrics[verse] = "_"
        return
    goes_on = element.text_of("syllabic") in ("begin", "middle")
    text = lyric_text(text + "-" if goes_on else text)
    if text:
        lyrics[verse] = text


def _add_notation(draft: _Draft, notation: Element) -> None:
    if notation.tag == "slur":
        kind = notation.attribute("type")
        draft.slur_starts += kind == "start"
        draft.slur_ends += kind == "stop"
    elif notation.tag in ("articulations", "ornaments", "technical", "dynamics"):
        for child in notation.children:
            if child.tag == "fingering" and child.text in ("0", "1", "2", "3", "4", "5"):
                _decorate(draft, child.text)
            elif child.tag in names.DECORATION_NAMES:
                _decorate(draft, names.DECORATION_NAMES[child.tag])
    elif notation.tag in ("fermata", "arpeggiate"):
        _decorate(draft, names.DECORATION_NAMES[notation.tag])
    elif notation.tag == "other-notation" and notation.text:
        _decorate(draft, " ".join(notation.text.split()))


def _decorate(draft: _Draft, name: str) -> None:
    if name not in draft.decorations:
        draft.decorations.append(name)
