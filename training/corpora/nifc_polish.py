"""Polish music heritage: about 7,900 works and movements in Humdrum **kern, sixteenth to twentieth century.

Source: https://github.com/pl-wnifc/humdrum-polish-scores. Licence: CC BY 4.0, said in a !!!YEM line of each file; the
Fryderyk Chopin Institute (https://nifc.pl) asks to be named.
Keyboard, voice and piano, choral, organ, strings, orchestra: the genre follows from the instruments. A work is a work
of one source, with all its movements; a work of Chopin with an opus number is the same work as in `nifc_chopin`.
Parts on two staves without an instrument are taken for the piano.
Left out: files without the licence line.
"""

from __future__ import annotations

import re
from pathlib import Path

from notation import kern
from notation.score import Score
from training.corpora.base import (
    CC_BY,
    Corpus,
    Piece,
    Pin,
    Read,
    collect,
    composer_key,
    find_files,
    read_text,
    relative,
)
from training.corpora.scoring import genre_of, with_pianos

_NAME = "nifc_polish"
_URL = "https://github.com/pl-wnifc/humdrum-polish-scores"
_LICENCE_LINE = re.compile(r"^!!!YEM:.*\bCC-BY-4\.0\b", re.MULTILINE)
_CHOPIN_OPUS = re.compile(r"_chopin-fryderyk--.*\bop-(\d+)")
_MOVEMENT = re.compile(r"(--\d{3})-\d{3}$")


def work_of(stem: str) -> str:
    """The work that a file belongs to, by its name SOURCE--SHELFMARK[--WORK[-MOVEMENT]]_COMPOSER--TITLE."""
    chopin = _CHOPIN_OPUS.search(stem)
    if chopin:
        return f"chopin op. {int(chopin[1])}"
    return _MOVEMENT.sub(r"\1", stem.partition("_")[0])


def _list_files(root: Path) -> list[Path]:
    return find_files(root, "*.krn")


def _read(root: Path, path: Path) -> Read:
    inside = relative(root, path)
    text = read_text(path)
    if not _LICENCE_LINE.search(text):
        return Read(skipped=((inside, "no licence line"),))

    def to_piece(number: int, score: Score) -> Piece:
        score = with_pianos(score)
        return Piece(
            id=f"{_NAME}/{path.stem}",
            work=work_of(path.stem),
            composer=score.composer,
            title=score.title,
            score=score,
            licence=CC_BY,
            path=inside,
            genre=genre_of([part.instrument for part in score.parts]),
            composer_key=composer_key(score.composer),
        )

    return collect(inside, kern.parse(text).scores, to_piece)


CORPUS = Corpus(
    name=_NAME,
    genre="other",
    licence=CC_BY,
    attribution="Polish Music Heritage in Open Access, (c) 2019-2022 The Fryderyk Chopin Institute, polishscores.org.",
    source_url=_URL,
    release=True,
    list_files=_list_files,
    read=_read,
    pin=Pin("c0403623c0da3f75f1bcd6041dc85098e0cabe02", 7896, ("*.krn",)),
)
