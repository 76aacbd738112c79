"""What do macros stand for?

A macro is a name and the music that is read in its place. The name of a transposing one holds an `n`, any note; in its
music the letters `h` to `z` are notes around that one.

Source: ABC 2.1, section 9 (macros).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_MACRO_NOTE = "(?P<n{}>[A-Ga-g][,']{{0,4}})"
_MACRO_LETTER = re.compile(r"![^!]*!|\"[^\"]*\"|([h-z])")


def read_macro(value: str) -> tuple[str, str] | None:
    """The name and meaning that a `m:` or `U:` field defines, or None."""
    name, equals, meaning = value.partition("=")
    return (name.strip(), meaning.strip()) if equals and name.strip() else None


@lru_cache(maxsize=64)
def macro_pattern(macros: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    """What matches a macro where it is used, longer names first; group k + 1 is the note of transposing macro k."""
    order = sorted(range(len(macros)), key=lambda index: -len(macros[index][0]))
    names = (
        f"(?P<m{index}>{re.escape(macros[index][0]).replace('n', _MACRO_NOTE.format(index))})"
        if _is_transposing(macros[index][0])
        else f"(?P<m{index}>{re.escape(macros[index][0])})"
        for index in order
    )
    return re.compile("|".join(names))


def _is_transposing(name: str) -> bool:
    return name.count("n") == 1


def expand_macro(macros: Sequence[tuple[str, str]], match: re.Match[str]) -> str:
    """The music that a macro stands for; in a transposing one the letters `h` to `z` are notes around its `n`."""
    index = next(index for index in range(len(macros)) if match[f"m{index}"] is not None)
    name, meaning = macros[index]
    if not _is_transposing(name):
        return meaning
    position = _letter_position(match[f"n{index}"])
    return _MACRO_LETTER.sub(
        lambda found: found[0] if found[1] is None else _position_letter(position + ord(found[1]) - ord("n")), meaning
    )


def _letter_position(letter: str) -> int:
    """The diatonic position of a written note, such as `c'`: 7 an octave, `C` is 0."""
    octave = letter.count("'") - letter.count(",") + (letter[0] > "Z")
    return 7 * octave + "CDEFGAB".index(letter[0].upper())


def _position_letter(position: int) -> str:
    octave, step = divmod(position, 7)
    return "CDEFGAB"[step] + "," * -octave if octave < 1 else "cdefgab"[step] + "'" * (octave - 1)
