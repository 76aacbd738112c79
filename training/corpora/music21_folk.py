"""Folk tunes of the music21 corpus: 4,433 tunes in ABC from O'Neill's Music of Ireland (1850 tunes), Aird's Airs,
Ryan's Mammoth Collection, a fife book and the Northumbrian Minstrelsy.

Source: https://github.com/cuthbertLab/music21 (music21/corpus); the installed package holds the same files and is
found without importing it, so there is nothing to fetch.
Licence: the books are in the public domain; the transcriptions are distributed by permission of those who made them,
whom the files name in their Z: fields. A work is a tune's title, over all books.
Left out: every other folder; the Essen collection in particular is not free.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from notation.score import Score
from training.corpora.base import PUBLIC_DOMAIN, Corpus, Piece, Read, read_pieces, relative, title_key

_NAME = "music21_folk"
BOOKS = ("airdsAirs", "miscFolk", "oneills1850", "ryansMammoth")
ATTRIBUTION = (
    "Folk tunes transcribed by Jack Campin, Frank Nordberg, the O'Neill project's volunteers and others, as"
    " distributed with music21 by Michael Scott Asato Cuthbert."
)
LICENCE = f"{PUBLIC_DOMAIN} books, transcriptions by permission"


def installed_root() -> Path | None:
    """The corpus folder of the installed package, or None if music21 is not installed."""
    spec = find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(spec.submodule_search_locations[0]) / "corpus"
    return root if root.is_dir() else None


def list_books(root: Path) -> list[Path]:
    """The ABC files of the folk books below a folder, sorted.

    Raises:
        FileNotFoundError: there are none.
    """
    found = sorted(path for path in root.rglob("*.abc") if path.parent.name in BOOKS)
    if not found:
        raise FileNotFoundError(f"there is no .abc in a folder {' or '.join(BOOKS)} below '{root}'. Name the corpus.")
    return found


def read_book(name: str, root: Path, path: Path) -> Read:
    """The tunes of one file, as pieces of the corpus `name`."""
    place = f"{path.parent.name}/{path.stem}"

    def to_piece(number: int, score: Score) -> Piece:
        identity = f"{name}/{place}#{number}"
        return Piece(
            id=identity,
            work=f"tune {title_key(score.title)}" if score.title else identity,
            composer=score.composer,
            title=score.title,
            score=score,
            licence=LICENCE,
            path=relative(root, path),
            genre="folk",
        )

    return read_pieces(path, relative(root, path), to_piece)


def _read(root: Path, path: Path) -> Read:
    return read_book(_NAME, root, path)


CORPUS = Corpus(
    name=_NAME,
    genre="folk",
    licence=LICENCE,
    attribution=ATTRIBUTION,
    source_url="https://github.com/cuthbertLab/music21",
    release=True,
    list_files=list_books,
    read=_read,
    default_root=installed_root,
)
