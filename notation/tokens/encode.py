"""From a score to tokens, measure by measure.

A score becomes a list of `EncodedMeasure`, each with a head, one segment a voice and a barline. Sequences are laid
out from those pieces (`measure_ids`, `header_ids`), by training and by completion alike, so that a part can be put
last and a measure can be left out without encoding anything again.

Lossless on what it covers: pitches, durations, ties, chords, rests, grace notes, chord symbols, metre, key, repeats
and endings. Not covered, and left in the document: marks (slurs, lyrics, dynamics, decorations), clefs, barlines
beyond the four in `BARLINES`, how equal tuplets are bracketed, grace notes at the end of a measure, a notehead that
doubles another of its chord, ties into nothing. A duration without a token (11/16, say) is written as tied notes.
What cannot be written at all raises `UnencodableError` and is counted.

Units: durations are Fractions of a whole note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from notation.score import (
    STEPS,
    Barline,
    ChordSymbol,
    Event,
    KeySignature,
    Measure,
    Note,
    Part,
    Pitch,
    Score,
    TimeSignature,
    Voice,
)
from notation.tokens import rhythm
from notation.tokens import vocabulary as v
from notation.tokens.vocabulary import TOKEN_IDS


class UnencodableError(ValueError):
    """Music that the vocabulary cannot say; the message is the reason, in a few words, for counting."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One voice of one part in one measure, as tokens (without its `part:` and `voice:` tokens)."""

    part: int
    staff: int
    number: int
    ids: tuple[int, ...]

    @property
    def voice(self) -> tuple[int, int, int]:
        """What identifies the voice through the piece: (part, staff, number)."""
        return self.part, self.staff, self.number


@dataclass(frozen=True, slots=True)
class EncodedMeasure:
    """One measure of a score.

    Attributes:
        head: `m:`, changes of metre and key, repeat start, ending, irregular length.
        segments: in score order.
        barline: the token it ends with; None while the measure is open.
        metre_and_key: what a header must say where a sequence begins with this measure.
        length: how long its voices are; None in free metre.
    """

    head: tuple[int, ...]
    segments: tuple[Segment, ...]
    barline: int | None
    metre_and_key: tuple[int, ...]
    length: Fraction | None


@dataclass(frozen=True, slots=True)
class EncodedScore:
    """A score as tokens. `dropped` counts the measures that lost something, by reason."""

    preamble: tuple[int, ...]
    n_parts: int
    measures: tuple[EncodedMeasure, ...]
    dropped: Counter[str] = field(default_factory=Counter)


def tonic_position(fifths: int) -> int:
    """The diatonic position that pitch tokens count from: the major tonic of a signature, C4 to B4."""
    return 28 + 4 * fifths % 7


def relative_pitch(pitch: Pitch, key: KeySignature) -> tuple[int, int]:
    """A pitch as (steps from the tonic, alter against the signature)."""
    return pitch.position - tonic_position(key.fifths), pitch.alter - key.alter_of(pitch.step)


def guess_genre(score: Score) -> str:
    """The genre token of a score whose collection is unknown, from its scoring and dance."""
    instruments = [part.instrument for part in score.parts]
    if len(score.parts) == 1:
        if any(event.chord_symbol for event in _events(score.parts[0].measures[:16])) and not score.rhythm:
            return "lead"
        if score.parts[0].staves > 1:
            return "organ" if instruments[0] == "organ" else "keyboard"
        return "folk"
    if len(score.parts) == 4:
        return "quartet" if {"viola", "cello"} & set(instruments) else "hymn"
    if len(score.parts) <= 3:
        return "lied" if any(part.staves > 1 for part in score.parts) else "other"
    return "orchestra" if len(score.parts) > 8 else "other"


def _events(measures: Iterable[Measure]) -> Iterable[Event]:
    return (event for measure in measures for voice in measure.voices for event in voice.events)


def rhythm_name(rhythm: str) -> str | None:
    """The rhythm token's value of an `R:` text, or None if it says nothing."""
    words = rhythm.lower().strip()
    if not words:
        return None
    return next((name for name in sorted(v.RHYTHMS, key=len, reverse=True) if name in words), "other")


def preamble_ids(score: Score, genre: str) -> tuple[int, ...]:
    """`<bos>`, genre, dance and the parts with their instruments."""
    ids = [v.BOS, TOKEN_IDS[f"genre:{genre if genre in v.GENRES else 'other'}"]]
    if name := rhythm_name(score.rhythm):
        ids.append(TOKEN_IDS[f"rhythm:{name}"])
    for index, part in enumerate(score.parts[: v.N_PARTS]):
        if len(score.parts) > 1:
            ids.append(TOKEN_IDS[f"part:{index}"])
        if part.instrument:
            ids.append(TOKEN_IDS[f"inst:{part.instrument if part.instrument in v.INSTRUMENTS else 'other'}"])
    return tuple(ids)


def time_id(time: TimeSignature) -> int:
    """The token of a metre; a metre without one counts as free."""
    return TOKEN_IDS.get(f"time:{sum(time.beats)}/{time.unit}", TOKEN_IDS["time:none"])


def key_ids(key: KeySignature) -> tuple[int, int]:
    """The tokens of a key: signature and mode."""
    return TOKEN_IDS[f"key:{max(-7, min(7, key.fifths))}"], TOKEN_IDS[f"mode:{key.mode or 'none'}"]


class SectionCounter:
    """Numbers measures within their section, and remembers its pickup.

    A section begins at the start, after a repeat, double or final barline, and at a repeat sign. Its first measure is
    number 0 if it is short (a pickup), else 1. Numbers above 32 begin again at 1.
    """

    def __init__(self) -> None:
        self.pickup = Fraction(0)
        self._next = 0

    @property
    def state(self) -> tuple[int, int, int]:
        """All that it remembers, for `resume`: the pickup as a ratio, and the number to come."""
        return self.pickup.numerator, self.pickup.denominator, self._next

    def resume(self, state: tuple[int, int, int]) -> None:
        """Go on from a `state`."""
        self.pickup = Fraction(state[0], state[1])
        self._next = state[2]

    def number(self, measure: Measure, length: Fraction | None) -> int:
        """The number of the next measure, whose voices last `length`."""
        if measure.repeat_start:
            self._restart()
        full = measure.time.duration
        if self._next == 0:
            if length is not None and full is not None and length < full:
                self.pickup = length
                self._next = 1
                return 0
            self._next = 1
        number = (self._next - 1) % (v.N_MEASURE_NUMBERS - 1) + 1
        self._next += 1
        return number

    def close(self, barline: Barline | None) -> None:
        """Take note of the barline after the measure just numbered."""
        if barline is not None and barline.ends_section:
            self._restart()

    def is_complement(self, length: Fraction, time: TimeSignature, barline: Barline | None) -> bool:
        """Whether a short measure makes a full one with the pickup of its section."""
        ends = barline is not None and barline.ends_section
        return ends and bool(self.pickup) and time.duration is not None and length == time.duration - self.pickup

    def _restart(self) -> None:
        self.pickup = Fraction(0)
        self._next = 0


def encode_score(score: Score, genre: str = "") -> EncodedScore:
    """Encode a whole score.

    Args:
        score: any score.
        genre: one of `GENRES`; guessed from the scoring if empty.
    """
    dropped: Counter[str] = Counter()
    counter = SectionCounter()
    measures: list[EncodedMeasure] = []
    last_signs: tuple[int, ...] = ()
    if len(score.parts) > v.N_PARTS:
        dropped[f"more than {v.N_PARTS} parts"] += score.n_measures
    for index in range(score.n_measures):
        column = measure_column(score.parts, index)
        encoded = encode_measure(column, measure_column(score.parts, index + 1), counter, last_signs, dropped)
        last_signs = encoded.metre_and_key
        measures.append(encoded)
    return EncodedScore(preamble_ids(score, genre or guess_genre(score)), len(score.parts), tuple(measures), dropped)


def measure_column(parts: Sequence[Part], index: int) -> list[tuple[int, Measure]]:
    """Measure `index` of every part that has it, with the part's index."""
    return [(number, part.measures[index]) for number, part in enumerate(parts) if index < len(part.measures)]


def encode_measure(
    column: Sequence[tuple[int, Measure]],
    next_column: Sequence[tuple[int, Measure]],
    counter: SectionCounter,
    last_signs: tuple[int, ...],
    dropped: Counter[str],
) -> EncodedMeasure:
    """Encode one measure of all parts (at least one).

    Args:
        column: (part index, its measure), in score order.
        next_column: the same of the measure that follows: where ties land.
        counter: numbers the measure; changed.
        last_signs: `metre_and_key` of the measure before, or empty.
        dropped: reasons are counted here.
    """
    first = column[0][1]
    length = column_length(column)
    number = counter.number(first, length)
    signs = (time_id(first.time), *key_ids(first.key))
    head = [TOKEN_IDS[f"m:{number}"]]
    if last_signs and signs[0] != last_signs[0]:
        head.append(signs[0])
    if last_signs and signs[1:] != last_signs[1:]:
        head.extend(signs[1:])
    if first.repeat_start:
        head.append(v.REPEAT_START)
    if first.ending:
        head.append(TOKEN_IDS[f"ending:{min(3, max(1, first.ending[0]))}"])
    full = first.time.duration
    if length is not None and full is not None and length != full:
        complement = number > 0 and counter.is_complement(length, first.time, first.barline)
        head.extend([] if complement else _length_ids(length, dropped))
    segments = encode_segments(column, length or longest(column), first_events(next_column), dropped)
    counter.close(first.barline)
    return EncodedMeasure(tuple(head), segments, barline_id(first.barline), signs, length)


def column_length(column: Sequence[tuple[int, Measure]]) -> Fraction | None:
    """How long a measure of all parts is; whole-measure rests do not count. None in free metre."""
    full = column[0][1].time.duration
    return None if full is None else longest(column, without_rests=True) or full


def longest(column: Sequence[tuple[int, Measure]], *, without_rests: bool = False) -> Fraction:
    """The length of the longest voice in a measure of all parts; 0 if there is none."""
    return max(
        (
            voice.duration
            for _, measure in column
            for voice in measure.voices
            if voice.events and not (without_rests and voice.events[0].whole_measure)
        ),
        default=Fraction(0),
    )


def _length_ids(length: Fraction, dropped: Counter[str]) -> list[int]:
    units = length / v.LENGTH_UNIT
    if units.denominator != 1 or not 1 <= units <= v.N_LENGTHS:
        dropped["measure length without a token"] += 1
        return []
    return [TOKEN_IDS[f"len:{units}"]]


def first_events(column: Sequence[tuple[int, Measure]]) -> dict[tuple[int, int, int], Event]:
    """The first event of every voice that is no grace note, by (part, staff, number)."""
    found = {}
    for part, measure in column:
        for voice in measure.voices:
            if event := next((event for event in voice.events if not event.grace), None):
                found[part, voice.staff, voice.number] = event
    return found


def encode_segments(
    column: Sequence[tuple[int, Measure]],
    length: Fraction | None,
    following: Mapping[tuple[int, int, int], Event],
    dropped: Counter[str],
) -> tuple[Segment, ...]:
    """The segments of one measure of all parts.

    Args:
        column: (part index, its measure), in score order.
        length: what the measure lasts; None in free metre.
        following: the events that ties must land on, by voice.
        dropped: reasons for voices that have no tokens are counted here.
    """
    segments: list[Segment] = []
    reasons: set[str] = set()
    for part, measure in column[: v.N_PARTS]:
        for voice in measure.voices:
            if not voice.events:
                continue
            next_event = following.get((part, voice.staff, voice.number))
            try:
                segments.append(encode_segment(part, measure, voice, length, next_event))
            except UnencodableError as reason:
                reasons.add(str(reason))
    if reasons:
        dropped[min(reasons)] += 1
    return tuple(segments)


def barline_id(barline: Barline | None) -> int | None:
    """The token of a barline; None while the measure is open."""
    if barline is None:
        return None
    if barline.repeat_end:
        return v.BARLINE_IDS[":|"]
    return v.BARLINE_IDS[{"double": "||", "initial": "||", "final": "|]"}.get(barline.style, "|")]


def barline_of(token_id: int) -> Barline:
    """The barline of a token."""
    name = v.TOKENS[token_id]
    return {
        "|": Barline(),
        "||": Barline("double"),
        "|]": Barline("final"),
        ":|": Barline(repeat_end=True),
    }[name]


def encode_segment(
    part: int, measure: Measure, voice: Voice, length: Fraction | None, following: Event | None = None
) -> Segment:
    """Encode one voice of one measure; a voice that ends early is filled with a hidden rest.

    Args:
        part: index of its part.
        measure: the part's measure: its key and metre.
        voice: the voice of it to encode.
        length: what the voice must last; None in free metre.
        following: the event that ties from the last one must land on, if there is one.

    Raises:
        UnencodableError: something in it has no token.
    """
    if voice.staff > v.N_STAVES or voice.number > v.N_VOICES:
        raise UnencodableError(f"more than {v.N_STAVES} staves or {v.N_VOICES} voices")
    rests = [event.whole_measure for event in voice.events] == [True]
    if rests and time_id(measure.time) != TOKEN_IDS["time:none"]:
        return Segment(part, voice.staff, voice.number, (v.MEASURE_REST,))
    if length is not None and voice.duration > length:
        raise UnencodableError("voice longer than its measure")
    writer = SegmentWriter(measure.key, length)
    writer.write(voice.events, following)
    writer.fill()
    return Segment(part, voice.staff, voice.number, tuple(writer.ids))


class SegmentWriter:
    """Writes the events of one voice from the start of a measure.

    Attributes:
        ids: the tokens so far.
        current: the duration in force.
        group: the tuplet in progress.
        position: how much of the measure is written.
    """

    def __init__(self, key: KeySignature, length: Fraction | None) -> None:
        self.ids: list[int] = []
        self.current: v.Duration = v.DEFAULT_DURATION
        self.group: rhythm.OpenTuplet | None = None
        self.position = Fraction(0)
        self._key = key
        self._tonic, self._signs = _signs(key)
        self._length = length
        self._symbol_written = False

    def write(self, events: Sequence[Event], following: Event | None = None) -> None:
        """Write events that follow each other without gaps; `following` is where the last one's ties land.

        Raises:
            UnencodableError: something has no token.
        """
        landings = [*[event for event in events if not event.grace][1:], following]
        last = max((index for index, event in enumerate(events) if not event.grace), default=-1)
        for index, event in enumerate(events):
            if event.onset != self.position:
                raise UnencodableError("a gap or overlap inside a voice")
            if event.grace:
                if index < last or (following is None and self._length != self.position):
                    self._write_grace(event)
            else:
                self._write_event(event, landings.pop(0))

    def fill(self) -> None:
        """Fill what is left of the measure with hidden rests.

        Raises:
            UnencodableError: a tuplet is not complete.
        """
        if self._length is not None and self.position < self._length:
            self._write_event(Event(self.position, self._length - self.position, hidden=True), None)
        if self.group is not None:
            raise UnencodableError("a tuplet that is not complete")

    def _write_grace(self, event: Event) -> None:
        if event.notes:
            self._write_symbol(event)
            self.ids.append(v.GRACE)
            self._write_notes(event, lambda note: False)

    def _write_event(self, event: Event, following: Event | None) -> None:
        self._write_symbol(event)
        pieces = _pieces(event.duration.numerator, event.duration.denominator, event.tuplet)
        for index, duration in enumerate(pieces):
            self._set_duration(duration)
            if event.is_rest:
                self.ids.append(v.HIDDEN_REST if event.hidden else v.REST)
            elif index < len(pieces) - 1:
                self._write_notes(event, lambda note: True)
            else:
                self._write_notes(event, lambda note: note.tie and _lands(note, following))
            self.position += duration[0]
        self._symbol_written = False

    def _set_duration(self, duration: v.Duration) -> None:
        """Say a duration if it is not in force; a plain one has room, since the whole voice has."""
        if self.group is not None or duration[1] is not None:
            remaining = duration[0] + 4 if self._length is None else self._length - self.position
            if not rhythm.can_follow(self.group, duration, remaining):
                raise UnencodableError("a tuplet that is not complete")
            self.group = rhythm.after(self.group, duration)
        if duration is not self.current and duration != self.current:
            self.ids.append(v.DURATION_IDS[duration])
            self.current = duration

    def _write_symbol(self, event: Event) -> None:
        if event.chord_symbol is not None and not self._symbol_written:
            self.ids.extend(_chord_symbol_ids(event.chord_symbol, self._key))
            self._symbol_written = True

    def _write_notes(self, event: Event, tied: Callable[[Note], bool]) -> None:
        last: tuple[int, int] | None = None
        notes = event.notes
        if len(notes) > 1:
            notes = tuple(sorted(notes, key=lambda note: (note.pitch.position, note.pitch.alter)))
        for note in notes:
            pitch = note.pitch
            step, alter = pitch.position - self._tonic, pitch.alter - self._signs[pitch.step]
            if last == (step, alter):
                continue
            token_id = v.NOTE_IDS.get((step, alter)) if last is None else v.UP_IDS.get((step - last[0], alter))
            if token_id is None:
                raise UnencodableError("pitch without a token")
            self.ids.append(token_id)
            last = (step, alter)
            if tied(note):
                self.ids.append(v.TIE)


@lru_cache(maxsize=256)
def _signs(key: KeySignature) -> tuple[int, dict[str, int]]:
    """The position that pitches are counted from, and the alter of each step."""
    return tonic_position(key.fifths), {step: key.alter_of(step) for step in STEPS}


def _lands(note: Note, following: Event | None) -> bool:
    """Whether a tied note finds its pitch in the next event; taken for granted where nothing follows yet."""
    return following is None or any(other.pitch == note.pitch for other in following.notes)


@lru_cache(maxsize=4096)
def _pieces(numerator: int, denominator: int, ratio: tuple[int, int] | None) -> tuple[v.Duration, ...]:
    """The durations that an event of a duration and a tuplet is written with: one, or several tied."""
    left, tuplet = Fraction(numerator, denominator), _reduced(ratio)
    if (left, tuplet) in v.DURATION_IDS:
        return ((left, tuplet),)
    if left <= 0:
        raise UnencodableError("an event without duration")
    scale = Fraction(tuplet[1], tuplet[0]) if tuplet else Fraction(1)
    pieces: list[v.Duration] = []
    for exponent in range(-2, 8):
        piece = Fraction(1, 2**exponent) * scale if exponent >= 0 else Fraction(2**-exponent) * scale
        while left >= piece and (piece, tuplet) in v.DURATION_IDS and len(pieces) < 8:
            pieces.append((piece, tuplet))
            left -= piece
    if left:
        raise UnencodableError("duration without a token" if tuplet is None else f"tuplet {tuplet[0]}:{tuplet[1]}")
    return tuple(pieces)


def _reduced(tuplet: tuple[int, int] | None) -> tuple[int, int] | None:
    """A ratio in lowest terms; None where it only halves or doubles, as in a two-note tremolo."""
    if tuplet is None:
        return None
    ratio = Fraction(*tuplet)
    plain = ratio.numerator & (ratio.numerator - 1) == 0 and ratio.denominator & (ratio.denominator - 1) == 0
    return None if plain else (ratio.numerator, ratio.denominator)


def _chord_symbol_ids(symbol: ChordSymbol, key: KeySignature) -> list[int]:
    if symbol.root is None:
        return [TOKEN_IDS["h:none"], TOKEN_IDS["k:none"]]
    ids = [
        _degree_id("h", symbol.root, key),
        TOKEN_IDS[f"k:{symbol.kind if symbol.kind in v.CHORD_KINDS else 'other'}"],
    ]
    if symbol.bass is not None:
        ids.append(_degree_id("b", symbol.bass, key))
    return ids


def _degree_id(letter: str, step_and_alter: tuple[str, int], key: KeySignature) -> int:
    step, alter = step_and_alter
    relative, against = relative_pitch(Pitch(step, 4, alter), key)
    token_id = TOKEN_IDS.get(f"{letter}:{relative % 7}:{against}")
    if token_id is None:
        raise UnencodableError("chord symbol without a token")
    return token_id


def header_ids(preamble: Sequence[int], first: EncodedMeasure) -> list[int]:
    """The header of a sequence that begins with measure `first`."""
    return [*preamble, *first.metre_and_key]


def segment_prefix(segment: Segment, previous: Segment | None, n_parts: int) -> list[int]:
    """The `part:` and `voice:` tokens that stand before a segment, after `previous` in the same measure."""
    ids = []
    new_part = previous is None or previous.part != segment.part
    if new_part and n_parts > 1:
        ids.append(TOKEN_IDS[f"part:{segment.part}"])
    if not new_part or (segment.staff, segment.number) != (1, 1):
        ids.append(TOKEN_IDS[f"voice:{segment.staff}.{segment.number}"])
    return ids


def order_segments(segments: Sequence[Segment], last_part: int | None) -> list[Segment]:
    """Segments in the order they are laid out: score order, with one part put last if asked for."""
    if last_part is None:
        return list(segments)
    return sorted(segments, key=lambda segment: segment.part == last_part)


def measure_ids(measure: EncodedMeasure, n_parts: int, last_part: int | None = None) -> list[int]:
    """Lay out one measure: head, segments, barline."""
    ids = list(measure.head)
    previous = None
    for segment in order_segments(measure.segments, last_part):
        ids += segment_prefix(segment, previous, n_parts)
        ids += segment.ids
        previous = segment
    if measure.barline is not None:
        ids.append(measure.barline)
    return ids


def after_ids(measures: Sequence[EncodedMeasure], part: int) -> list[int]:
    """What follows a gap, laid out before it: one part's segments and barlines, between `<after>` and `<before>`."""
    ids = [v.AFTER]
    for measure in measures:
        previous = None
        for segment in measure.segments:
            if segment.part == part:
                ids += segment_prefix(segment, previous, 1)
                ids += segment.ids
                previous = segment
        if measure.barline is not None:
            ids.append(measure.barline)
    return [*ids, v.BEFORE]


MIN_REFERENCE: int = 3
"""Shorter segments are not worth a reference."""


def reference_distances(measures: Sequence[EncodedMeasure], index: int, segment: Segment) -> list[int]:
    """How many measures back the same voice plays exactly the same, up to `N_REFERENCES`."""
    if len(segment.ids) < MIN_REFERENCE:
        return []
    return [
        back
        for back in range(1, min(index, v.N_REFERENCES) + 1)
        if any(other.voice == segment.voice and other.ids == segment.ids for other in measures[index - back].segments)
    ]
