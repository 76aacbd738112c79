"""Chopin's first editions: 512 files in Humdrum **kern; the same work comes in several editions.

Source: https://github.com/pl-wnifc/humdrum-chopin-first-editions (folder `kern`). Licence: CC BY 4.0; the Fryderyk
Chopin Institute (https://nifc.pl) asks to be named.
File names begin with the opus; all editions, pieces and separate parts of an opus are one work. Parts on two staves
without a name are the piano.
Nothing is left out.
"""

from __future__ import annotations

import re
from pathlib import Path

from notation.score import Score
from training.corpora.base import CC_BY, Corpus, Piece, Pin, Read, find_files, read_pieces, relative
from training.corpora.scoring import genre_of, with_pianos

_NAME = "nifc_chopin"
_URL = "https://github.com/pl-wnifc/humdrum-chopin-first-editions"
_OPUS = re.compile(r"(\d+)")


def work_of(stem: str) -> str:
    """The opus that a file belongs to: `074-1-Sam-013` is of op. 74."""
    opus = _OPUS.match(stem)
    return f"chopin op. {int(opus[1])}" if opus else stem


def _list_files(root: Path) -> list[Path]:
    return find_files(root, "*.krn")


def _read(root: Path, path: Path) -> Read:
    def to_piece(number: int, score: Score) -> Piece:
        score = with_pianos(score)
        return Piece(
            id=f"{_NAME}/{path.stem}",
            work=work_of(path.stem),
            composer=score.composer or "Chopin, Fryderyk",
            title=score.title,
            score=score,
            licence=CC_BY,
            path=relative(root, path),
            genre=genre_of([part.instrument for part in score.parts]),
            composer_key="chopin fryderyk",
        )

    return read_pieces(path, relative(root, path), to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="keyboard",
    licence=CC_BY,
    attribution="Chopin Heritage in Open Access, (c) 2017-2021 The Fryderyk Chopin Institute, chopinscores.org.",
    source_url=_URL,
    release=True,
    list_files=_list_files,
    read=_read,
    pin=Pin("95dfb105c1669c72d10b04088566154f12d3dc1c", 512, ("*.krn",)),
)
