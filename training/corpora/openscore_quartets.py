"""OpenScore String Quartets: about 117 quartets of the long nineteenth century, whole or by movement, as .mxl.

Source: https://github.com/OpenScore/StringQuartets (folder `scores`). Licence: CC0 1.0.
Folders are composer/work. Nothing is left out.
"""

from __future__ import annotations

from pathlib import Path

from notation.score import Score
from training.corpora.base import CC0, Corpus, Piece, Pin, Read, composer_key, find_files, read_pieces, relative

_NAME = "openscore_quartets"
_URL = "https://github.com/OpenScore/StringQuartets"


def _list_files(root: Path) -> list[Path]:
    return find_files(root, "*.mxl")


def _read(root: Path, path: Path) -> Read:
    composer, work = path.parent.parts[-2:]

    def to_piece(number: int, score: Score) -> Piece:
        return Piece(
            id=f"{_NAME}/{path.stem}",
            work=f"{composer}/{work}",
            composer=composer.replace("_", " "),
            title=work.replace("_", " "),
            score=score,
            licence=CC0,
            path=relative(root, path),
            genre="quartet",
            composer_key=composer_key(composer),
        )

    return read_pieces(path, relative(root, path), to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="quartet",
    licence=CC0,
    attribution="OpenScore String Quartets Corpus, transcribed by volunteers on MuseScore.com.",
    source_url=_URL,
    release=True,
    list_files=_list_files,
    read=_read,
    pin=Pin("2c723a5b7b4ea5420826116dfa912956c6a022c2", 116, ("*.mxl",)),
)
