"""What are MusicXML's words called in a score, and the other way round?

Sources: MusicXML 4.0 (note-type-value, clef-sign, articulations, ornaments, technical, kind-value), ABC 2.1, sections
4.6 (clefs) and 4.14 (decorations).
"""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType
from typing import Final

TYPES: Final = MappingProxyType(
    {
        "maxima": Fraction(8),
        "long": Fraction(4),
        "breve": Fraction(2),
        "whole": Fraction(1),
        "half": Fraction(1, 2),
        "quarter": Fraction(1, 4),
        "eighth": Fraction(1, 8),
        "16th": Fraction(1, 16),
        "32nd": Fraction(1, 32),
        "64th": Fraction(1, 64),
        "128th": Fraction(1, 128),
        "256th": Fraction(1, 256),
        "512th": Fraction(1, 512),
        "1024th": Fraction(1, 1024),
    }
)
"""What each note type lasts, in whole notes."""

MAX_DOTS: Final = 3
WRITTEN: Final = MappingProxyType(
    {
        value * (2 - Fraction(1, 2**dots)): (name, dots)
        for name, value in TYPES.items()
        for dots in range(MAX_DOTS + 1)
        if value >= Fraction(1, 256) or not dots
    }
)
"""The (type, dots) of every duration that one notehead can write."""

MODES: Final = MappingProxyType(
    {
        "major": "major",
        "ionian": "major",
        "minor": "minor",
        "aeolian": "minor",
        "dorian": "dorian",
        "phrygian": "phrygian",
        "lydian": "lydian",
        "mixolydian": "mixolydian",
        "locrian": "locrian",
    }
)

CLEFS: Final = MappingProxyType(
    {
        ("G", 2): "treble",
        ("G", 1): "treble1",
        ("F", 4): "bass",
        ("F", 3): "bass3",
        ("F", 5): "bass5",
        ("C", 3): "alto",
        ("C", 4): "tenor",
        ("C", 1): "alto1",
        ("C", 2): "alto2",
        ("C", 5): "alto5",
        ("percussion", 0): "perc",
        ("TAB", 0): "tab",
        ("none", 0): "none",
    }
)
"""The name of a clef by its sign and line, as ABC says it."""

CLEF_SIGNS: Final = MappingProxyType({name: sign for sign, name in CLEFS.items()})
DEFAULT_LINES: Final = MappingProxyType({"G": 2, "F": 4, "C": 3})

BAR_STYLES: Final = MappingProxyType(
    {
        "regular": "regular",
        "light-light": "double",
        "light-heavy": "final",
        "heavy-heavy": "final",
        "heavy-light": "initial",
        "dotted": "dotted",
        "dashed": "dotted",
        "none": "none",
    }
)
BAR_STYLE_NAMES: Final = MappingProxyType(
    {"double": "light-light", "final": "light-heavy", "initial": "heavy-light", "dotted": "dotted", "none": "none"}
)

DECORATIONS: Final = MappingProxyType(
    {
        "staccato": ("articulations", "staccato"),
        "accent": ("articulations", "accent"),
        "tenuto": ("articulations", "tenuto"),
        "marcato": ("articulations", "strong-accent"),
        "wedge": ("articulations", "staccatissimo"),
        "breath": ("articulations", "breath-mark"),
        "slide": ("articulations", "scoop"),
        "trill": ("ornaments", "trill-mark"),
        "lowermordent": ("ornaments", "mordent"),
        "uppermordent": ("ornaments", "inverted-mordent"),
        "turn": ("ornaments", "turn"),
        "invertedturn": ("ornaments", "inverted-turn"),
        "upbow": ("technical", "up-bow"),
        "downbow": ("technical", "down-bow"),
        "open": ("technical", "open-string"),
        "thumb": ("technical", "thumb-position"),
        "snap": ("technical", "snap-pizzicato"),
        "+": ("technical", "stopped"),
        "p": ("dynamics", "p"),
        "pp": ("dynamics", "pp"),
        "ppp": ("dynamics", "ppp"),
        "pppp": ("dynamics", "pppp"),
        "f": ("dynamics", "f"),
        "ff": ("dynamics", "ff"),
        "fff": ("dynamics", "fff"),
        "ffff": ("dynamics", "ffff"),
        "mp": ("dynamics", "mp"),
        "mf": ("dynamics", "mf"),
        "sfz": ("dynamics", "sfz"),
        "fermata": ("", "fermata"),
        "arpeggio": ("", "arpeggiate"),
    }
)
"""The (group, element) in `notations` of a decoration."""

DECORATION_NAMES: Final = MappingProxyType({element: name for name, (_, element) in DECORATIONS.items()})
DYNAMICS: Final = frozenset(element for group, element in DECORATIONS.values() if group == "dynamics")

CHORD_KINDS: Final = frozenset(
    {
        "major", "minor", "augmented", "diminished", "dominant", "major-seventh", "minor-seventh",
        "diminished-seventh", "augmented-seventh", "half-diminished", "major-minor", "major-sixth", "minor-sixth",
        "dominant-ninth", "major-ninth", "minor-ninth", "dominant-11th", "major-11th", "minor-11th", "dominant-13th",
        "major-13th", "minor-13th", "suspended-second", "suspended-fourth", "Neapolitan", "Italian", "French",
        "German", "pedal", "power", "Tristan", "other", "none",
    }
)  # fmt: skip

MEASURE_ELEMENTS: Final = frozenset(
    {
        "note", "backup", "forward", "direction", "attributes", "harmony", "figured-bass", "print", "sound",
        "listening", "barline", "grouping", "link", "bookmark",
    }
)  # fmt: skip
"""What may stand directly in a measure."""
