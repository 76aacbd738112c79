"""OpenScore Lieder: about 1,380 songs of the nineteenth century for voice and piano, as .mxl.

Source: https://github.com/OpenScore/Lieder (folder `scores`). Licence: CC0 1.0.
Folders are composer/set/song; a set `_` holds songs that stand alone. A work is a set, or a song that stands alone.
Nothing is left out.
"""

from __future__ import annotations

from pathlib import Path

from notation.score import Score
from training.corpora.base import CC0, Corpus, Piece, Pin, Read, composer_key, find_files, read_pieces, relative

_NAME = "openscore_lieder"
_URL = "https://github.com/OpenScore/Lieder"


def _list_files(root: Path) -> list[Path]:
    return find_files(root, "*.mxl")


def _read(root: Path, path: Path) -> Read:
    composer, collection, song = path.parent.parts[-3:]
    work = f"{composer}/{song if collection == '_' else collection}"

    def to_piece(number: int, score: Score) -> Piece:
        return Piece(
            id=f"{_NAME}/{path.stem}",
            work=work,
            composer=composer.replace("_", " "),
            title=song.replace("_", " "),
            score=score,
            licence=CC0,
            path=relative(root, path),
            genre="lied",
            composer_key=composer_key(composer),
        )

    return read_pieces(path, relative(root, path), to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="lied",
    licence=CC0,
    attribution="OpenScore Lieder Corpus, transcribed by volunteers on MuseScore.com.",
    source_url=_URL,
    release=True,
    list_files=_list_files,
    read=_read,
    pin=Pin("bca122458de6da362abe62dd6aec62e25d7759b1", 1379, ("*.mxl",)),
)
