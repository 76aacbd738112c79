"""What of a score survives being written as MusicXML?

Everything a MusicXML document can hold the way the score has it. `normal_form` makes the other things into what will
be read back: durations that no notehead has become tied notes (or several rests), voices are counted in the order in
which they appear and filled up to the measure's length, an unclosed measure is closed, a key with explicit
accidentals is written by its accidentals alone, tuplet ratios are reduced, part ids are XML names, and white space in
texts is single spaces.

`parse(print([score])).scores[0] == normal_form(score)` holds for every score; and `normal_form` changes nothing in a
score that was read from a well-formed MusicXML document.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction

from notation.musicxml import names
from notation.musicxml.header import SINGLE_FIELDS, guess_instrument
from notation.musicxml.values import lyric_text
from notation.musicxml.writer import clef_of
from notation.score import (
    ACCIACCATURA,
    REGULAR,
    STEPS,
    Barline,
    ChordSymbol,
    Event,
    KeySignature,
    Marks,
    Measure,
    Part,
    Score,
    TimeSignature,
    Voice,
)

_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BY_LENGTH = sorted(names.WRITTEN, reverse=True)
_MAX_STAVES = 16


def normal_form(score: Score) -> Score:
    """The score that will be read back when this one is written."""
    fields = [(_line(name), _line(text)) for name, text in score.fields]
    fields = [(name, text) for name, text in fields if name and text]
    title = _line(score.title)
    if not title:
        title = next((text for name, text in fields if name == "movement-title"), "")
        fields = [pair for pair in fields if pair != ("movement-title", title)]
    fields.sort(key=lambda pair: _field_rank(pair[0]))
    parts: list[Part] = []
    for part in score.parts:
        parts.append(_part(part, {known.id for known in parts}, len(parts) + 1))
    return replace(
        score,
        parts=tuple(parts),
        title=title,
        composer=_line(score.composer),
        rhythm=_line(score.rhythm),
        fields=tuple(fields),
    )


_FIELD_ORDER = (*SINGLE_FIELDS, "identification/creator[", "identification/rights")


def _field_rank(name: str) -> int:
    return next((rank for rank, known in enumerate(_FIELD_ORDER) if name.startswith(known)), len(_FIELD_ORDER))


def xml_text(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def _line(text: str) -> str:
    return " ".join(xml_text(text).split())


def _part(part: Part, taken: set[str], count: int) -> Part:
    part_id = part.id if _NAME.fullmatch(part.id) and part.id not in taken else f"P{count}"
    while part_id in taken:
        part_id += "_"
    name = _line(part.name)
    numbers: dict[int, list[int]] = {}
    measures: list[Measure] = []
    clefs: tuple[str, ...] = ()
    for measure in part.measures:
        measures.append(_measure(measure, numbers, clefs))
        clefs = measures[-1].clefs
    staves = max([part.staves, *(voice.staff for measure in measures for voice in measure.voices)])
    staves = min(max(staves, len(clefs)), _MAX_STAVES)
    return Part(part_id, tuple(measures), name, part.instrument or guess_instrument(name), staves)


def _measure(measure: Measure, numbers: dict[int, list[int]], clefs: tuple[str, ...]) -> Measure:
    voices: list[Voice] = []
    for voice in sorted(measure.voices, key=lambda one: (one.staff, one.number)):
        if not voice.events:
            continue
        known = numbers.setdefault(voice.staff, [])
        if voice.number not in known:
            known.append(voice.number)
        voices.append(Voice(_events(voice.events), voice.staff, known.index(voice.number) + 1))
    length = max((voice.duration for voice in voices), default=Fraction(0))
    voices = [replace(voice, events=_filled(voice.events, length)) for voice in voices]
    return replace(
        measure,
        voices=tuple(sorted(voices, key=lambda one: (one.staff, one.number))),
        time=_time(measure.time),
        key=_key(measure.key),
        barline=_barline(measure.barline),
        ending=tuple(number for number in measure.ending if number > 0),
        clefs=_clefs(measure.clefs, clefs),
    )


def normal_voices(measure: Measure) -> Measure:
    """The measure with voices of durations that noteheads can write, in order; nothing else is changed."""
    voices = sorted((voice for voice in measure.voices if voice.events), key=lambda one: (one.staff, one.number))
    return replace(measure, voices=tuple(replace(voice, events=_events(voice.events)) for voice in voices))


def _filled(events: tuple[Event, ...], length: Fraction) -> tuple[Event, ...]:
    end = events[-1].end
    return (*events, Event(end, length - end, hidden=True)) if end < length else events


def _time(time: TimeSignature) -> TimeSignature:
    if not time.beats:
        return TimeSignature((), 4)
    return replace(time, symbol=time.symbol if time.symbol in ("common", "cut") else "")


def _key(key: KeySignature) -> KeySignature:
    if key.accidentals:
        pairs = ((step, key.alter_of(step)) for step in STEPS)
        return KeySignature(0, "", tuple(sorted((step, alter) for step, alter in pairs if alter)))
    return replace(key, fifths=max(-7, min(7, key.fifths)), mode=names.MODES.get(key.mode, ""))


def _barline(barline: Barline | None) -> Barline:
    if barline is None:
        return REGULAR
    if barline.repeat_end and barline.style == "final":
        return Barline("regular", True)
    return barline


def _clefs(clefs: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    known = [clef if clef_of(clef) is not None else "" for clef in clefs[:_MAX_STAVES]]
    padded = [*known, *[""] * (len(before) - len(known))]
    merged = [new or old for new, old in zip(padded, [*before, *[""] * len(padded)], strict=False)]
    while merged and not merged[-1]:
        merged.pop()
    return tuple(merged)


# --- events ----------------------------------------------------------------------------------------------------------


def _events(events: tuple[Event, ...]) -> tuple[Event, ...]:
    found: list[Event] = []
    symbol: ChordSymbol | None = None
    for event in events:
        symbol = event.chord_symbol or symbol
        if event.grace:
            found.append(replace(_event(event), chord_symbol=None))
            continue
        found += _pieces(replace(_event(event), chord_symbol=_symbol(symbol)))
        symbol = None
    return tuple(found)


def _event(event: Event) -> Event:
    notes = tuple(sorted(event.notes, key=lambda note: (note.pitch.position, note.pitch.alter)))
    return replace(
        event,
        notes=notes,
        hidden=event.hidden and not notes,
        whole_measure=event.whole_measure and not notes and not event.grace,
        tuplet=None if event.grace or event.tuplet is None else _ratio(*event.tuplet),
        duration=Fraction(0) if event.grace else event.duration,
        marks=_marks(event.marks),
    )


def _ratio(actual: int, normal: int) -> tuple[int, int] | None:
    divisor = math.gcd(actual, normal)
    return None if actual == normal else (actual // divisor, normal // divisor)


def _pieces(event: Event) -> list[Event]:
    """The event as one or more that a notehead can write, tied together."""
    actual, normal = event.tuplet or (1, 1)
    if event.whole_measure or event.hidden:
        return [event]
    lengths = written_pieces(event.duration * actual / normal)
    if len(lengths) < 2:
        return [event]
    pieces: list[Event] = []
    onset = event.onset
    for index, length in enumerate(lengths):
        last = index == len(lengths) - 1
        notes = event.notes if last else tuple(replace(note, tie=True) for note in event.notes)
        duration = length * normal / actual
        piece = Event(onset, duration, notes, event.tuplet, span=event.span)
        if not index:
            piece = replace(piece, chord_symbol=event.chord_symbol, marks=event.marks)
        pieces.append(piece)
        onset += duration
    return pieces


def written_pieces(duration: Fraction) -> list[Fraction]:
    """The durations of the noteheads, longest first, that together last so long; itself if none do."""
    pieces: list[Fraction] = []
    left = duration
    for length in _BY_LENGTH:
        while left >= length and len(pieces) < 256:
            pieces.append(length)
            left -= length
    return [duration] if left else pieces


def _symbol(symbol: ChordSymbol | None) -> ChordSymbol | None:
    if symbol is None:
        return None
    if symbol.root is None:
        return ChordSymbol(None, "none", None, symbol.text)
    kind = symbol.kind if symbol.kind in names.CHORD_KINDS and symbol.kind != "none" else "other"
    return replace(symbol, kind=kind)


def _marks(marks: Marks) -> Marks:
    decorations = list(dict.fromkeys(name for one in marks.decorations if (name := _line(one))))
    decorations.sort(key=lambda name: (name not in ("segno", "coda"), name != ACCIACCATURA))
    annotations = [("_" if one.startswith("_") else "^") + _line(one[1:]) for one in marks.annotations]
    lyrics = [lyric_text(xml_text(text)) for text in marks.lyrics[:16]]
    while lyrics and not lyrics[-1]:
        lyrics.pop()
    return Marks(
        tuple(decorations),
        tuple(one for one in annotations if len(one) > 1),
        marks.slur_starts,
        marks.slur_ends,
        tuple(lyrics),
    )
