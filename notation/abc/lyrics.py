"""Which syllable stands under which note?

A syllable is stored as `Marks.lyrics` says: `-` at its end while the word goes on, `_` for a held note, empty for a
note without text. `|` in a `w:` line moves on to the next measure.

Source: ABC 2.1, section 5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SYLLABLE = re.compile(r"((?:\\.|[^\s\-_*|\\]|\\$)+)(-?)|([-_*|])")
_TO_ESCAPE = re.compile(r"([\\\-_*|%~])")
NEXT_MEASURE = "|"


def read_lyrics(text: str) -> list[str]:
    """The syllables of a `w:` value; `NEXT_MEASURE` stands for a bar sign (an escaped one is `\\|`)."""
    syllables = []
    for match in _SYLLABLE.finditer(text):
        if match[1]:
            word = re.sub(r"\\(.)|~", lambda found: found[1] or " ", match[1])
            syllables.append(" ".join(word.split()) + match[2])
        else:
            syllables.append({"*": ""}.get(match[3], match[3]))
    return syllables


def write_lyrics(syllables: Iterable[str]) -> str:
    """The `w:` value of syllables, one a note."""
    words = []
    for syllable in syllables:
        if syllable in ("-", "_"):
            words.append(syllable)
        elif not syllable:
            words.append("*")
        else:
            body, hyphen = (syllable[:-1], "-") if syllable.endswith("-") else (syllable, "")
            words.append(_TO_ESCAPE.sub(r"\\\1", body).replace(" ", "~") + hyphen)
    return " ".join(words)
