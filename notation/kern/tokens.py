"""What does one **kern token say, standing by itself?

Data tokens become `NoteToken`s, interpretations become keys, metres, clefs and transpositions, barline tokens become
`BarlineToken`s. Durations are Fractions of a whole note. Every function is pure and gives None for what it cannot read.

Source: https://www.humdrum.org/rep/kern/ (reciprocal durations, pitches, signifiers) and Humdrum guide, chapter 2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from notation.score import NO_MARKS, KeySignature, Marks, Note, Pitch, TimeSignature

_DURATION = re.compile(r"(?<![\d%])(\d{1,4})(?:%(\d{1,4}))?(?![\d%])")
_PITCH = re.compile(r"(A{1,9}|B{1,9}|C{1,9}|D{1,9}|E{1,9}|F{1,9}|G{1,9}|a+|b+|c+|d+|e+|f+|g+)(#{1,3}|-{1,3}|n)?")
_TIME = re.compile(r"\*M(\d{1,2}(?:\+\d{1,2}){0,8})[/\\](\d{1,3})$")
_KEY_SIGNATURE = re.compile(r"\*k\[((?:[a-g](?:#{1,2}|-{1,2}|n))*)\]")
_KEY_NAME = re.compile(r"\*([A-Ga-g])([#-]?):(\w*)")
_TRANSPOSITION = re.compile(r"\*ITrd(-?\d{1,2})c(-?\d{1,2})$")

_MARK_OF = {
    ";": "fermata",
    "T": "trill",
    "t": "trill",
    "'": "staccato",
    "^": "accent",
    "~": "tenuto",
    ":": "arpeggio",
    "M": "uppermordent",
    "m": "uppermordent",
    "W": "lowermordent",
    "w": "lowermordent",
    "S": "turn",
    "$": "invertedturn",
}
_MAX_DOTS = 6
_NO_PLACING = str.maketrans("", "", "<>")
"""Above and below, as many files define them; some write them inside a pitch, as in `8A<-` for A flat."""

_SHARP_ORDER = "FCGDAEB"
_TONIC_FIFTHS = {step: index - 1 for index, step in enumerate(_SHARP_ORDER)}
_MODES = {
    "dor": ("dorian", -2),
    "phr": ("phrygian", -4),
    "lyd": ("lydian", 1),
    "mix": ("mixolydian", -1),
    "aeo": ("minor", -3),
    "ion": ("major", 0),
    "loc": ("locrian", -5),
}
_CLEFS = {
    "*clefG2": "treble",
    "*clefGv2": "treble-8",
    "*clefG^2": "treble+8",
    "*clefG1": "treble1",
    "*clefF4": "bass",
    "*clefF3": "baritone",
    "*clefFv4": "bass-8",
    "*clefF5": "bass",
    "*clefC1": "soprano",
    "*clefC2": "mezzosoprano",
    "*clefC3": "alto",
    "*clefC4": "tenor",
    "*clefC5": "baritone",
    "*clefX": "perc",
}


@dataclass(frozen=True, slots=True)
class NoteToken:
    """A note, chord, rest or grace note, at sounding pitch.

    Attributes:
        duration: sounding; 0 for a grace note.
        tuplet: (actual, normal), or None.
        notes: from the lowest up; empty for a rest.
        grace: whether it is a grace note or chord.
        hidden: a rest that is not printed.
        marks: fermatas, trills, slurs and the like.
    """

    duration: Fraction
    tuplet: tuple[int, int] | None
    notes: tuple[Note, ...]
    grace: bool = False
    hidden: bool = False
    marks: Marks = NO_MARKS


@dataclass(frozen=True, slots=True)
class BarlineToken:
    """A barline: the sign at the end of what precedes it and at the start of what follows.

    Attributes:
        style: as in `notation.score.Barline`.
        repeat_end / repeat_start: repeat dots on its left / right side.
        number: of the measure that it opens, empty if none is written.
    """

    style: str
    repeat_end: bool
    repeat_start: bool
    number: str


@dataclass(frozen=True, slots=True)
class Transposition:
    """The interval from the sounding to the written pitch.

    Attributes:
        diatonic: in steps.
        chromatic: in semitones.
    """

    diatonic: int = 0
    chromatic: int = 0

    @property
    def fifths(self) -> int:
        """How many sharps it adds to a key signature."""
        return 7 * self.chromatic - 12 * self.diatonic

    def pitch(self, pitch: Pitch) -> Pitch:
        """The written pitch of a sounding one."""
        natural = Pitch.at(pitch.position + self.diatonic, 0)
        return Pitch(natural.step, natural.octave, pitch.midi + self.chromatic - natural.midi)

    def key(self, key: KeySignature) -> KeySignature:
        """The written key of a sounding one; a signature of more than 7 signs is cut to 7."""
        return KeySignature(max(-7, min(7, key.fifths + self.fifths)), key.mode)


NO_TRANSPOSITION = Transposition()


@lru_cache(maxsize=100_000)
def note_token(token: str) -> NoteToken | None:
    """Read a data token other than the null token `.`; chords are notes with spaces between them.

    A duration without a pitch is a hidden rest.
    """
    words = token.split()
    written = next((match for match in map(_DURATION.search, words) if match), None)
    grace = "q" in token
    if written is None and not grace:
        return None
    duration = Fraction(0) if grace or written is None else _duration(written)
    if duration is None:
        return None
    notes = {} if "r" in words[0] else {note.pitch: note for note in map(_note, words) if note}
    if grace and not notes:
        return None
    return NoteToken(
        duration=duration,
        tuplet=tuplet_of(duration),
        notes=tuple(sorted(notes.values(), key=lambda note: (note.pitch.position, note.pitch.alter))),
        grace=grace,
        hidden=not notes and ("yy" in token or "r" not in token),
        marks=_marks(words[0]),
    )


def _duration(match: re.Match[str]) -> Fraction | None:
    """The duration of the word that `match` is from; its dots count wherever they stand, for some follow the pitch."""
    digits, divisor = match.groups()
    n_dots = min(_MAX_DOTS, match.string.count("."))
    if divisor is None and int(digits) == 0:
        plain = Fraction(2 ** len(digits))
    elif int(digits) == 0 or int(divisor or 1) == 0:
        return None
    else:
        plain = Fraction(int(divisor or 1), int(digits))
    return plain * (2 - Fraction(1, 2**n_dots))


def tuplet_of(duration: Fraction) -> tuple[int, int] | None:
    """The tuplet that a duration must be in: its denominator's odd part, in the time of the next lower power of 2."""
    odd = duration.denominator
    odd //= odd & -odd
    return None if odd == 1 else (odd, 1 << (odd.bit_length() - 1))


def _note(word: str) -> Note | None:
    match = _PITCH.search(word.translate(_NO_PLACING))
    if match is None:
        return None
    letters, sign = match.groups(default="")
    octave = 3 + len(letters) if letters.islower() else 4 - len(letters)
    alter = sign.count("#") - sign.count("-")
    printed = sign == "n" or "X" in word
    return Note(Pitch(letters[0].upper(), octave, alter), "[" in word or "_" in word, printed)


def _marks(word: str) -> Marks:
    decorations = tuple(dict.fromkeys(name for sign, name in _MARK_OF.items() if sign in word))
    starts, ends = word.count("("), word.count(")")
    return Marks(decorations, (), starts, ends) if decorations or starts or ends else NO_MARKS


def barline_token(token: str) -> BarlineToken:
    """Read a token that begins with `=`."""
    sign = "".join(char for char in token if char in ":|!")
    repeat_end = sign.startswith(":") and sign != ":"
    repeat_start = sign.endswith(":") and len(sign) > 1
    number = re.match(r"=+(\d{1,5}[a-z]?)", token)
    return BarlineToken(_style(token, sign), repeat_end, repeat_start, number[1] if number else "")


def _style(token: str, sign: str) -> str:
    if ":" in sign:
        return "regular"
    if token.startswith("=="):
        return "final"
    if "-" in token:
        return "none"
    return {"||": "double", "|!": "final", "!|": "initial"}.get(sign, "regular")


def time_signature(token: str) -> TimeSignature | None:
    """Read `*M3/4`; None for what is no metre or has a denominator that is no power of 2."""
    match = _TIME.match(token)
    if match is None:
        return None
    beats, unit = tuple(map(int, match[1].split("+"))), int(match[2])
    if not all(beats) or unit == 0 or unit & (unit - 1):
        return None
    return TimeSignature(beats, unit)


def mensuration_symbol(token: str, time: TimeSignature) -> str:
    """The symbol that `*met(c)` or `*met(c|)` gives a metre; empty if it does not fit."""
    if token == "*met(c)" and (time.beats, time.unit) == ((4,), 4):
        return "common"
    if token == "*met(c|)" and (time.beats, time.unit) == ((2,), 2):
        return "cut"
    return ""


def key_signature(token: str) -> KeySignature | None:
    """Read `*k[f#c#]`; a signature that is none of the usual ones has explicit accidentals."""
    match = _KEY_SIGNATURE.match(token)
    if match is None:
        return None
    alters: dict[str, int] = {}
    for step, sign in re.findall(r"([a-g])(#+|-+|n)", match[1]):
        alters[step.upper()] = sign.count("#") - sign.count("-")
    usual = KeySignature(sum(alters.values()) if len(alters) <= 7 and set(alters.values()) in ({1}, {-1}) else 0)
    accidentals = tuple(
        (step, alters.get(step, 0)) for step in "ABCDEFG" if usual.alter_of(step) != alters.get(step, 0)
    )
    return KeySignature(0, "", tuple(sorted(alters.items()))) if accidentals else usual


def key_mode(token: str, key: KeySignature) -> str | None:
    """The mode that `*G:`, `*a:` or `*d:dor` gives a key; empty if its tonic does not fit the signature.

    Returns:
        None if the token names no key.
    """
    match = _KEY_NAME.match(token)
    if match is None:
        return None
    letter, sign, suffix = match.groups()
    mode, offset = _MODES.get(suffix, ("minor", -3) if letter.islower() else ("major", 0))
    tonic = _TONIC_FIFTHS[letter.upper()] + 7 * (sign.count("#") - sign.count("-"))
    return mode if tonic + offset == key.fifths and not key.accidentals else ""


def clef(token: str) -> str | None:
    """Read `*clefG2`; empty for a clef without a name, None for what is no clef."""
    return _CLEFS.get(token, "") if token.startswith("*clef") else None


def transposition(token: str) -> Transposition | None:
    """Read `*ITrd1c2`; None for what is none, and for intervals that are none of a real instrument.

    Whole octaves go by their semitones: files are found that count eight steps to one.
    """
    match = _TRANSPOSITION.match(token)
    if match is None:
        return None
    diatonic, chromatic = int(match[1]), int(match[2])
    interval = Transposition(chromatic // 12 * 7 if chromatic % 12 == 0 else diatonic, chromatic)
    return interval if abs(interval.fifths) <= 7 else None
