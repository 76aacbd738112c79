"""What does one sign of music say by itself: a note, a barline, the numbers of an ending?

Source: ABC 2.1, sections 4.1 to 4.3 (notes), 4.8 (barlines) and 4.10 (variant endings).
"""

from __future__ import annotations

import re
from functools import lru_cache

from notation.score import Barline, Pitch

_NOTE = re.compile(r"([\^_=\d/]*)([A-Ga-g])([,']*)(.*)")
_BARLINE = re.compile(r"(.*?)([1-9].*)?")


@lru_cache(maxsize=4096)
def read_note(text: str) -> tuple[str, str, int, int, str]:
    """The accidental, step, octave, diatonic position and length of a note as it is written, such as `^c'3/2`."""
    match = _NOTE.fullmatch(text)
    assert match is not None
    accidental, letter, marks, length = match.groups()
    octave = 4 + (letter > "Z") + marks.count("'") - marks.count(",")
    step = letter.upper()
    return accidental, step, octave, 7 * octave + "CDEFGAB".index(step), length


@lru_cache(maxsize=4096)
def known_pitch(step: str, octave: int, alter: int) -> Pitch:
    """A pitch, the same object each time."""
    return Pitch(step, octave, alter)


@lru_cache(maxsize=256)
def read_bar(text: str) -> tuple[Barline, bool, str]:
    """What a bar sign, such as `:|]` or `|1`, draws, whether it begins a repeat, and the ending that it begins."""
    match = _BARLINE.fullmatch(text)
    assert match is not None
    sign, numbers = match.groups("")
    core = sign.strip(":")
    if core.startswith("["):
        style = "none" if core.endswith("]") else "initial"
    elif core.startswith("."):
        style = "dotted"
    elif core.endswith("]"):
        style = "final"
    else:
        style = "double" if core.count("|") > 1 else "regular"
    return Barline(style, sign.startswith(":")), len(sign) > 1 and sign.endswith(":"), numbers


def read_ending(numbers: str) -> tuple[int, ...]:
    """The numbers of a variant ending: `1`, `1,3`, `1-3`."""
    found: list[int] = []
    for piece in numbers.split(","):
        first, dash, last = piece.partition("-")
        if first.isdigit() and len(first) < 3:
            low = int(first)
            high = int(last) if dash and last.isdigit() and len(last) < 3 else low
            found.extend(range(low, max(low, min(high, low + 31)) + 1))
    return tuple(found)
