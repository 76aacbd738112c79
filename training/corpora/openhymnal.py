"""Open Hymnal: about 280 hymns in ABC, most in four voices.

Source: https://github.com/mzealey/openhymnal (folders `Complete` and `Choir`). Licence: each file says its own.
Left out: files that do not say `copyright: public domain` in a C: field; some have words or settings that may be copied
for worship only.
"""

from __future__ import annotations

import re
from pathlib import Path

from notation.language import language
from notation.score import Score
from training.corpora.base import (
    PUBLIC_DOMAIN,
    Corpus,
    Piece,
    Pin,
    Read,
    collect,
    find_files,
    read_text,
    relative,
    title_key,
)

_NAME = "openhymnal"
_URL = "https://github.com/mzealey/openhymnal"
_FREE = re.compile(r"^C:\s*copyright:\s*public domain\b", re.MULTILINE)


def _list_files(root: Path) -> list[Path]:
    return find_files(root, "*.abc")


def _read(root: Path, path: Path) -> Read:
    inside = relative(root, path)
    text = read_text(path)
    if not _FREE.search(text):
        return Read(skipped=((inside, "not marked as public domain"),))
    title = path.parent.name.replace("_", " ")

    def to_piece(number: int, score: Score) -> Piece:
        return Piece(
            id=f"{_NAME}/{path.stem}#{number}",
            work=f"hymn {title_key(title)}",
            composer=score.composer,
            title=title,
            score=score,
            licence=PUBLIC_DOMAIN,
            path=inside,
            genre="hymn",
        )

    return collect(inside, language("abc").parse(text).scores, to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="hymn",
    licence=PUBLIC_DOMAIN,
    attribution="The Open Hymnal Project, maintained by Brian J. Dumont.",
    source_url=_URL,
    release=True,
    list_files=_list_files,
    read=_read,
    pin=Pin("d35811b2d5c9b0bbc5887d60a2936454815416e8", 278, ("*.abc",)),
)
