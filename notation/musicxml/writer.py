"""How is the music of one measure written as elements?

Shared by `printer`, which writes whole documents, and `render`, which continues a document in its own style. Lines
are made without indentation, as (depth, text), depth 0 being a child of `measure`; `indent` joins them.

Source: MusicXML 4.0, the elements note, backup, forward, harmony, direction, attributes and barline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from xml.sax.saxutils import escape, quoteattr

from notation.musicxml import names
from notation.musicxml.notation_groups import Place, accidentals_needed, beams, tuplet_ends
from notation.score import (
    ACCIACCATURA,
    STEPS,
    Barline,
    ChordSymbol,
    Event,
    KeySignature,
    Measure,
    Note,
    Pitch,
    TimeSignature,
    Voice,
)

Line = tuple[int, str]
_MIDDLE_LINES = {"treble": 34, "bass": 22, "alto": 28, "tenor": 26}


def default_voice_name(staff: int, number: int) -> str:
    """The name of a voice where the document has none for it: four a staff, as notation programs count."""
    return str(4 * (staff - 1) + number)


@dataclass(frozen=True, slots=True)
class Options:
    """What a document writes and what it leaves out.

    Attributes:
        divisions: of a quarter note.
        staves: of the part; `staff` elements are written if there is more than one.
        voice_name: the document's name of the voice (staff, number).
        voices, beams, stems: whether it writes these elements.
    """

    divisions: int
    staves: int = 1
    voice_name: Callable[[int, int], str] = default_voice_name
    voices: bool = True
    beams: bool = True
    stems: bool = False


@dataclass(slots=True)
class PartWriter:
    """Writes measure after measure of one part, remembering ties and slurs that are open.

    Attributes:
        ties: the pitches tied to the next event of each voice.
        slurs: the numbers of the open slurs of each voice.
    """

    options: Options
    ties: dict[Place, frozenset[Pitch]] = field(default_factory=dict)
    slurs: dict[Place, list[int]] = field(default_factory=dict)

    def voices(self, measure: Measure, before: Sequence[Voice] = (), position: Fraction = Fraction(0)) -> list[Line]:
        """The voices of a measure with the backups between them.

        Args:
            measure: what is written; its key, metre and clefs govern spelling, beams and stems.
            before: music of the same measure that is in the document already.
            position: where in the measure the document stands.
        """
        lines: list[Line] = []
        printed = accidentals_needed([*before, *measure.voices], measure.key, self.ties, len(before))
        crowded = {voice.staff for voice in measure.voices if voice.number > 1} | {
            voice.staff for voice in before if voice.number > 1
        }
        earlier = {(voice.staff, voice.number): voice.events for voice in before}
        for voice in measure.voices:
            if not voice.events:
                continue
            place = (voice.staff, voice.number)
            lines += self.move(position, voice.events[0].onset)
            known = [event for event in earlier.get(place, ()) if event.end <= voice.events[0].onset]
            marks = _EventMarks(measure, [*known, *voice.events], (place in printed and printed[place]) or frozenset())
            for index, event in enumerate(voice.events):
                lines += self._event(event, place, marks.at(index, len(known)), voice.staff in crowded, measure)
            position = voice.events[-1].end
        return lines

    def move(self, position: Fraction, target: Fraction) -> list[Line]:
        """A `backup` or `forward` from one position of the measure to another; nothing if they are the same."""
        if position == target:
            return []
        tag = "backup" if target < position else "forward"
        return [(0, f"<{tag}>"), (1, self._duration(abs(target - position))), (0, f"</{tag}>")]

    # --- one event ----------------------------------------------------------------------------------------------

    def _event(self, event: Event, place: Place, marks: _Marks, crowded: bool, measure: Measure) -> list[Line]:
        bare = not (event.marks.decorations or event.marks.lyrics or event.marks.slur_starts or event.marks.slur_ends)
        lines = harmony_lines(event.chord_symbol) if event.chord_symbol is not None else []
        bare = bare and not (event.tuplet or event.whole_measure or event.marks.annotations or lines)
        if event.hidden and bare and not event.grace:
            return self._forward(event, place)
        lines += _direction_lines(event)
        tied = self.ties.get(place, frozenset())
        stem = _stem(event, place, crowded, measure) if self.options.stems else ""
        for index, note in enumerate(event.notes or (None,)):
            opening = '<note print-object="no">' if event.hidden else "<note>"
            lines.append((0, opening))
            lines += [(1, _grace(event))] if event.grace else []
            lines += [(1, "<chord/>")] if index else []
            lines += _pitch_lines(note.pitch) if note is not None else [(1, _rest(event))]
            lines += [(1, self._duration(event.duration))] if not event.grace else []
            ends_tie = note is not None and note.pitch in tied
            lines += [(1, '<tie type="stop"/>')] if ends_tie else []
            lines += [(1, '<tie type="start"/>')] if note is not None and note.tie else []
            lines += self._voice(place)
            lines += _type_lines(event, note is not None and index in marks.accidentals, note)
            lines += [(1, f"<stem>{stem}</stem>")] if stem else []
            lines += self._staff(place)
            if not index and self.options.beams:
                lines += [(1, f'<beam number="{n}">{beam}</beam>') for n, beam in enumerate(marks.beams, 1)]
            lines += self._notations(event, place, marks, note, ends_tie, first=not index)
            lines += _lyric_lines(event) if not index else []
            lines.append((0, "</note>"))
        if not event.grace or event.notes:
            self.ties[place] = frozenset(note.pitch for note in event.notes if note.tie)
        return lines

    def _forward(self, event: Event, place: Place) -> list[Line]:
        inner = [(1, self._duration(event.duration)), *self._voice(place), *self._staff(place)]
        self.ties.pop(place, None)
        return [(0, "<forward>"), *inner, (0, "</forward>")]

    def _duration(self, duration: Fraction) -> str:
        divisions = duration * 4 * self.options.divisions
        if divisions.denominator != 1:
            raise ValueError(
                f"a duration of {duration} does not fit {self.options.divisions} divisions of a quarter; "
                "choose divisions with `divisions_for`"
            )
        return f"<duration>{divisions}</duration>"

    def _voice(self, place: Place) -> list[Line]:
        return [(1, f"<voice>{escape(self.options.voice_name(*place))}</voice>")] if self.options.voices else []

    def _staff(self, place: Place) -> list[Line]:
        return [(1, f"<staff>{place[0]}</staff>")] if self.options.staves > 1 else []

    def _notations(
        self, event: Event, place: Place, marks: _Marks, note: Note | None, ends_tie: bool, *, first: bool
    ) -> list[Line]:
        inner: list[Line] = []
        if ends_tie:
            inner.append((2, '<tied type="stop"/>'))
        if note is not None and note.tie:
            inner.append((2, '<tied type="start"/>'))
        if first:
            inner += self._slurs(event, place)
            inner += [(2, '<tuplet type="start" bracket="yes"/>')] if marks.tuplet_starts else []
            inner += [(2, '<tuplet type="stop"/>')] if marks.tuplet_stops else []
            inner += _decoration_lines(event)
        return [(1, "<notations>"), *inner, (1, "</notations>")] if inner else []

    def _slurs(self, event: Event, place: Place) -> list[Line]:
        lines: list[Line] = []
        open_slurs = self.slurs.setdefault(place, [])
        for _ in range(event.marks.slur_ends):
            ending = open_slurs or next((numbers for numbers in self.slurs.values() if numbers), [1])
            number = ending.pop()
            lines.append((2, f'<slur number="{number}" type="stop"/>'))
        for _ in range(event.marks.slur_starts):
            taken = {number for numbers in self.slurs.values() for number in numbers}
            number = next((one for one in range(1, 16) if one not in taken), 16)
            open_slurs.append(number)
            lines.append((2, f'<slur number="{number}" type="start"/>'))
        return lines


@dataclass(frozen=True, slots=True)
class _Marks:
    """What surrounds an event on the page: the accidentals of its notes (indices), its beams and tuplet brackets."""

    accidentals: frozenset[int]
    beams: tuple[str, ...]
    tuplet_starts: bool
    tuplet_stops: bool


class _EventMarks:
    """The page marks of all events of a voice, those that are in the document already included."""

    def __init__(self, measure: Measure, events: Sequence[Event], accidentals: frozenset[tuple[int, int]]) -> None:
        self.beams = beams(events, measure.time)
        self.tuplets = tuplet_ends(events)
        self.accidentals = accidentals

    def at(self, index: int, offset: int) -> _Marks:
        printed = frozenset(note for event, note in self.accidentals if event == index)
        return _Marks(printed, self.beams[index + offset], *self.tuplets[index + offset])


def indent(lines: Iterable[Line], first: str, unit: str, newline: str) -> str:
    """Join lines, each on a line of its own, `first` being the indentation at depth 0; no newline at the end."""
    return newline.join(f"{first}{unit * depth}{text}" for depth, text in lines)


def divisions_for(measures: Iterable[Measure], base: int = 1) -> int:
    """The least multiple of `base` divisions of a quarter in which every duration and onset is whole."""
    denominators = {
        (value * 4).denominator
        for measure in measures
        for voice in measure.voices
        for event in voice.events
        for value in (event.onset, event.duration)
    }
    return math.lcm(base, *denominators)


# --- elements --------------------------------------------------------------------------------------------------------


def key_lines(key: KeySignature, depth: int = 1) -> list[Line]:
    """A `key` element."""
    lines = [(depth, "<key>")]
    if key.accidentals:
        for step in STEPS:
            if alter := key.alter_of(step):
                lines += [(depth + 1, f"<key-step>{step}</key-step>"), (depth + 1, f"<key-alter>{alter}</key-alter>")]
    else:
        lines.append((depth + 1, f"<fifths>{key.fifths}</fifths>"))
        lines += [(depth + 1, f"<mode>{key.mode}</mode>")] if key.mode else []
    return [*lines, (depth, "</key>")]


def time_lines(time: TimeSignature, depth: int = 1) -> list[Line]:
    """A `time` element."""
    if not time.beats:
        return [(depth, "<time>"), (depth + 1, "<senza-misura/>"), (depth, "</time>")]
    symbol = f' symbol="{time.symbol}"' if time.symbol else ""
    return [
        (depth, f"<time{symbol}>"),
        (depth + 1, f"<beats>{'+'.join(map(str, time.beats))}</beats>"),
        (depth + 1, f"<beat-type>{time.unit}</beat-type>"),
        (depth, "</time>"),
    ]


def clef_lines(clef: str, staff: int, staves: int, depth: int = 1) -> list[Line]:
    """A `clef` element; nothing for a clef without a name."""
    parsed = clef_of(clef)
    if parsed is None:
        return []
    sign, line, octaves = parsed
    lines = [(depth, f'<clef number="{staff}">' if staves > 1 else "<clef>"), (depth + 1, f"<sign>{sign}</sign>")]
    lines += [(depth + 1, f"<line>{line}</line>")] if line else []
    lines += [(depth + 1, f"<clef-octave-change>{octaves}</clef-octave-change>")] if octaves else []
    return [*lines, (depth, "</clef>")]


def clef_of(clef: str) -> tuple[str, int, int] | None:
    """The sign, line and octave change of a clef's name; None if the name is not known."""
    for suffix, octaves in (("+15", 2), ("-15", -2), ("+8", 1), ("-8", -1), ("", 0)):
        name = clef.removesuffix(suffix)
        if clef.endswith(suffix) and name in names.CLEF_SIGNS:
            sign, line = names.CLEF_SIGNS[name]
            return sign, line, octaves
    return None


def transpose_lines(semitones: int, depth: int = 1) -> list[Line]:
    """A `transpose` element."""
    return [(depth, "<transpose>"), (depth + 1, f"<chromatic>{semitones}</chromatic>"), (depth, "</transpose>")]


def attributes_lines(inner: Sequence[Line]) -> list[Line]:
    """An `attributes` element around its children; nothing if there are none."""
    return [(0, "<attributes>"), *inner, (0, "</attributes>")] if inner else []


def left_barline_lines(measure: Measure) -> list[Line]:
    """The `barline` at the left of a measure: where a repeat or an ending begins."""
    if not measure.repeat_start and not measure.ending:
        return []
    lines: list[Line] = [(0, '<barline location="left">')]
    lines += [(1, "<bar-style>heavy-light</bar-style>")] if measure.repeat_start else []
    if measure.ending:
        lines.append((1, f'<ending number="{ending_text(measure.ending)}" type="start"/>'))
    lines += [(1, '<repeat direction="forward"/>')] if measure.repeat_start else []
    return [*lines, (0, "</barline>")]


def right_barline_lines(barline: Barline, ends: tuple[int, ...] = ()) -> list[Line]:
    """The `barline` at the right of a measure; nothing for a regular one. `ends` is the ending that stops here."""
    style = "light-heavy" if barline.repeat_end and barline.style == "regular" else ""
    style = style or names.BAR_STYLE_NAMES.get(barline.style, "")
    if not style and not ends:
        return []
    lines: list[Line] = [(0, '<barline location="right">')]
    lines += [(1, f"<bar-style>{style}</bar-style>")] if style else []
    if ends:
        kind = "stop" if barline.repeat_end else "discontinue"
        lines.append((1, f'<ending number="{ending_text(ends)}" type="{kind}"/>'))
    lines += [(1, '<repeat direction="backward"/>')] if barline.repeat_end else []
    return [*lines, (0, "</barline>")]


def ending_text(numbers: tuple[int, ...]) -> str:
    """The numbers of an ending as an attribute says them."""
    return ", ".join(map(str, numbers))


def harmony_lines(symbol: ChordSymbol) -> list[Line]:
    """A `harmony` element."""
    step, alter = symbol.root or ("C", 0)
    opening = "<root-step>" if symbol.root else '<root-step text="">'
    lines = [(0, "<harmony>"), (1, "<root>"), (2, f"{opening}{step}</root-step>")]
    lines += [(2, f"<root-alter>{alter}</root-alter>")] if alter else []
    shown = _kind_text(symbol)
    lines += [(1, "</root>"), (1, f"<kind{f' text={quoteattr(shown)}' if shown else ''}>{symbol.kind}</kind>")]
    if symbol.bass is not None:
        bass_step, bass_alter = symbol.bass
        lines += [(1, "<bass>"), (2, f"<bass-step>{bass_step}</bass-step>")]
        lines += [(2, f"<bass-alter>{bass_alter}</bass-alter>")] if bass_alter else []
        lines.append((1, "</bass>"))
    return [*lines, (0, "</harmony>")]


def _kind_text(symbol: ChordSymbol) -> str:
    """What follows the root in the chord symbol as it was written."""
    if symbol.root is None:
        return "N.C."
    step, alter = symbol.root
    root = step + ("#" * alter if alter > 0 else "b" * -alter)
    return symbol.text.removeprefix(root).split("/")[0] if symbol.text.startswith(root) else ""


def _rest(event: Event) -> str:
    return '<rest measure="yes"/>' if event.whole_measure else "<rest/>"


def _pitch_lines(pitch: Pitch) -> list[Line]:
    lines: list[Line] = [(1, "<pitch>"), (2, f"<step>{pitch.step}</step>")]
    lines += [(2, f"<alter>{pitch.alter}</alter>")] if pitch.alter else []
    return [*lines, (2, f"<octave>{pitch.octave}</octave>"), (1, "</pitch>")]


_ACCIDENTALS = {
    -3: "triple-flat", -2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp", 3: "triple-sharp",
}  # fmt: skip


def written_type(event: Event) -> tuple[str, int] | None:
    """The (type, dots) that an event is written with; None if no single notehead lasts so long."""
    if event.grace:
        return ("eighth", 0)
    actual, normal = event.tuplet or (1, 1)
    return None if event.whole_measure else names.WRITTEN.get(event.duration * actual / normal)


def _type_lines(event: Event, accidental: bool, note: Note | None) -> list[Line]:
    lines: list[Line] = []
    if (written := written_type(event)) is not None:
        kind, dots = written
        lines += [(1, f"<type>{kind}</type>"), *[(1, "<dot/>")] * dots]
    if note is not None and accidental:
        lines.append((1, f"<accidental>{_ACCIDENTALS.get(note.pitch.alter, 'natural')}</accidental>"))
    if event.tuplet is not None:
        actual, normal = event.tuplet
        lines += [
            (1, "<time-modification>"),
            (2, f"<actual-notes>{actual}</actual-notes>"),
            (2, f"<normal-notes>{normal}</normal-notes>"),
            (1, "</time-modification>"),
        ]
    return lines


def _stem(event: Event, place: Place, crowded: bool, measure: Measure) -> str:
    written = written_type(event)
    if not event.notes or written is None or names.TYPES[written[0]] >= 1:
        return ""
    if crowded:
        return "up" if place[1] % 2 else "down"
    clef = measure.clefs[place[0] - 1] if place[0] <= len(measure.clefs) else ""
    middle = _MIDDLE_LINES.get(clef, _MIDDLE_LINES["treble"])
    lowest, highest = event.notes[0].pitch.position, event.notes[-1].pitch.position
    return "up" if lowest + highest < 2 * middle else "down"


def _direction_lines(event: Event) -> list[Line]:
    lines: list[Line] = []
    for sign in event.marks.decorations:
        if sign in ("segno", "coda"):
            lines += _direction("above", f"<{sign}/>")
    for text in event.marks.annotations:
        placement = "below" if text.startswith("_") else "above"
        lines += _direction(placement, f"<words>{escape(text[1:])}</words>")
    return lines


def _direction(placement: str, content: str) -> list[Line]:
    return [
        (0, f'<direction placement="{placement}">'),
        (1, "<direction-type>"),
        (2, content),
        (1, "</direction-type>"),
        (0, "</direction>"),
    ]


def _grace(event: Event) -> str:
    return '<grace slash="yes"/>' if ACCIACCATURA in event.marks.decorations else "<grace/>"


def _decoration_lines(event: Event) -> list[Line]:
    lines: list[Line] = []
    open_group = ""
    for name in event.marks.decorations:
        if name in ("segno", "coda") or (event.grace and name == ACCIACCATURA):
            continue
        group, element = _decoration(name)
        if group != open_group:
            lines += [(2, f"</{open_group}>")] if open_group else []
            lines += [(2, f"<{group}>")] if group else []
            open_group = group
        lines.append((3 if group else 2, element))
    return [*lines, (2, f"</{open_group}>")] if open_group else lines


def _decoration(name: str) -> tuple[str, str]:
    if name in ("0", "1", "2", "3", "4", "5"):
        return "technical", f"<fingering>{name}</fingering>"
    if name in names.DECORATIONS:
        group, element = names.DECORATIONS[name]
        return group, f"<{element}/>"
    return "", f'<other-notation type="single">{escape(name)}</other-notation>'


def _lyric_lines(event: Event) -> list[Line]:
    lines: list[Line] = []
    for verse, text in enumerate(event.marks.lyrics, 1):
        if not text:
            continue
        lines.append((1, f'<lyric number="{verse}">'))
        if text == "_":
            lines.append((2, "<extend/>"))
        else:
            goes_on = text.endswith("-")
            syllable = escape(text.removesuffix("-"))
            lines.append((2, f"<syllabic>{'begin' if goes_on else 'single'}</syllabic>"))
            lines.append((2, f"<text>{syllable}</text>"))
        lines.append((1, "</lyric>"))
    return lines
