"""A score as data: Score > Part > Measure > Voice > Event.

One model for every notation language. Values are immutable. Durations and onsets are Fractions of a whole note,
never floats: three triplet eighths must sum to exactly one quarter. Pitches are spelled. Grace notes last 0.
Spans say where something was read and never take part in a comparison, so that two scores are equal when they
say the same music. What a score looks like on the page (line breaks, beams, stem directions) is not in it.

Names follow ABC 2.1 and MusicXML 4.0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from notation.source import NOWHERE, Span

STEPS = "CDEFGAB"
ACCIACCATURA = "acciaccatura"
"""The decoration of a short grace note: the first of ABC `{/g}`, MusicXML `<grace slash="yes"/>`."""
_SEMITONES = (0, 2, 4, 5, 7, 9, 11)
_SHARP_ORDER = "FCGDAEB"


@dataclass(frozen=True, slots=True)
class Pitch:
    """A spelled pitch, as it sounds in the part's own (possibly transposing) notation.

    Attributes:
        step: one of `CDEFGAB`.
        octave: scientific; middle C is C4.
        alter: semitones from the natural: -1 flat, 1 sharp, 2 double sharp.
    """

    step: str
    octave: int
    alter: int = 0

    @property
    def position(self) -> int:
        """The diatonic staff position: 7 an octave, middle C is 28."""
        return 7 * self.octave + STEPS.index(self.step)

    @property
    def midi(self) -> int:
        """The MIDI key number: middle C is 60."""
        return 12 * (self.octave + 1) + _SEMITONES[STEPS.index(self.step)] + self.alter

    @classmethod
    def at(cls, position: int, alter: int) -> Pitch:
        """The pitch at a diatonic position (see `position`)."""
        octave, index = divmod(position, 7)
        return cls(STEPS[index], octave, alter)


@dataclass(frozen=True, slots=True)
class KeySignature:
    """A key: what the signature says, and what it is called.

    Attributes:
        fifths: sharps (positive) or flats (negative) of the signature, -7..7.
        mode: `major`, `minor`, `dorian`, `phrygian`, `lydian`, `mixolydian`, `locrian`, or empty if unknown
            (MusicXML without a mode, ABC `none`, `Hp`, `exp`).
        accidentals: explicit (step, alter) pairs that differ from what `fifths` gives, sorted by step; ABC only.
    """

    fifths: int = 0
    mode: str = ""
    accidentals: tuple[tuple[str, int], ...] = ()

    def alter_of(self, step: str) -> int:
        """The alter that the signature gives a step."""
        for name, alter in self.accidentals:
            if name == step:
                return alter
        place = _SHARP_ORDER.index(step)
        if self.fifths > 0:
            return 1 if place < self.fifths else 0
        return -1 if 6 - place < -self.fifths else 0


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """A metre. `beats` is empty in free metre (ABC `M:none`, MusicXML `senza-misura`).

    Attributes:
        beats: the summands of the numerator: `(2, 3)` for (2+3)/8.
        unit: the denominator.
        symbol: `common` for C, `cut` for C|, else empty.
    """

    beats: tuple[int, ...] = (4,)
    unit: int = 4
    symbol: str = ""

    @property
    def duration(self) -> Fraction | None:
        """What a full measure lasts, in whole notes; None in free metre."""
        return _metre_duration(self.beats, self.unit)


@lru_cache(maxsize=256)
def _metre_duration(beats: tuple[int, ...], unit: int) -> Fraction | None:
    return Fraction(sum(beats), unit) if beats else None


FREE_METRE = TimeSignature((), 4)


@dataclass(frozen=True, slots=True)
class Note:
    """One notehead of an event.

    Attributes:
        pitch: what sounds.
        tie: whether it is tied to the next note of the same pitch in its voice.
        accidental: whether an accidental is printed (needed or as a courtesy).
    """

    pitch: Pitch
    tie: bool = False
    accidental: bool = field(default=False, compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A harmony above the staff, such as `F#m7/C#`.

    Attributes:
        root: (step, alter); None for "no chord".
        kind: a MusicXML kind value such as `major`, `minor-seventh`, `dominant`, `diminished`; `other` if unknown.
        bass: (step, alter) or None.
        text: as it was written; not compared.
    """

    root: tuple[str, int] | None
    kind: str = "major"
    bass: tuple[str, int] | None = None
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands on an event and is no note: kept for printing, unknown to the model.

    Attributes:
        decorations: names as ABC 2.1 section 4.14 spells them (`trill`, `fermata`, `staccato`, `upbow`, ...).
        annotations: free text with its ABC placement character, such as `^slowly`.
        slur_starts / slur_ends: how many slurs begin / end here.
        lyrics: one text per verse, `-` at the end when the word goes on, `_` for a held syllable, empty for none.
    """

    decorations: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    slur_starts: int = 0
    slur_ends: int = 0
    lyrics: tuple[str, ...] = ()


NO_MARKS = Marks()


@dataclass(frozen=True, slots=True)
class Event:
    """A note, a chord (several notes), a rest (no notes) or a grace note or chord (duration 0).

    Attributes:
        onset: from the start of its measure.
        duration: what it sounds, tuplet applied.
        notes: sorted from the lowest position up; empty for a rest.
        tuplet: (actual, normal), such as (3, 2); None outside tuplets. `duration * actual / normal` is the written
            duration.
        grace: a grace note; its duration is 0.
        hidden: an invisible rest (ABC `x`, MusicXML `forward` or print-object="no").
        whole_measure: a rest that lasts its measure however long that is (ABC `Z`, MusicXML `measure="yes"`).
        chord_symbol: the harmony that begins here.
    """

    onset: Fraction
    duration: Fraction
    notes: tuple[Note, ...] = ()
    tuplet: tuple[int, int] | None = None
    grace: bool = False
    hidden: bool = False
    whole_measure: bool = False
    chord_symbol: ChordSymbol | None = None
    marks: Marks = NO_MARKS
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def end(self) -> Fraction:
        """The onset of what follows."""
        return self.onset + self.duration

    @property
    def is_rest(self) -> bool:
        """Whether nothing sounds."""
        return not self.notes


@dataclass(frozen=True, slots=True)
class Voice:
    """The events of one voice in one measure, in order of onset, without gaps (a gap is a hidden rest).

    Attributes:
        staff: counted from 1 within the part.
        number: counted from 1 within the staff: the 2nd ABC overlay, or the 2nd MusicXML voice that appears on it.
    """

    events: tuple[Event, ...]
    staff: int = 1
    number: int = 1

    @property
    def duration(self) -> Fraction:
        """How much of the measure is filled."""
        return self.events[-1].end if self.events else Fraction(0)


@dataclass(frozen=True, slots=True)
class Barline:
    """The sign at the end of a measure.

    Attributes:
        style: `regular`, `double` (`||`), `final` (`|]`), `initial` (`[|`), `dotted`, `none`.
        repeat_end: whether the measures before it are played again.
    """

    style: str = "regular"
    repeat_end: bool = False

    @property
    def ends_section(self) -> bool:
        """Whether a section ends here: a repeat, double or final barline."""
        return self.repeat_end or self.style in ("double", "final", "initial")


REGULAR = Barline()


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of one part.

    Attributes:
        voices: those that are present, ordered by (staff, number).
        time: in force.
        key: in force at its start, for this part as written.
        barline: at its end; None while it is not closed (the last measure of a half-typed score).
        repeat_start: whether a repeat begins at its left barline.
        ending: the numbers of the variant ending that begins here, such as (1,); empty if none begins.
        transpose: semitones from the written to the sounding pitch, in force.
        clefs: one a staff in force, such as `treble`, `bass`; empty where unknown.
        number: the printed number (MusicXML); empty in ABC.
        implicit: a pickup or split measure by the document's own word (MusicXML `implicit="yes"`).
        fields: what else the document says where the measure begins, (name, text) in order: ABC letters and directives
            (`P`, `Q`, `%%text`). Kept for printing.
    """

    voices: tuple[Voice, ...] = ()
    time: TimeSignature = TimeSignature()
    key: KeySignature = KeySignature()
    barline: Barline | None = REGULAR
    repeat_start: bool = False
    ending: tuple[int, ...] = ()
    transpose: int = 0
    clefs: tuple[str, ...] = ()
    number: str = field(default="", compare=False)
    implicit: bool = field(default=False, compare=False)
    span: Span = field(default=NOWHERE, compare=False)
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def duration(self) -> Fraction:
        """How long its longest voice is."""
        return max((voice.duration for voice in self.voices), default=Fraction(0))

    @property
    def is_full(self) -> bool:
        """Whether it lasts what its metre says; always true in free metre."""
        return self.time.duration is None or self.duration == self.time.duration


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument or singer: an ABC voice, a MusicXML part.

    Attributes:
        id: ABC `V:` name or MusicXML part id.
        name: as printed, empty if none.
        instrument: a lower-case word the model knows (see `notation.tokens.vocabulary.INSTRUMENTS`), empty if unknown.
        staves: how many staves it is written on.
        last_fields: as `Measure.fields`, after the last measure.
    """

    id: str
    measures: tuple[Measure, ...] = ()
    name: str = ""
    instrument: str = ""
    staves: int = 1
    last_fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """One piece: a tune of an ABC file, or a MusicXML document.

    Attributes:
        parts: in score order; measure i of every part is the same measure of the piece.
        title, composer: empty if unknown.
        rhythm: the kind of dance or piece (`R:` in ABC), lower case, empty if unknown.
        fields: everything else the header says, (name, text) in order: ABC letters (`O`, `N`, `%%score`), MusicXML
            element paths. Kept for printing.
    """

    parts: tuple[Part, ...] = ()
    title: str = ""
    composer: str = ""
    rhythm: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def n_measures(self) -> int:
        """The number of measures of the longest part."""
        return max((len(part.measures) for part in self.parts), default=0)
