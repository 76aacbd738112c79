"""How is a score written as ABC?

`print_scores` writes a document that parses to equal scores. What ABC cannot hold is normalised first (`normalise`):
several staves or voices of a part become ABC voices, one a staff, with overlays for further voices; a measure without
voices becomes a hidden whole-measure rest; text that could not be told from other syntax is cleaned.

A note is written with an accidental wherever one of the usual readings needs it: accidentals that hold for their
octave or for all octaves, through a tie or not.

Source: ABC 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from notation.abc.fields import ACCIDENTALS, default_unit_length, write_key, write_metre
from notation.abc.harmony import read_chord_symbol, write_chord_symbol
from notation.abc.lexer import field_letter
from notation.abc.lyrics import write_lyrics
from notation.abc.macros import macro_pattern, read_macro
from notation.abc.style import is_beat
from notation.score import (
    ACCIACCATURA,
    FREE_METRE,
    NO_MARKS,
    Barline,
    Event,
    KeySignature,
    Marks,
    Measure,
    Note,
    Part,
    Score,
    TimeSignature,
    Voice,
)

MEASURES_PER_LINE = 4
_ZERO = Fraction(0)
_BARLINES = {"regular": "|", "double": "||", "final": "|]", "initial": "[|", "dotted": ".|", "none": "[|]"}
_DECORATION = re.compile(r"[^!|\s\"\[\]]{1,40}")
_INLINE_FIELDS = "INPQRr"
_VOICE_ID = re.compile(r"[^\s\]*%\"]+")


def print_scores(scores: Sequence[Score]) -> str:
    """Write scores as one ABC document, a blank line between tunes."""
    return "\n".join(_Tune(normalise(score), number).write() for number, score in enumerate(scores, 1))


def normalise(score: Score) -> Score:
    """The score as ABC can hold it: what parsing its print gives, spans and printed accidentals apart."""
    parts: list[Part] = []
    for index, part in enumerate(score.parts or (Part("1"),)):
        parts.extend(_staff_parts(part, index, len(score.parts) > 1 or part.staves > 1))
    fields = tuple(one for one in score.fields if _is_header_field(one))
    return replace(
        score,
        parts=tuple(parts),
        title=_line(score.title),
        composer=_line(score.composer),
        rhythm=_line(score.rhythm).lower(),
        fields=fields,
    )


def _line(text: str) -> str:
    return " ".join(text.splitlines()).strip()


def _escape(text: str) -> str:
    return text.replace("%", "\\%")


def _is_directive(name: str) -> bool:
    return re.fullmatch(r"%%[A-Za-z][\w-]*", name) is not None and name != "%%propagate-accidentals"


def _is_header_field(entry: tuple[str, str]) -> bool:
    name, value = entry
    if name.startswith("%%"):
        return _is_directive(name)
    is_field = re.fullmatch(r"[A-Za-z]", name) is not None and name not in "KLMVw"
    return is_field and (bool(value) or name == "W") and not re.search(r"[\r\n]", value)


def _is_body_field(entry: tuple[str, str]) -> bool:
    """Whether a field says nothing of the notes, and is read as what it is in the tune body."""
    name, value = entry
    if name.startswith("%%"):
        return _is_directive(name)
    is_field = re.fullmatch(r"[A-Za-z]", name) is not None and name not in "KLMVUmswWX"
    is_kept = bool(value) and value == value.strip() and not re.search(r"[\r\n]", value)
    return is_field and is_kept and field_letter(_body_line(name, value), in_body=True) == name


def _body_line(name: str, value: str) -> str:
    return f"{name}: {_escape(value)}"


def _staff_parts(part: Part, index: int, is_several: bool) -> Iterable[Part]:
    staves = max([part.staves, *(voice.staff for measure in part.measures for voice in measure.voices)])
    identifier = part.id if _VOICE_ID.fullmatch(part.id) else f"P{index + 1}" if is_several else "1"
    for staff in range(1, staves + 1):
        measures: list[Measure] = []
        for measure in part.measures:
            written = _staff_measure(measure, staff)
            # A clef holds until the next one; a measure that names none has the one before it.
            clefs = written.clefs or (measures[-1].clefs if measures else ())
            measures.append(replace(written, clefs=clefs))
        name = f"{identifier}.{staff}" if staves > 1 else identifier
        printed = _line(part.name).replace('"', "'") if staff == 1 else ""
        last_fields = tuple(filter(_is_body_field, part.last_fields)) if staff == 1 else ()
        yield Part(name, _settle_ties(measures), printed, last_fields=last_fields)


def _settle_ties(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """The measures without ties that find no note of their pitch; the last event of a voice keeps its own."""
    events = [[list(voice.events) for voice in measure.voices] for measure in measures]
    waiting: dict[int, tuple[list[Event], int]] = {}
    for measure, layers in zip(measures, events, strict=True):
        for voice, layer in zip(measure.voices, layers, strict=True):
            for place, event in enumerate(layer):
                if event.grace:
                    continue
                if voice.number in waiting:
                    _land(*waiting[voice.number], event)
                waiting[voice.number] = (layer, place)
    return tuple(
        replace(
            measure,
            voices=tuple(
                replace(voice, events=tuple(layer)) for voice, layer in zip(measure.voices, layers, strict=True)
            ),
        )
        for measure, layers in zip(measures, events, strict=True)
    )


def _land(layer: list[Event], place: int, following: Event) -> None:
    pitches = {note.pitch for note in following.notes}
    notes = layer[place].notes
    if any(note.tie and note.pitch not in pitches for note in notes):
        settled = tuple(replace(note, tie=note.tie and note.pitch in pitches) for note in notes)
        layer[place] = replace(layer[place], notes=settled)


def _staff_measure(measure: Measure, staff: int) -> Measure:
    voices = [voice for voice in measure.voices if voice.staff == staff and voice.events]
    written = tuple(
        Voice(tuple(_clean(event, measure.time) for event in voice.events), 1, number)
        for number, voice in enumerate(voices, 1)
    )
    if not written:
        length = measure.duration or measure.time.duration or Fraction(1)
        is_full = measure.time.duration in (None, length)
        written = (Voice((Event(_ZERO, length, hidden=True, whole_measure=is_full),)),)
    clefs = measure.clefs[staff - 1 : staff]
    fields = tuple(filter(_is_body_field, measure.fields)) if staff == 1 else ()
    return replace(measure, voices=written, clefs=clefs if clefs and clefs[0] else (), fields=fields)


def _clean(event: Event, time: TimeSignature) -> Event:
    marks = event.marks
    if event.grace:
        is_short = ACCIACCATURA in marks.decorations
        return replace(event, marks=Marks((ACCIACCATURA,)) if is_short else NO_MARKS)
    if event.whole_measure and event.duration != (max((time.duration or 1) - event.onset, _ZERO) or 1):
        event = replace(event, whole_measure=False)
    if marks.annotations or marks.decorations or marks.lyrics:
        annotations = tuple(_clean_annotation(text) for text in marks.annotations if text.strip())
        decorations = tuple(name for name in marks.decorations if _DECORATION.fullmatch(name))
        lyrics = tuple(" ".join(text.split()) for text in marks.lyrics)
        event = replace(event, marks=replace(marks, annotations=annotations, decorations=decorations, lyrics=lyrics))
    return event


def _clean_annotation(text: str) -> str:
    text = text.replace('"', "'").replace("\n", " ").replace("\r", " ")
    return f"^{text}" if text[0] not in "^_<>@" and read_chord_symbol(text) is not None else text


def write_length(factor: Fraction) -> str:
    """A note length as a multiple of the unit: `` for 1, `3/2`, `/`, `/4`."""
    if factor.denominator == 1:
        return "" if factor == 1 else str(factor.numerator)
    top = "" if factor.numerator == 1 else str(factor.numerator)
    return f"{top}/" if not top and factor.denominator == 2 else f"{top}/{factor.denominator}"


def write_pitch_name(note: Note) -> str:
    """The letter and octave marks of a note, without accidental."""
    octave = note.pitch.octave
    if octave >= 5:
        return note.pitch.step.lower() + "'" * (octave - 5)
    return note.pitch.step + "," * (4 - octave)


def choose_unit(measures: Iterable[Measure], time: TimeSignature) -> Fraction:
    """The unit note length that needs the fewest characters; the usual one where that ties."""
    counts: dict[Fraction, int] = {}
    for measure in measures:
        for voice in measure.voices:
            for event in voice.events:
                if not event.grace and not event.whole_measure:
                    length = written_length(event)
                    counts[length] = counts.get(length, 0) + 1
    usual = default_unit_length(time)
    candidates = [usual, Fraction(1, 8), Fraction(1, 4), Fraction(1, 16), Fraction(1, 2)]
    return min(
        candidates,
        key=lambda unit: sum(len(write_length(length / unit)) * count for length, count in counts.items()),
    )


def written_length(event: Event) -> Fraction:
    """The duration that is written: without the tuplet's ratio."""
    if event.tuplet is None:
        return event.duration
    return event.duration * event.tuplet[0] / event.tuplet[1]


def tuplet_groups(events: Sequence[Event]) -> list[int]:
    """How tuplets are bracketed: for each event how many events the tuplet that begins with it has, else 0.

    Grace notes do not count. A group ends where it fills its ratio.
    """
    sizes = [0] * len(events)
    places = [place for place, event in enumerate(events) if not event.grace]
    start = 0
    while start < len(places):
        ratio = events[places[start]].tuplet
        stop = start + 1
        if ratio is not None:
            while stop < len(places) and events[places[stop]].tuplet == ratio:
                stop += 1
            lengths = [written_length(events[place]) for place in places[start:stop]]
            stop = start + _group_size(lengths, ratio)
            sizes[places[start]] = stop - start
        start = stop
    return sizes


def _group_size(lengths: Sequence[Fraction], ratio: tuple[int, int]) -> int:
    usual = ratio[0]
    if len(lengths) >= usual and _fills(lengths[:usual], ratio):
        return usual
    total = _ZERO
    smallest = lengths[0]
    for count, length in enumerate(lengths, 1):
        total += length
        smallest = min(smallest, length)
        if (total / (smallest * ratio[0])).denominator == 1 and count > 1:
            return count
    return len(lengths)


def _fills(lengths: Sequence[Fraction], ratio: tuple[int, int]) -> bool:
    times = sum(lengths, _ZERO) / ratio[0]
    return not times.denominator & (times.denominator - 1)


def usual_tuplet(p: int, time: TimeSignature) -> int:
    """The normal number that `(p` means in a metre."""
    compound = bool(time.beats) and sum(time.beats) % 3 == 0 and time.unit >= 8
    return {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)


def write_tuplet(ratio: tuple[int, int], size: int, time: TimeSignature) -> str:
    """The sign that begins a tuplet of `size` events: `(3`, `(3:2:2`."""
    p, q = ratio
    if size != p:
        return f"({p}:{q}:{size}"
    return f"({p}" if q == usual_tuplet(p, time) else f"({p}:{q}"


@dataclass(slots=True)
class Spelling:
    """Which accidentals are in force while a measure is written.

    `octave` and `pitch` are the two usual readings (an accidental holds for its octave, or for its step in all
    octaves); `carried` are the alters that came in through ties and, to some readers, stay. `repeats` is set where
    the document says that accidentals hold for no further note.
    """

    key: KeySignature
    octave: dict[int, int]
    pitch: dict[str, int]
    carried: dict[int, int]
    tied: dict[int, int]
    repeats: bool = False

    @classmethod
    def begin(cls, key: KeySignature, tied: dict[int, int] | None = None, repeats: bool = False) -> Spelling:
        """The state at the start of a measure, given position -> alter of the notes tied into it."""
        return cls(key, {}, {}, {}, dict(tied or {}), repeats)

    def accidental(self, note: Note) -> str:
        """The sign before a note, empty if every reading agrees without one; the note is taken note of."""
        pitch = note.pitch
        position = pitch.position
        natural = self.key.alter_of(pitch.step)
        if self.tied.get(position) == pitch.alter:
            if pitch.alter != self.octave.get(position, natural):
                self.carried[position] = pitch.alter
            return ""
        readings = {
            self.octave.get(position, natural),
            self.pitch.get(pitch.step, natural),
            self.carried.get(position, self.octave.get(position, natural)),
            self.tied.get(position, pitch.alter),
            natural if self.repeats else pitch.alter,
        }
        if readings == {pitch.alter}:
            return ""
        self.note_accidental(position, pitch.step, pitch.alter)
        return ACCIDENTALS[max(-2, min(2, pitch.alter))]

    def note_accidental(self, position: int, step: str, alter: int) -> None:
        """An accidental is written here."""
        self.octave[position] = alter
        self.pitch[step] = alter
        self.carried.pop(position, None)

    def after(self, event: Event) -> None:
        """An event is over: what it ties, and nothing else, is tied into the next."""
        if not event.grace:
            self.tied = {note.pitch.position: note.pitch.alter for note in event.notes if note.tie}


def write_notes(event: Event, spelling: Spelling, length: str) -> str:
    """The note, chord or rest of an event with its ties, accidentals as needed."""
    if not event.notes:
        if event.whole_measure:
            return "X" if event.hidden else "Z"
        return ("x" if event.hidden else "z") + length
    heads = []
    are_tied = all(note.tie for note in event.notes)
    for note in event.notes:
        tie = "-" if note.tie and not are_tied else ""
        heads.append(spelling.accidental(note) + write_pitch_name(note) + tie)
    spelling.after(event)
    text = heads[0] if len(heads) == 1 else f"[{''.join(heads)}]"
    return text + length + ("-" if are_tied else "")


def write_marks(event: Event) -> str:
    """What stands before the notes: chord symbol, annotations, decorations, slurs that begin."""
    marks = event.marks
    pieces = [f'"{write_chord_symbol(event.chord_symbol)}"'] if event.chord_symbol is not None else []
    pieces.extend(f'"{text}"' for text in marks.annotations)
    decorations = ("." if name == "staccato" else f"!{name}!" for name in marks.decorations)
    return "".join(pieces) + "(" * marks.slur_starts + "".join(decorations)


def write_barline(barline: Barline, repeat_start: bool) -> str:
    """The sign between a measure and the next; a style that no repeat sign has is written as a sign of its own."""
    sign = _BARLINES[barline.style]
    if barline.repeat_end:
        if barline.style == "regular":
            return "::" if repeat_start else ":|"
        sign = f":| {sign}" if barline.style not in ("double", "final") else ":" + sign
    if not repeat_start:
        return sign
    return "|:" if sign == "|" else f"{sign} |:"


def write_ending(ending: Sequence[int]) -> str:
    """The sign that begins a variant ending: `[1`, `[1,3`."""
    return f"[{','.join(map(str, ending))}" if ending else ""


class _Tune:
    def __init__(self, score: Score, number: int) -> None:
        self.score = score
        self.number = number
        first = [part.measures[0] for part in score.parts if part.measures]
        self.time = first[0].time if first else FREE_METRE
        self.key = first[0].key if first else KeySignature()
        measures = [measure for part in score.parts for measure in part.measures]
        self.unit = choose_unit(measures, self.time)
        self.has_voices = len(score.parts) > 1 or score.parts[0].id != "1" or bool(score.parts[0].name)

    def write(self) -> str:
        lines: list[str] = []
        line_count = max((len(part.measures) for part in self.score.parts), default=0)
        states = [_PartWriter(part, self.unit, self.time, self.key, self.has_voices) for part in self.score.parts]
        for first in range(0, max(1, line_count), MEASURES_PER_LINE):
            for state in states:
                if first < max(1, len(state.part.measures)):  # fields may stand where no music does
                    lines.extend(state.write_lines(first, first + MEASURES_PER_LINE))
        header = self._header("\n".join(lines))
        words = [f"{name}:{_escape(value)}" for name, value in self.score.fields if name == "W"]
        return "\n".join((*header, *lines, *words)) + "\n"

    def _header(self, body: str) -> list[str]:
        """The header; a macro that would change the music as it is written out is left away."""
        score = self.score
        numbers = [value for name, value in score.fields if name == "X"]
        lines = [f"X:{numbers[0] if numbers else self.number}"]
        lines.append(f"T:{_escape(score.title)}")
        if score.composer:
            lines.append(f"C:{_escape(score.composer)}")
        if score.rhythm:
            lines.append(f"R:{_escape(score.rhythm)}")
        for name, value in score.fields:
            if name not in ("X", "W") and not (name == "m" and _is_used(value, body)):
                lines.extend(_field_lines(name, value))
        lines.append(f"M:{write_metre(self.time)}")
        lines.append(f"L:{self.unit.numerator}/{self.unit.denominator}")
        if self.has_voices:
            lines.extend(self._voice_lines())
        clefs = [part.measures[0].clefs for part in score.parts if part.measures]
        clef = "" if self.has_voices or not clefs or not clefs[0] else f" clef={clefs[0][0]}"
        shift = self._transpose(score.parts[0]) if not self.has_voices else ""
        lines.append(f"K:{write_key(self.key)}{clef}{shift}")
        return lines

    def _transpose(self, part: Part) -> str:
        semitones = part.measures[0].transpose if part.measures else 0
        return f" transpose={semitones}" if semitones else ""

    def _voice_lines(self) -> Iterable[str]:
        for part in self.score.parts:
            name = f' name="{part.name}"' if part.name else ""
            clefs = part.measures[0].clefs if part.measures else ()
            clef = f" clef={clefs[0]}" if clefs else ""
            yield f"V:{part.id}{name}{clef}{self._transpose(part)}"


def _is_used(value: str, body: str) -> bool:
    macro = read_macro(value)
    return macro is not None and macro_pattern((macro,)).search(body) is not None


def _field_lines(name: str, value: str) -> list[str]:
    if name.startswith("%%begin") and len(name) > 7:
        return [name, *(f"%%{line}" for line in value.split("\n") if value), f"%%end{name[7:]}"]
    if name.startswith("%%"):
        return [f"{name} {value}".rstrip()]
    return [f"{name}:{_escape(value)}"]


class _PartWriter:
    """Writes one part, a line of measures at a time."""

    def __init__(self, part: Part, unit: Fraction, time: TimeSignature, key: KeySignature, has_voices: bool) -> None:
        self.part = part
        self.has_voices = has_voices
        self.unit = unit
        self.time = time
        self.key = key
        self.clefs = part.measures[0].clefs if part.measures else ()
        self.transpose = part.measures[0].transpose if part.measures else 0
        self.tied: dict[int, dict[int, int]] = {}

    def write_lines(self, first: int, last: int) -> list[str]:
        """Measures `first:last`, cut where a field needs a line of its own; after the last measure what follows it."""
        measures = self.part.measures
        last = min(last, len(measures))
        starts = [index for index in range(first, last) if index == first or _on_own_lines(measures[index].fields)]
        lines: list[str] = []
        for start, stop in pairwise([*starts, last]):
            lines.extend(self._field_lines(_on_own_lines(measures[start].fields)))
            lines.extend(self._write_line(start, stop, f"[V:{self.part.id}] " if self.has_voices else ""))
        if last == len(measures):
            lines.extend(self._field_lines(self.part.last_fields))
        return lines

    def _field_lines(self, fields: Sequence[tuple[str, str]]) -> list[str]:
        switch = [f"V:{self.part.id}"] if fields and self.has_voices else []
        lines = (
            _field_lines(name, value) if name.startswith("%%") else [_body_line(name, value)] for name, value in fields
        )
        return [*switch, *(line for some in lines for line in some)]

    def _write_line(self, first: int, last: int, prefix: str) -> list[str]:
        """The line of measures `first:last` and the lyrics below it."""
        measures = self.part.measures
        pieces = []
        syllables: list[tuple[str, ...]] = []
        for index in range(first, last):
            measure = measures[index]
            follows = index + 1 < len(measures) and measures[index + 1].repeat_start
            opening = "|:" if measure.repeat_start and not index else ""
            pieces.append(" ".join(filter(None, (opening, self._measure(measure)))))
            if measure.barline is not None:
                pieces.append(write_barline(measure.barline, follows))
            for voice in measure.voices:
                syllables.extend(event.marks.lyrics for event in voice.events if event.notes and not event.grace)
        return [prefix + " ".join(pieces), *_lyric_lines(syllables)]

    def _measure(self, measure: Measure) -> str:
        inline = () if _on_own_lines(measure.fields) else measure.fields
        pieces = [f"[{name}:{value}]" for name, value in inline]
        pieces += [write_ending(measure.ending), *self._changes(measure)]
        tied = self.tied
        self.tied = {}
        voices = []
        for voice in measure.voices:
            spelling = Spelling.begin(measure.key, tied.get(voice.number))
            voices.append(self._voice(voice, measure, spelling))
            self.tied[voice.number] = spelling.tied
        pieces.append(" & ".join(voices))
        return " ".join(filter(None, pieces))

    def _changes(self, measure: Measure) -> Iterable[str]:
        if measure.key != self.key:
            self.key = measure.key
            yield f"[K:{write_key(measure.key)}]"
        if measure.time != self.time:
            self.time = measure.time
            yield f"[M:{write_metre(measure.time)}]"
        if measure.clefs != self.clefs and measure.clefs:
            yield f"[K:clef={measure.clefs[0]}]"
        self.clefs = measure.clefs
        if measure.transpose != self.transpose:
            self.transpose = measure.transpose
            yield f"[K:transpose={measure.transpose}]"

    def _voice(self, voice: Voice, measure: Measure, spelling: Spelling) -> str:
        sizes = tuplet_groups(voice.events)
        text = ""
        left = 0
        for place, event in enumerate(voice.events):
            if text and not left and is_beat(event.onset, measure.time) and not text.endswith("}"):
                text += " "
            if event.grace:
                if ACCIACCATURA in event.marks.decorations:
                    text += "{/"
                else:
                    text = text.removesuffix("}") if text.endswith("}") else text + "{"
                text += write_notes(event, spelling, "") + "}"
                continue
            if sizes[place]:
                assert event.tuplet is not None
                text += write_tuplet(event.tuplet, sizes[place], measure.time)
                left = sizes[place]
            length = write_length(written_length(event) / self.unit)
            text += write_marks(event) + write_notes(event, spelling, length) + ")" * event.marks.slur_ends
            left = max(0, left - 1)
        return text


def _is_inline(name: str, value: str) -> bool:
    return name in _INLINE_FIELDS and not re.search(r"[][%\\\"]", value)


def _on_own_lines(fields: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The fields if one of them needs a line of its own, else none of them."""
    return () if all(_is_inline(name, value) for name, value in fields) else fields


def _lyric_lines(syllables: Sequence[tuple[str, ...]]) -> list[str]:
    verses = max((len(lyrics) for lyrics in syllables), default=0)
    return [
        "w:" + write_lyrics(lyrics[verse] if verse < len(lyrics) else "" for lyrics in syllables)
        for verse in range(verses)
    ]
