"""Any folder of a user's own scores: .abc, .musicxml, .xml, .mxl and .krn, at any depth.

Source and licence are the user's affair, so weights trained on it are not for release.
The genre is that of a sub-folder named like one (`folk`, `lied`, ...), else it follows from the score. A work is a
file, or a tune of an .abc file.
Left out: what cannot be read.
"""

from __future__ import annotations

from pathlib import Path

from notation.score import Score
from training.corpora.base import GENRES, Corpus, Piece, Read, find_files, read_pieces, relative
from training.corpora.scoring import genre_of_score

_NAME = "folder"


def _list_files(root: Path) -> list[Path]:
    return find_files(root, "*.abc", "*.musicxml", "*.xml", "*.mxl", "*.krn")


def _read(root: Path, path: Path) -> Read:
    inside = relative(root, path)
    named = next((part for part in inside.split("/")[:-1] if part in GENRES), "")

    def to_piece(number: int, score: Score) -> Piece:
        return Piece(
            id=f"{_NAME}/{inside}#{number}",
            work=f"{_NAME}/{inside}#{number}" if path.suffix.lower() == ".abc" else f"{_NAME}/{inside}",
            composer=score.composer,
            title=score.title,
            score=score,
            licence="unknown",
            path=inside,
            genre=named or genre_of_score(score),
        )

    return read_pieces(path, inside, to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="other",
    licence="unknown",
    attribution="",
    source_url="",
    release=False,
    use="your own models",
    list_files=_list_files,
    read=_read,
)
