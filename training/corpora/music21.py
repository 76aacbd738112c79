"""The free part of music21's own corpus: folk tunes in ABC and Bach's chorales as .mxl, with no download.

Source: the installed package music21 (https://github.com/cuthbertLab/music21), found without importing it.
Licence: the folk books as in `training.corpora.music21_folk`; the Bach files carry no restriction and their music is in
the public domain. Left out: every other folder; some are for research only (Essen, Palestrina, Josquin), others
carry the terms of their encoders.
The chorales are those of the JSB benchmark, its test split too: do not train on them and then report a figure on
`jsb_json`. To keep them out of anything released, this corpus is not for release; `music21_folk` is the same books
without the chorales.
"""

from __future__ import annotations

from pathlib import Path

from notation.score import Score
from training.corpora.base import PUBLIC_DOMAIN, Corpus, Piece, Read, read_pieces, relative
from training.corpora.music21_folk import ATTRIBUTION, LICENCE, installed_root, list_books, read_book

_NAME = "music21"


def _list_files(root: Path) -> list[Path]:
    return list_books(root) + sorted((root / "bach").glob("*.mxl"))


def _read(root: Path, path: Path) -> Read:
    if path.suffix == ".abc":
        return read_book(_NAME, root, path)

    def to_piece(number: int, score: Score) -> Piece:
        return Piece(
            id=f"{_NAME}/bach/{path.stem}",
            work=f"Bach, Johann Sebastian/{'.'.join(path.stem.split('.')[:2])}",
            composer="Bach, Johann Sebastian",
            title=score.title,
            score=score,
            licence=PUBLIC_DOMAIN,
            path=relative(root, path),
            genre="hymn",
            composer_key="bach johann",
        )

    return read_pieces(path, relative(root, path), to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="folk",
    licence=LICENCE,
    attribution=ATTRIBUTION,
    source_url="https://github.com/cuthbertLab/music21",
    release=False,
    use="first steps",
    list_files=_list_files,
    read=_read,
    default_root=installed_root,
)
