"""OpenEWLD: about 445 lead sheets (a melody with chord symbols) of songs in the public domain, as .mxl.

Source: https://github.com/00sapo/OpenEWLD (folder `dataset`). Licence: the scores are in the public domain; the
metadata (titles, authors, dates) is CC BY-NC 3.0.
Left out: all metadata. Pieces carry no title and no composer, and their ids are hashes of the file names; `work` is the
song's name, used for splitting alone.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from notation.score import Score
from training.corpora.base import PUBLIC_DOMAIN, Corpus, Piece, Pin, Read, find_files, read_pieces, relative, title_key

_NAME = "openewld"
_URL = "https://github.com/00sapo/OpenEWLD"


def _list_files(root: Path) -> list[Path]:
    return find_files(root, "*.mxl")


def _read(root: Path, path: Path) -> Read:
    inside = relative(root, path)
    identity = sha256(path.name.encode() + path.parent.parent.name.encode()).hexdigest()[:12]

    def to_piece(number: int, score: Score) -> Piece:
        return Piece(
            id=f"{_NAME}/{identity}",
            work=f"song {title_key(path.stem.replace('_', ' '))}",
            composer="",
            title="",
            score=replace(score, title="", composer="", fields=()),
            licence=PUBLIC_DOMAIN,
            path=inside,
            genre="lead",
        )

    return read_pieces(path, inside, to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="lead",
    licence=PUBLIC_DOMAIN,
    attribution="OpenEWLD by Federico Simonetta and others.",
    source_url=_URL,
    release=True,
    list_files=_list_files,
    read=_read,
    pin=Pin("ec03cbd809ca5296ee708591b970d0423dcbe31c", 445, ("*.mxl",)),
)
