"""How are new measures written into a document, in its own style?

The text that goes in at the cursor keeps the document well-formed and is read back as exactly the given events. Where
the divisions in force do not divide them, new divisions are written first, and the old ones again behind, if music
follows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from xml.sax.saxutils import quoteattr

from notation.musicxml.measure import PartState
from notation.musicxml.normal_form import normal_voices
from notation.musicxml.notation_groups import Place
from notation.musicxml.site import Detail
from notation.musicxml.writer import (
    Line,
    Options,
    PartWriter,
    attributes_lines,
    clef_lines,
    default_voice_name,
    divisions_for,
    key_lines,
    left_barline_lines,
    right_barline_lines,
    time_lines,
    transpose_lines,
)
from notation.score import KeySignature, Measure, Part, Pitch, TimeSignature
from notation.site import CompletionSite

_NUMBER = re.compile(r"(\d{1,6})([a-z]?)")
_LOW = 28
"""The staff position (middle C) below which music of an empty part is written in the bass clef."""


def render(site: CompletionSite, measures: Sequence[Measure]) -> str:
    """The text to insert at `site.offset`; empty if there is nothing to write or what is typed contradicts it."""
    detail = site.detail
    if not isinstance(detail, Detail) or not measures:
        return ""
    lines = _Renderer(site, detail, [normal_voices(measure) for measure in measures]).lines()
    return _inserted(lines, detail) if lines else ""


def _inserted(lines: list[Line], detail: Detail) -> str:
    """The lines as they join what stands on the line of the cursor."""
    style = detail.style
    text = style.layout(lines)
    stripped = text.lstrip()
    if not detail.line_before.strip():
        text = text[len(detail.line_before) :] if text.startswith(detail.line_before) else stripped
    elif not detail.typed:
        text = style.newline + text
    if detail.typed:
        if not stripped.startswith(detail.typed):
            return ""
        text = stripped[len(detail.typed) :]
    after = detail.line_after
    if after.strip():
        wanted = style.indent_of(_depth_of(after.lstrip()))
        there = after[: len(after) - len(after.lstrip())]
        text += style.newline + (wanted[: len(wanted) - len(there)] if style.newline else "")
    return text


def _depth_of(tag: str) -> int:
    if tag.startswith(("</part", "<part")):
        return -2
    return -1 if tag.startswith(("</measure", "<measure")) else 0


@dataclass(slots=True)
class _Renderer:
    """The writing of new measures at one site."""

    site: CompletionSite
    detail: Detail
    measures: list[Measure]

    def lines(self) -> list[Line]:
        """Every new line; depth 0 is what is in a measure, -1 the measure's own tags."""
        divisions, changed = self._divisions()
        writer = self._writer(divisions)
        state = self.detail.state
        ending = self._open_ending()
        restored = changed and self.detail.followed and state.divisions is not None
        lines: list[Line] = []
        for index, measure in enumerate(self.measures):
            inside = self.detail.in_measure and index == 0
            is_last = index == len(self.measures) - 1
            mid_measure = inside and not self.site.whole_part
            if not inside:
                lines.append((-1, f"<measure number={quoteattr(self._number(index))}>"))
            new_divisions = divisions if changed and index == 0 else None
            inner = [] if mid_measure else self._changes(measure, state)
            if new_divisions is not None:
                inner = [(1, f"<divisions>{new_divisions}</divisions>"), *inner]
            lines += attributes_lines(inner)
            lines += left_barline_lines(measure) if not mid_measure else []
            before = self.detail.known if inside else ()
            lines += writer.voices(measure, before, self.detail.position if inside else Fraction(0))
            if mid_measure and self.detail.returns and measure.voices:
                lines += writer.move(measure.voices[-1].duration, self.detail.position)
            state = replace(state, key=measure.key, time=measure.time)
            if is_last and restored:
                lines += attributes_lines([(1, f"<divisions>{_shown(self.detail.state.divisions)}</divisions>")])
            if inside and self.site.barline_follows:
                continue
            ending = measure.ending or ending
            if measure.barline is not None:
                next_begins = not is_last and bool(self.measures[index + 1].ending)
                stops = ending if measure.barline.ends_section or next_begins else ()
                lines += right_barline_lines(measure.barline, stops)
                ending = () if stops else ending
            lines.append((-1, "</measure>"))
        return lines

    def _writer(self, divisions: int) -> PartWriter:
        style = self.detail.style
        staves = max([self._part.staves, *(voice.staff for measure in self.measures for voice in measure.voices)])
        several = style.voices or any(len(measure.voices) > 1 for measure in self.measures)
        names = _VoiceNames(self.detail.state)
        options = Options(divisions, staves, names.name, several, style.beams, style.stems)
        return PartWriter(options, self._open_ties())

    @property
    def _part(self) -> Part:
        return self.site.score.parts[self.site.part]

    def _divisions(self) -> tuple[int, bool]:
        """The divisions to write in, and whether they must be declared."""
        old = self.detail.state.divisions
        base = old.numerator if old is not None and old.denominator == 1 else 1
        needed = divisions_for(self.measures, base)
        needed = math.lcm(needed, (self.detail.position * 4).denominator)
        return needed, old != needed

    def _changes(self, measure: Measure, state: PartState) -> list[Line]:
        first = self.detail.state.divisions is None and not state.voices and state is self.detail.state
        lines: list[Line] = []
        if first or not _same_key(measure.key, state.key):
            lines += key_lines(measure.key)
        if (first and not state.has_time) or not _same_time(measure.time, state.time):
            lines += time_lines(measure.time)
        if not first:
            return lines
        staves = max([self._part.staves, *(voice.staff for voice in measure.voices)])
        lines += [(1, f"<staves>{staves}</staves>")] if staves > 1 else []
        for staff in range(1, staves + 1):
            known = measure.clefs[staff - 1] if staff <= len(measure.clefs) else ""
            lines += clef_lines(known or self._clef(staff), staff, staves)
        return lines + (transpose_lines(measure.transpose) if measure.transpose else [])

    def _clef(self, staff: int) -> str:
        positions = [
            note.pitch.position
            for measure in self.measures
            for voice in measure.voices
            if voice.staff == staff
            for event in voice.events
            for note in event.notes
        ]
        return "bass" if positions and sum(positions) < _LOW * len(positions) else "treble"

    def _open_ties(self) -> dict[Place, frozenset[Pitch]]:
        """The pitches that the voices are tied to."""
        ties: dict[Place, frozenset[Pitch]] = {}
        index = self.site.measure
        if index and index <= len(self._part.measures):
            for voice in self._part.measures[index - 1].voices:
                last = voice.events[-1]
                ties[voice.staff, voice.number] = frozenset(note.pitch for note in last.notes if note.tie)
        if self.site.before:
            last = self.site.before[-1]
            place = (self.site.staff, self.site.voice)
            ties[place] = frozenset(note.pitch for note in last.notes if note.tie)
        return ties

    def _open_ending(self) -> tuple[int, ...]:
        ending: tuple[int, ...] = ()
        for measure in self._part.measures[: self.site.measure]:
            ending = measure.ending or ending
            if measure.barline is not None and measure.barline.ends_section:
                ending = ()
        return ending

    def _number(self, index: int) -> str:
        """The number of a new measure: as the other parts count, else one more than before, else with a letter."""
        before, behind = self.detail.numbers
        count = index - 1 if self.detail.in_measure else index
        if not self.site.inserted:
            place = self.site.measure + index
            for part in self.site.score.parts:
                if part is not self._part and place < len(part.measures) and part.measures[place].number:
                    return part.measures[place].number
        match = _NUMBER.fullmatch(before)
        if not before and not self.site.inserted:
            return str(count + 1)
        if match is None or (match[2] and match[2] != "z"):
            letter = chr(min(ord("a") + count + (ord(match[2]) - ord("a") + 1 if match else 0), ord("z")))
            return (match[1] if match else before or "X") + letter
        following = _NUMBER.fullmatch(behind)
        number = int(match[1]) + count + 1
        if following is not None and number >= int(following[1]) and self.site.inserted:
            taken = max(0, int(following[1]) - int(match[1]) - 1)
            return f"{int(match[1]) + taken}{chr(min(ord('a') + count - taken, ord('z')))}"
        return str(number)


class _VoiceNames:
    """The document's names of its voices, and free ones for new voices."""

    def __init__(self, state: PartState) -> None:
        self._state = state
        self._new: dict[Place, str] = {}

    def name(self, staff: int, number: int) -> str:
        """The name of a voice."""
        known = self._state.voice_name(staff, number)
        if known is not None:
            return known
        if (staff, number) not in self._new:
            taken = {name for _, name in self._state.voices} | set(self._new.values())
            name = default_voice_name(staff, number)
            while name in taken:
                name = str(int(name) + 1)
            self._new[staff, number] = name
        return self._new[staff, number]


def _shown(divisions: Fraction | None) -> str:
    if divisions is None or divisions.denominator == 1:
        return str(divisions)
    return f"{float(divisions):f}".rstrip("0")


def _same_key(new: KeySignature, old: KeySignature) -> bool:
    """Whether the signature stays; a mode that is not known is no change."""
    return (new.fifths, new.accidentals) == (old.fifths, old.accidentals) and new.mode in ("", old.mode)


def _same_time(new: TimeSignature, old: TimeSignature) -> bool:
    return (new.beats, new.unit) == (old.beats, old.unit)
