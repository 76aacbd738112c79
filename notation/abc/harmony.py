"""Which harmony does a quoted text name?

`read_chord_symbol` gives None for texts that are no chord symbols (`Fine`, `D.C.`): those are annotations. A chord
whose root is clear and whose kind is not in the table has kind `other` and keeps its text.

Source: ABC 2.1, section 4.18; kinds as in the MusicXML 4.0 type `kind-value`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from notation.score import ChordSymbol

_KINDS: dict[str, tuple[str, ...]] = {
    "major": ("", "maj", "M", "major"),
    "minor": ("m", "min", "-", "mi", "minor"),
    "augmented": ("+", "aug", "#5", "+5"),
    "diminished": ("dim", "o", "°", "mb5"),
    "dominant": ("7", "dom7"),
    "major-seventh": ("maj7", "M7", "Maj7", "ma7", "Δ", "Δ7", "^7", "j7"),
    "minor-seventh": ("m7", "min7", "-7", "mi7"),
    "diminished-seventh": ("dim7", "o7", "°7"),
    "augmented-seventh": ("aug7", "+7", "7#5", "7+5", "7+"),
    "half-diminished": ("m7b5", "ø", "ø7", "min7b5", "-7b5", "h7", "h", "m7-5"),
    "major-minor": ("mM7", "mmaj7", "mMaj7", "minmaj7", "m(maj7)", "m#7", "-maj7"),
    "major-sixth": ("6", "maj6", "M6", "add6"),
    "minor-sixth": ("m6", "min6", "-6"),
    "dominant-ninth": ("9",),
    "major-ninth": ("maj9", "M9"),
    "minor-ninth": ("m9", "min9", "-9"),
    "dominant-11th": ("11",),
    "major-11th": ("maj11", "M11"),
    "minor-11th": ("m11", "min11", "-11"),
    "dominant-13th": ("13",),
    "major-13th": ("maj13", "M13"),
    "minor-13th": ("m13", "min13", "-13"),
    "suspended-second": ("sus2",),
    "suspended-fourth": ("sus4", "sus"),
    "power": ("5",),
}
_KIND_OF = {spelling: kind for kind, spellings in _KINDS.items() for spelling in spellings}
_SPELLING_OF = {kind: spellings[0] for kind, spellings in _KINDS.items()}
_ALTERS = {"": 0, "#": 1, "b": -1, "♯": 1, "♭": -1, "##": 2, "bb": -2, "=": 0}
_SIGNS = {0: "", 1: "#", -1: "b", 2: "##", -2: "bb"}
_CHORD = re.compile(
    r"([A-G])(##|bb|[#b♯♭=]?)"
    r"((?:maj|min|mi|ma|m|M|Maj|dim|aug|sus|add|dom|no|omit|alt|j|h|o|°|ø|Δ|[#b♯♭+\-^(),]|\d{1,2}|/(?=\d)){0,12})"
    r"(?:/([A-Ga-g])(##|bb|[#b♯♭=]?))?"
)
_NO_CHORD = frozenset(("N.C.", "NC", "N.C", "n.c.", "No chord"))


@lru_cache(maxsize=4096)
def read_chord_symbol(text: str) -> ChordSymbol | None:
    """The chord symbol that a quoted text spells, or None if it spells none."""
    stripped = text.strip()
    if stripped in _NO_CHORD:
        return ChordSymbol(None, "none", None, text)
    match = _CHORD.fullmatch(stripped) if len(stripped) <= 32 else None
    if match is None:
        return None
    spelling = match[3].replace("♯", "#").replace("♭", "b")
    kind = _KIND_OF.get(spelling) or _KIND_OF.get(spelling.strip("()"), "other")
    bass = (match[4].upper(), _ALTERS[match[5]]) if match[4] else None
    return ChordSymbol((match[1], _ALTERS[match[2]]), kind, bass, text)


def write_chord_symbol(symbol: ChordSymbol) -> str:
    """The text between the quotes; reading it gives the same chord symbol.

    A kind without an ABC spelling is written as the text it was read from where that reads back, else as `other` can
    be: the root with an unexplained `alt`.
    """
    if read_chord_symbol(symbol.text) == symbol:
        return symbol.text.strip()
    if symbol.root is None:
        return "N.C."
    root = symbol.root[0] + _SIGNS.get(symbol.root[1], "")
    bass = f"/{symbol.bass[0]}{_SIGNS.get(symbol.bass[1], '')}" if symbol.bass else ""
    return root + _SPELLING_OF.get(symbol.kind, "alt") + bass
