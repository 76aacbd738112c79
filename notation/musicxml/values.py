"""What do the elements say that stand between the notes of a measure: keys, metres, clefs, endings, harmony?

Any text whatever is read; what makes no sense says nothing.

Source: MusicXML 4.0, the elements key, time, clef, ending, harmony and lyric.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from notation.musicxml import names
from notation.musicxml.tags import Element
from notation.score import FREE_METRE, STEPS, ChordSymbol, KeySignature, TimeSignature

_INTEGER = re.compile(r"[+-]?\d{1,9}")
_DECIMAL = re.compile(r"[+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})")


def read_integer(text: str, default: int) -> int:
    """A whole number, or the default where there is none."""
    return int(text) if _INTEGER.fullmatch(text) else default


def read_decimal(text: str) -> Fraction | None:
    """A number, or None where there is none."""
    return Fraction(text) if _DECIMAL.fullmatch(text) else None


def read_key(element: Element) -> KeySignature:
    """The signature that a `key` sets."""
    fifths = element.find("fifths")
    if fifths is not None:
        count = max(-7, min(7, read_integer(fifths.text, 0)))
        return KeySignature(count, names.MODES.get(element.text_of("mode"), ""))
    steps = [child.text for child in element.all("key-step")]
    alters = [read_integer(child.text, 0) for child in element.all("key-alter")]
    pairs = {step: alter for step, alter in zip(steps, alters, strict=False) if len(step) == 1 and step in STEPS}
    return KeySignature(0, "", tuple(sorted((step, alter) for step, alter in pairs.items() if alter)))


def read_time(element: Element) -> TimeSignature | None:
    """The metre that a `time` sets; None if it makes no sense."""
    if element.find("senza-misura") is not None:
        return FREE_METRE
    pairs: list[tuple[list[int], int]] = []
    beats = [child.text for child in element.all("beats")]
    units = [read_integer(child.text, 0) for child in element.all("beat-type")]
    for text, unit in zip(beats, units, strict=False):
        summands = [read_integer(one.strip(), 0) for one in text.split("+")]
        if not 0 < unit <= 1024 or any(not 0 < one <= 1024 for one in summands) or len(summands) > 16:
            return None
        pairs.append((summands, unit))
    if not pairs or len(pairs) > 16:
        return None
    common = math.lcm(*(unit for _, unit in pairs))
    symbol = element.attribute("symbol")
    return TimeSignature(
        tuple(one * (common // unit) for summands, unit in pairs for one in summands),
        common,
        symbol if symbol in ("common", "cut") else "",
    )


def read_clef(element: Element) -> str:
    """The name of a `clef`; empty if it is not known."""
    sign = element.text_of("sign")
    line = read_integer(element.text_of("line"), names.DEFAULT_LINES.get(sign, 0)) if sign in names.DEFAULT_LINES else 0
    name = names.CLEFS.get((sign, line), "")
    octaves = read_integer(element.text_of("clef-octave-change"), 0)
    return name + {1: "+8", -1: "-8", 2: "+15", -2: "-15"}.get(octaves, "") if name else ""


def read_ending(text: str) -> tuple[int, ...]:
    """The numbers of an `ending`."""
    numbers: list[int] = []
    for item in re.split(r"[,\s]+", text.strip()):
        first, dash, last = item.partition("-")
        low = read_integer(first, 0)
        high = read_integer(last, low) if dash else low
        if 0 < low <= high <= low + 16:
            numbers += range(low, high + 1)
    return tuple(numbers)


def read_chord_symbol(element: Element) -> ChordSymbol | None:
    """What a `harmony` says; None if it has no root."""
    kind_element = element.find("kind")
    kind = kind_element.text if kind_element is not None else "major"
    if kind == "none":
        return ChordSymbol(None, "none", None, "N.C.")
    root = _degree(element, "root")
    if root is None:
        return None
    shown = kind_element.attribute("text") if kind_element is not None else ""
    bass = _degree(element, "bass")
    text = _spelled(root) + shown + (f"/{_spelled(bass)}" if bass else "")
    return ChordSymbol(root, kind if kind in names.CHORD_KINDS else "other", bass, text)


def _degree(element: Element, name: str) -> tuple[str, int] | None:
    step = element.text_of(f"{name}/{name}-step")
    if len(step) != 1 or step not in STEPS:
        return None
    alter = read_decimal(element.text_of(f"{name}/{name}-alter"))
    return step, max(-3, min(3, round(alter))) if alter is not None else 0


def _spelled(root: tuple[str, int]) -> str:
    return root[0] + ("#" * root[1] if root[1] > 0 else "b" * -root[1])


def lyric_text(text: str) -> str:
    """A syllable with single spaces, and none before the hyphen of a word that goes on."""
    text = " ".join(text.split())
    return text[:-1].rstrip() + "-" if text.endswith("-") else text
