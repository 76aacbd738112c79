"""What music does the text of one measure hold?

Reads the content of a `measure` element (in score-timewise: of the `part` in it), given what is in force before it.
Positions are whole multiples of a tick that divides every `divisions` of the measure, so nothing is rounded.
Pure: the same text and state give the same measure, which is why `reader` may remember it.

Source: MusicXML 4.0, the elements note, backup, forward, attributes, barline, harmony and direction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import cast

from notation.diagnostic import Diagnostic, Severity
from notation.makers import make_marks, make_measure, make_note, make_span, make_voice, maker
from notation.musicxml import names
from notation.musicxml.note import (
    KnownNote,
    SaidNote,
    join_marks,
    known_note,
    read_duration,
    read_note,
    whole_notes,
)
from notation.musicxml.tags import MAX_DEPTH, MAX_ELEMENTS, NOTE_TAG, Element, is_without_comments, read_elements
from notation.musicxml.values import (
    read_chord_symbol,
    read_clef,
    read_decimal,
    read_ending,
    read_integer,
    read_key,
    read_time,
)
from notation.score import (
    NO_MARKS,
    REGULAR,
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
_MANY_TICKS = 10**15
_STAVES = 16
_NOTE_END = "</note>"
_SHORT = 2000
"""Up to so many characters, what stands between notes is remembered."""
_MOST_FRACTIONS = 4096
"""So many numbers of ticks are remembered for one length of a tick."""


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
        place = 1
        for voice_staff, voice in self.voices:
            if voice_staff == staff:
                if voice == name:
                    break
                place += 1
        return place

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
        length: how far the text ever got, in whole notes: what each voice lasts if the measure is closed.
    """

    measure: Measure
    diagnostics: tuple[Diagnostic, ...]
    state: PartState
    position: Fraction = Fraction(0)
    current: tuple[int, int] | None = None
    after_backup: bool = False
    length: Fraction = Fraction(0)


_make_read = maker(ReadMeasure)


@dataclass(slots=True)
class _Draft:
    """An `Event` while its measure is being read: the same fields in the same slots, so that it can become one."""

    onset: Fraction
    duration: Fraction
    notes: tuple[Note, ...]
    tuplet: tuple[int, int] | None
    grace: bool
    hidden: bool
    whole_measure: bool
    chord_symbol: ChordSymbol | None
    marks: Marks
    span: Span


@dataclass(slots=True)
class _Stream:
    """The events of one voice of the document in this measure, or of a layer of it, and where they end, in ticks."""

    staff: int
    name: str
    events: list[_Draft]
    end: Fraction | int
    number: int = 0


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
    reader.read(content)
    return reader.finish(closed, number, implicit)


class _Reader:
    """The state of reading one measure. Positions and lengths are in ticks."""

    position: Fraction | int = 0
    far: Fraction | int = 0
    last: _Draft | None = None
    last_stream: _Stream | None = None
    skipped = False
    music_began = False
    after_backup = False
    symbol: tuple[Fraction | int, ChordSymbol] | None = None
    barline = REGULAR
    repeat_start = False
    ending: tuple[int, ...] = ()

    def __init__(self, content: str, state: PartState, base: int) -> None:
        self.state = self.opening = state
        self.base = self.origin = base
        self.span = make_span(base, base + len(content))
        self.ticks_per_quarter = _ticks_per_quarter(content, state)
        self.ticks_per_division = self._ticks_per_division()
        self.fractions = _fractions(4 * self.ticks_per_quarter)
        self.layers: dict[str, list[_Stream]] = {}
        self.streams: list[_Stream] = []
        self.chords: list[tuple[_Draft, list[Note]]] = []
        self.words: list[str] = []
        self.signs: list[str] = []
        self.late_symbols: list[tuple[Fraction | int, ChordSymbol]] = []
        self.diagnostics: list[Diagnostic] = []

    def read(self, content: str) -> None:
        """Read the content of the measure, note by note, and what stands between and behind the notes.

        From the first note on that is not well-formed, and all of a measure with comments, is read as one.
        """
        place, base = 0, self.base
        is_plain = is_without_comments(content) and len(content) < MAX_ELEMENTS
        for text in content.split(_NOTE_END)[:-1] if is_plain else ():
            tag = NOTE_TAG.search(text)
            known = known_note(text[tag.end() :]) if tag is not None else None
            if tag is None or known is None:
                break
            start = tag.start()
            if start and not (before := text[:start]).isspace():
                if before.count("<") - before.count("</") >= MAX_DEPTH:
                    break
                self._elements(_known_elements(before) if start < _SHORT else read_elements(before), place)
            end = place + len(text) + len(_NOTE_END)
            self._note(known, tag[1], make_span(base + place + start, base + end))
            place = end
        rest = content[place:]
        if not rest.isspace():
            self._elements(_known_elements(rest) if is_plain and len(rest) < _SHORT else read_elements(rest), place)

    def _elements(self, elements: Iterable[Element], place: int) -> None:
        """Read elements whose offsets count from a place in the content of the measure."""
        self.origin = self.base + place
        for element in elements:
            self._element(element)

    def _element(self, element: Element) -> None:
        tag = element.tag
        if tag == "note":
            self._note(read_note(element.children), element.raw_attributes, self._span(element))
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

    def _ticks_per_division(self) -> Fraction | int | None:
        divisions = self.state.divisions
        if divisions is None:
            return None
        if divisions.denominator == 1 and self.ticks_per_quarter % divisions.numerator == 0:
            return self.ticks_per_quarter // divisions.numerator
        return self.ticks_per_quarter / divisions

    def _ticks(self, value: Fraction | int | None) -> Fraction | int | None:
        """How many ticks a number of divisions is; None if it says nothing."""
        if self.ticks_per_division is None or value is None:
            return None
        return value * self.ticks_per_division

    def _backup(self, element: Element) -> None:
        ticks = self._ticks(read_duration(element)) or 0
        if ticks > self.position:
            self._warn(
                "backup-too-far",
                element,
                f"This backup goes back {self.fractions[ticks]} of a whole note, but only "
                f"{self.fractions[self.position]} of the measure is written; shorten it.",
            )
        self.position = max(0, self.position - ticks)
        self._forget_words()
        self.last, self.after_backup = None, True

    def _forward(self, element: Element) -> None:
        ticks = self._ticks(read_duration(element)) or 0
        voice = element.text_of("voice")
        if voice and ticks:
            staff = read_integer(element.text_of("staff"), 1)
            self._place(self._hidden_rest(self.position, ticks, self._span(element)), ticks, voice, staff)
            self.after_backup = False
        else:
            self._move(ticks)
        self.last = None

    def _move(self, ticks: Fraction | int) -> None:
        self.position += ticks
        if self.position > self.far:
            self.far = self.position

    def _place(self, draft: _Draft, ticks: Fraction | int, voice: str, staff: int) -> None:
        """Put an event into its voice, and move on; one that overlaps the voice's own opens another layer of it."""
        position = self.position
        for stream in self.layers.get(voice, ()):
            if stream.end <= position:
                break
        else:
            stream = _Stream(min(max(staff, 1), _STAVES), voice, [], 0)
            self.layers.setdefault(voice, []).append(stream)
            self.streams.append(stream)
        if stream.end < position:
            stream.events.append(self._gap(stream.end, position, draft.span.start))
        stream.events.append(draft)
        self.last_stream = stream
        self.position = stream.end = position = position + ticks
        if position > self.far:
            self.far = position

    # --- notes --------------------------------------------------------------------------------------------------

    def _note(self, known: KnownNote, raw_attributes: str, span: Span) -> None:
        said, pitch, marks, _ = known
        if (said.chord or said.cue or self.skipped) and self._is_part_of_another(known, span):
            return
        ticks = 0 if said.grace else self._length(said, span)
        if ticks is None:
            return
        hidden = is_whole = False
        notes: tuple[Note, ...] = ()
        length = self.fractions[ticks]
        if pitch is not None:
            notes = (make_note(pitch, said.tie, said.accidental, span),)
        elif said.rest:
            hidden = 'print-object="no"' in raw_attributes
            is_whole = said.whole_measure or self._fills_measure(said, length, hidden)
        else:
            self._move(ticks)
            return
        if self.words or self.signs:
            marks = self._with_directions(marks)
        symbol = None
        if self.symbol is not None and ticks:
            symbol, self.symbol = self.symbol[1], None
        tuplet = said.tuplet if ticks else None
        onset = self.fractions[self.position]
        draft = _Draft(onset, length, notes, tuplet, not ticks, hidden, is_whole, symbol, marks, span)
        self._place(draft, ticks, said.voice, said.staff)
        self.last, self.music_began, self.after_backup = draft, True, False

    def _is_part_of_another(self, known: KnownNote, span: Span) -> bool:
        """Read a note that is no event of its own: one more of a chord, or a cue note, or what belongs to one."""
        said, pitch, marks, lyrics = known
        if not said.chord:
            self.skipped = said.cue
        if self.skipped or said.cue:
            if not said.grace and not said.chord:
                self._move(self._ticks(said.duration) or 0)
                self.last, self.music_began = None, True
            return True
        if said.chord and self.last is not None and pitch is not None:
            self._add_to_chord(self.last, make_note(pitch, said.tie, said.accidental, span))
            if marks is not NO_MARKS:
                self.last.marks = join_marks(self.last.marks, said, marks, lyrics)
            return True
        return False

    def _add_to_chord(self, draft: _Draft, note: Note) -> None:
        if not self.chords or self.chords[-1][0] is not draft:
            self.chords.append((draft, [*draft.notes]))
        self.chords[-1][1].append(note)
        draft.span = make_span(draft.span.start, note.span.end)

    def _fills_measure(self, said: SaidNote, length: Fraction, hidden: bool) -> bool:
        return self.position == 0 and not said.typed and not hidden and length == self.state.time.duration

    def _length(self, said: SaidNote, span: Span) -> Fraction | int | None:
        """What a note or rest lasts, 0 if it is a grace note without saying so; None if it is nothing."""
        written = said.written
        if said.duration is None or self.ticks_per_division is None:
            return self._written_length(said, span)
        ticks = said.duration * self.ticks_per_division
        if written is not None and self.fractions[ticks] is not written and not said.fills_measure:
            self._compare(said, ticks, written, span)
        return ticks if ticks or not said.rest else None

    def _written_length(self, said: SaidNote, span: Span) -> Fraction | int | None:
        """What a note or rest lasts by its type alone."""
        if said.timed and self.ticks_per_division is None:
            self._warn_at(
                "no-divisions",
                span,
                "A duration without divisions says nothing; give <attributes><divisions> before the first note.",
            )
        if said.written is None:
            return None
        ticks = said.written * 4 * self.ticks_per_quarter
        return ticks.numerator if ticks.denominator == 1 else ticks

    def _compare(self, said: SaidNote, ticks: Fraction | int, written: Fraction, span: Span) -> None:
        """Warn where a duration is not the written one, up to the rounding of tuplets to whole divisions."""
        length = self.fractions[ticks]
        divisions = self.state.divisions or Fraction(1)
        is_rounded = (written * 4 * divisions).denominator > 1 and abs(length - written) < 1 / (4 * divisions)
        if length != written and not is_rounded:
            self._warn_at(
                "duration-mismatch",
                span,
                f"The duration is {length} of a whole note, but a {said.kind} with {said.dots} dots"
                f"{f' in a {said.tuplet[0]}:{said.tuplet[1]} tuplet' if said.tuplet else ''} lasts {written}; "
                "correct one of them.",
            )

    def _with_directions(self, marks: Marks) -> Marks:
        """The marks of an event with the words and signs that stand before it."""
        decorations, words = tuple(dict.fromkeys((*self.signs, *marks.decorations))), tuple(self.words)
        self.words, self.signs = [], []
        return make_marks(decorations, words, marks.slur_starts, marks.slur_ends, marks.lyrics)

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
        self.ticks_per_division = self._ticks_per_division()
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
        if self.words or self.signs:
            self.words, self.signs = [], []
        if self.symbol is not None:
            self.late_symbols.append(self.symbol)
            self.symbol = None

    # --- the end ------------------------------------------------------------------------------------------------

    def finish(self, closed: bool, number: str, implicit: bool) -> ReadMeasure:
        """The measure, now that all of it is read."""
        self._forget_words()
        for draft, notes in self.chords:
            draft.notes = tuple(sorted(notes, key=_height))
        if self.late_symbols and self.streams:
            self._place_late_symbols(self.streams[0].events)
        voices = self._voices(closed)
        opening = self.opening
        measure = make_measure(
            voices,
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
        last = self.last_stream
        return _make_read(
            measure,
            tuple(self.diagnostics),
            self.state,
            self.fractions[self.position],
            (last.staff, last.number) if last is not None else None,
            self.after_backup,
            self.fractions[self.far],
        )

    def _voices(self, closed: bool) -> tuple[Voice, ...]:
        """The voices in order; what is in force learns of new ones."""
        voices: dict[tuple[int, int], Voice] = {}
        taken: set[tuple[int, str]] = set()
        for stream in self.streams:
            staff, name = stream.staff, stream.name
            while (staff, name) in taken:
                name += "+"
            taken.add((staff, name))
            stream.number = self.state.voice_number(staff, name)
            if (staff, name) not in self.state.voices:
                known = (*self.state.voices, (staff, name))
                self.state = replace(self.state, voices=known, staves=max(self.state.staves, staff))
            if closed and stream.end < self.far:
                stream.events.append(self._gap(stream.end, self.far, stream.events[-1].span.end))
            voices[staff, stream.number] = make_voice(_frozen(stream.events), staff, stream.number)
        return tuple([voices[place] for place in sorted(voices)] if len(voices) > 1 else voices.values())

    def _place_late_symbols(self, drafts: list[_Draft]) -> None:
        """Give each harmony that stands at no event of its own to the first event at or after it."""
        for position, symbol in self.late_symbols:
            for draft in drafts:
                is_free = draft.chord_symbol is None and not draft.grace and len(draft.span) > 0
                if is_free and draft.onset >= self.fractions[position]:
                    draft.chord_symbol = symbol
                    break

    def _gap(self, start: Fraction | int, end: Fraction | int, offset: int) -> _Draft:
        """What fills a voice where nothing is written; it takes no characters."""
        return self._hidden_rest(start, end - start, make_span(offset, offset))

    def _hidden_rest(self, start: Fraction | int, ticks: Fraction | int, span: Span) -> _Draft:
        return _Draft(self.fractions[start], self.fractions[ticks], (), None, False, True, False, None, NO_MARKS, span)

    def _span(self, element: Element) -> Span:
        return make_span(self.origin + element.start, self.origin + element.end)

    def _warn(self, code: str, element: Element, message: str) -> None:
        self._warn_at(code, self._span(element), message, element.tag)

    def _warn_at(self, code: str, span: Span, message: str, tag: str = "note") -> None:
        self.diagnostics.append(Diagnostic(code, Severity.WARNING, span, message, f"MusicXML 4.0, {tag}"))


# --- values of elements ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _known_elements(text: str) -> tuple[Element, ...]:
    return tuple(read_elements(text))


class _Fractions(dict[Fraction | int, Fraction]):
    """What numbers of ticks are in whole notes; each value is made once."""

    def __init__(self, ticks_per_whole: int) -> None:
        self._ticks_per_whole = ticks_per_whole

    def __missing__(self, ticks: Fraction | int) -> Fraction:
        if len(self) >= _MOST_FRACTIONS:
            self.clear()
        return self.setdefault(ticks, whole_notes(Fraction(ticks, self._ticks_per_whole)))


_fractions = lru_cache(maxsize=64)(_Fractions)


def _height(note: Note) -> tuple[int, int]:
    return note.pitch.position, note.pitch.alter


def _frozen(drafts: list[_Draft]) -> tuple[Event, ...]:
    """The events that drafts become."""
    for draft in drafts:
        draft.__class__ = Event  # type: ignore[assignment]
    return cast("tuple[Event, ...]", tuple(drafts))


def _ticks_per_quarter(content: str, state: PartState) -> int:
    before = state.divisions
    ticks = before.numerator if before is not None and before.denominator == 1 else 1
    if "<divisions" in content:
        values = [Fraction(value) for text in _DIVISIONS.findall(content) if (value := read_decimal(text))]
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
