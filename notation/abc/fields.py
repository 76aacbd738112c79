"""What do the values of `K:`, `M:`, `L:` and `V:`, and note lengths, say, and how are they written?

Readers return None for what they do not understand; nothing raises. Unit lengths are Fractions of a whole note.

Source: ABC 2.1, sections 3.1.6 (M:), 3.1.7 (L:), 3.1.14 (K:), 4.6 (clefs) and 7 (voices).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from notation.score import FREE_METRE, KeySignature, TimeSignature

_SHARP_ORDER = "FCGDAEB"
_MODE_OFFSETS = {
    "lydian": 1,
    "major": 0,
    "mixolydian": -1,
    "dorian": -2,
    "minor": -3,
    "phrygian": -4,
    "locrian": -5,
}
_MODE_STEMS = {
    "": "major",
    "maj": "major",
    "ion": "major",
    "m": "minor",
    "min": "minor",
    "aeo": "minor",
    "mix": "mixolydian",
    "dor": "dorian",
    "phr": "phrygian",
    "lyd": "lydian",
    "loc": "locrian",
}
_MODE_SUFFIXES = {
    "major": "",
    "minor": "m",
    "mixolydian": "mix",
    "dorian": "dor",
    "phrygian": "phr",
    "lydian": "lyd",
    "locrian": "loc",
}
_SIGN_FIFTHS = {"": 0, "#": 7, "♯": 7, "b": -7, "♭": -7}
_TONIC = re.compile(r"([A-G])([#b♯♭]?)(.*)", re.DOTALL)
_MODE_WORD = re.compile(r"\s*([A-Za-z]+)(?=\s|$|[_^=])")
_EXPLICIT = re.compile(r"(\^\^?|__?|=)([A-Ga-g])")
_PARAMETER = re.compile(r"([A-Za-z-]+)\s*=\s*(\"[^\"]*\"?|\S+)")
_CLEF = re.compile(r"(treble|alto|tenor|bass|perc|none|G[1-5]?|C[1-5]|F[1-5]?)([1-5])?([+-]8|[+-]15|_8|\^8)?$")
_CLEF_SIGNS = {"G": "treble", "G2": "treble", "C3": "alto", "C4": "tenor", "F": "bass", "F4": "bass"}
ALTERS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
ACCIDENTALS = {alter: sign for sign, alter in ALTERS.items()}


@dataclass(frozen=True, slots=True)
class Properties:
    """The parameters of a `K:` or `V:` field; None where the field says nothing.

    Attributes:
        clef: `treble`, `alto`, `tenor`, `bass`, `perc`, `none`, with octave signs as `treble-8`.
        octave: octaves to add to every written pitch.
        transpose: semitones from the written to the sounding pitch.
        name: the printed name of the voice.
        unknown: words that say nothing to us.
    """

    clef: str | None = None
    octave: int | None = None
    transpose: int | None = None
    name: str | None = None
    unknown: tuple[str, ...] = ()


def read_clef(word: str) -> str | None:
    """The clef that a word names, or None: `bass`, `treble-8`, `C3`, `G`."""
    match = _CLEF.match(word)
    if match is None:
        return None
    name = _CLEF_SIGNS.get(match[1], match[1])
    return name + (match[2] or "") + (match[3] or "").replace("_", "-").replace("^", "+")


def read_properties(text: str) -> Properties:
    """The parameters in the text that follows a key or a voice name."""
    clef = octave = transpose = name = None
    for match in _PARAMETER.finditer(text):
        parameter, value = match[1].lower(), match[2].strip('"')
        if parameter == "clef":
            clef = read_clef(value) or clef
        elif parameter in ("name", "nm"):
            name = value
        elif parameter == "octave":
            octave = _small_int(value)
        elif parameter in ("transpose", "t"):
            transpose = _small_int(value)
    rest = _PARAMETER.sub(" ", text)
    unknown = []
    for word in rest.split():
        bare = read_clef(word)
        if bare is None:
            unknown.append(word)
        else:
            clef = bare
    return Properties(clef, octave, transpose, name, tuple(unknown))


def _small_int(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[+-]?\d{1,2}", value) else None


@dataclass(frozen=True, slots=True)
class KeyField:
    """A `K:` field: its key (None if it names none, as in `K:bass`) and parameters."""

    key: KeySignature | None
    properties: Properties
    is_known: bool = True


@lru_cache(maxsize=1024)
def read_key(text: str) -> KeyField:
    """Read the value of a `K:` field, comment removed."""
    text = text.strip()
    word = text.split(maxsplit=1)[0] if text else ""
    if word.lower() == "none" or not text:
        return KeyField(KeySignature(), read_properties(text[4:]))
    if word in ("HP", "Hp"):
        return KeyField(KeySignature(2 if word == "Hp" else 0), read_properties(text[2:]))
    match = _TONIC.match(text)
    if match is None or (read_clef(word) is not None and word not in ("C", "F", "G")):
        return _read_keyless(text)
    mode, rest, is_known = _read_mode(match[3])
    explicit, rest = _read_explicit(rest)
    properties = read_properties(rest)
    if mode is None:
        return KeyField(_explicit_key(explicit), properties)
    fifths = _SHARP_ORDER.index(match[1]) - 1 + _MODE_OFFSETS[mode] + _SIGN_FIFTHS[match[2]]
    is_known = is_known and -7 <= fifths <= 7 and not properties.unknown
    base = KeySignature(max(-7, min(7, fifths)), mode)
    differing = tuple(sorted((step, alter) for step, alter in explicit.items() if base.alter_of(step) != alter))
    return KeyField(KeySignature(base.fifths, mode, differing), properties, is_known)


def _read_keyless(text: str) -> KeyField:
    explicit, rest = _read_explicit(text.removeprefix("exp"))
    properties = read_properties(rest)
    key = _explicit_key(explicit) if explicit else None
    return KeyField(key, properties, not properties.unknown)


def _read_mode(text: str) -> tuple[str | None, str, bool]:
    """The mode (None for `exp`), what follows it, and whether it was understood."""
    match = _MODE_WORD.match(text)
    if match is None:
        return "major", text, True
    word = match[1].lower()
    if word == "exp":
        return None, text[match.end() :], True
    mode = _MODE_STEMS.get(word if len(word) < 3 else word[:3])
    if mode is None:
        return "major", text, True
    return mode, text[match.end() :], True


def _read_explicit(text: str) -> tuple[dict[str, int], str]:
    explicit: dict[str, int] = {}
    for match in _EXPLICIT.finditer(text.split('="')[0]):
        explicit[match[2].upper()] = ALTERS[match[1]]
    return explicit, _EXPLICIT.sub(" ", text) if explicit and "clef=" not in text else text


def _explicit_key(explicit: dict[str, int]) -> KeySignature:
    """The key of exactly these accidentals: a plain signature if there is one, else accidentals on none."""
    signed = {step: alter for step, alter in explicit.items() if alter}
    for fifths in range(-7, 8):
        plain = KeySignature(fifths)
        if signed == {step: plain.alter_of(step) for step in _SHARP_ORDER if plain.alter_of(step)}:
            return plain
    return KeySignature(0, "", tuple(sorted(signed.items())))


def write_key(key: KeySignature) -> str:
    """The value of a `K:` field; reading it gives the same key."""
    explicit = " ".join(ACCIDENTALS[alter] + step.lower() for step, alter in key.accidentals)
    if key.mode in _MODE_OFFSETS:
        place = key.fifths - _MODE_OFFSETS[key.mode] + 1
        sign = "#" * (place // 7) if place >= 0 else "b" * -(place // 7)
        name = _SHARP_ORDER[place % 7] + sign + _MODE_SUFFIXES[key.mode]
        return f"{name} {explicit}".strip()
    if not key.fifths and not explicit:
        return "none"
    given = {step: KeySignature(key.fifths).alter_of(step) for step in _SHARP_ORDER} | dict(key.accidentals)
    signs = " ".join(ACCIDENTALS[alter] + step.lower() for step, alter in given.items() if alter)
    return f"C exp {signs}".strip()


@lru_cache(maxsize=1024)
def read_metre(text: str) -> TimeSignature | None:
    """The metre of an `M:` value, or None if it is none that we know."""
    text = text.strip()
    if text in ("C", "c"):
        return TimeSignature((4,), 4, "common")
    if text in ("C|", "c|"):
        return TimeSignature((2,), 2, "cut")
    if text.lower() in ("none", ""):
        return FREE_METRE
    match = re.fullmatch(r"\(?\s*(\d{1,3}(?:\s*\+\s*\d{1,3}){0,15})\s*\)?\s*/\s*(\d{1,3})", text)
    if match is None:
        return None
    beats = tuple(int(beat) for beat in match[1].split("+"))
    unit = int(match[2])
    if not unit or unit & (unit - 1) or not all(beats):
        return None
    return TimeSignature(beats, unit)


def write_metre(time: TimeSignature) -> str:
    """The value of an `M:` field; reading it gives the same metre."""
    if not time.beats:
        return "none"
    if time.symbol:
        return {"common": "C", "cut": "C|"}[time.symbol]
    beats = "+".join(map(str, time.beats))
    return f"({beats})/{time.unit}" if len(time.beats) > 1 else f"{beats}/{time.unit}"


@lru_cache(maxsize=1024)
def read_unit_length(text: str) -> Fraction | None:
    """The unit note length of an `L:` value, or None."""
    match = re.fullmatch(r"(\d{1,3})(?:\s*/\s*(\d{1,3}))?", text.strip())
    if match is None or not int(match[1]) or (match[2] is not None and not int(match[2])):
        return None
    return Fraction(int(match[1]), int(match[2] or 1))


@lru_cache(maxsize=1024)
def default_unit_length(time: TimeSignature) -> Fraction:
    """The unit note length where no `L:` is given: a sixteenth in metres below 3/4, else an eighth."""
    short = time.duration is not None and time.duration < Fraction(3, 4)
    return Fraction(1, 16) if short else Fraction(1, 8)


@lru_cache(maxsize=4096)
def read_length(text: str) -> Fraction:
    """The factor that a written length puts on the unit: `3/2`, `/`, `//`, `/4`; 0 where it makes no sense."""
    slashes = text.count("/")
    before, _, after = text.partition("/")
    after = after.lstrip("/")
    numerator = int(before) if before else 1
    if not slashes:
        return Fraction(numerator)
    denominator = int(after) << (slashes - 1) if after else 1 << slashes
    return Fraction(numerator, denominator) if denominator else Fraction(0)
