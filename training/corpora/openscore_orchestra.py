"""OpenScore Orchestra: about 94 orchestral movements, Bach to Lili Boulanger, as .mxl.

Source: https://github.com/MarkGotham/Hauptstimme (folder `data`). Licence: the scores CC0 1.0; the code and
annotations beside them are not used. Folders are composer/work/movement, or composer/work.
Left out: melody scores (`*_melody.mxl`), which repeat the full scores.
"""

from __future__ import annotations

from pathlib import Path

from notation.score import Score
from training.corpora.base import CC0, Corpus, Piece, Pin, Read, composer_key, find_files, read_pieces, relative

_NAME = "openscore_orchestra"
_URL = "https://github.com/MarkGotham/Hauptstimme"


def _list_files(root: Path) -> list[Path]:
    return [path for path in find_files(root, "*.mxl") if not path.stem.endswith("_melody")]


def _read(root: Path, path: Path) -> Read:
    inside = relative(root, path)
    folders = inside.removeprefix("data/").split("/")[:-1]
    composer, work = folders[0], "/".join(folders[:2])

    def to_piece(number: int, score: Score) -> Piece:
        return Piece(
            id=f"{_NAME}/{'/'.join(folders)}",
            work=work,
            composer=composer.replace("_", " "),
            title=" ".join(folders[1:]).replace("_", " "),
            score=score,
            licence=CC0,
            path=inside,
            genre="orchestra",
            composer_key=composer_key(composer),
        )

    return read_pieces(path, inside, to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="orchestra",
    licence=CC0,
    attribution="OpenScore Orchestra, published with the Hauptstimme annotations by Mark Gotham and others.",
    source_url=_URL,
    release=True,
    list_files=_list_files,
    read=_read,
    pin=Pin("8f677853c45b74ca0afcd79677e5379c06c82354", 93, ("*.mxl", "!*_melody.mxl")),
)
