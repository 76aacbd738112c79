"""What is a corpus, and what is read from it?

A corpus is a folder that the user has fetched. Reading it takes two steps, so that many processes can share the
work: `list_files` is cheap and names the files in a fixed order; `read` reads one file and depends on nothing else.
Both are plain functions at module level, so a `Corpus` can be pickled.

Reading never fails because of a file: what cannot be used is returned with its reason. The ids of pieces depend on the
files' places inside the corpus, never on where the corpus lies, so that splits made from them stay the same everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from notation import kern
from notation.language import Document, language
from notation.score import Score
from notation.tokens.vocabulary import GENRES

CC0 = "CC0-1.0"
CC_BY = "CC-BY-4.0"
PUBLIC_DOMAIN = "public domain"

NOBODY = ("", "anonim", "anonymous", "anon", "unknown", "traditional", "trad", "various")
"""What stands for a composer where nobody knows one: of one word, without case."""
_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae", "Æ": "Ae"})
"""Letters that Unicode does not take apart into a plain one and an accent."""

__all__ = ["CC0", "CC_BY", "GENRES", "PUBLIC_DOMAIN", "Corpus", "Piece", "Pin", "Read"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of music, ready to be encoded.

    Attributes:
        id: unique over all corpora, such as `music21_folk/airdsAirs/book1#12`.
        work: the same for editions, settings and movements of one work, in whatever corpus they are.
        composer: empty if unknown or not to be used.
        title: empty if unknown or not to be used.
        score: the music.
        licence: of this piece.
        path: of its file, relative to the corpus, with forward slashes.
        genre: one of `GENRES`.
        composer_key: who composed it, as `composer_key` says it, where the source tells reliably; else empty. Pieces of
            some composers are kept for the unseen split by it.
    """

    id: str
    work: str
    composer: str
    title: str
    score: Score
    licence: str
    path: str
    genre: str
    composer_key: str = ""

    @property
    def corpus(self) -> str:
        """The name of the corpus that it is from."""
        return self.id.partition("/")[0]

    @property
    def instruments(self) -> tuple[str, ...]:
        """The instrument word of every part, in score order; empty words where unknown."""
        return tuple(part.instrument for part in self.score.parts)


@dataclass(frozen=True, slots=True)
class Read:
    """What one file gave.

    Attributes:
        pieces: those that can be used.
        skipped: (what, reason) of those that cannot.
    """

    pieces: tuple[Piece, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


def _no_default_root() -> Path | None:
    return None


@dataclass(frozen=True, slots=True)
class Pin:
    """Where the files of a corpus are fetched from, so that everyone gets the same.

    Attributes:
        commit: the full hash of a commit of the git repository at the corpus's `source_url`.
        n_files: how many files there are to read.
        patterns: the files that are read, as git's ignore files write them.
    """

    commit: str
    n_files: int
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A collection of scores that the user can fetch.

    Attributes:
        name: also the name of its folder below the user's data folder.
        genre: what most of it is; a piece may say otherwise.
        licence: an SPDX name, or words where there is none.
        attribution: whom to thank, in one sentence; empty if nobody asks for it.
        source_url: where it comes from.
        release: whether weights that were trained on it may be published.
        use: what it is for, in a word or two.
        list_files: (root) -> the files to read, sorted. Raises FileNotFoundError if there are none.
        read: (root, file) -> what the file gives. Never raises because of what the file says.
        default_root: () -> where it already lies on this machine, or None.
        pin: where `fetch` gets it; None if it is part of a package, or the user's own.
    """

    name: str
    genre: str
    licence: str
    attribution: str
    source_url: str
    release: bool
    list_files: Callable[[Path], list[Path]]
    read: Callable[[Path, Path], Read]
    default_root: Callable[[], Path | None] = _no_default_root
    pin: Pin | None = None
    use: str = "training"

    def pieces(self, root: Path) -> Iterator[Piece]:
        """Every piece that can be used, file by file.

        Raises:
            FileNotFoundError: there is no file of this corpus below `root`.
        """
        for path in self.list_files(root):
            yield from self.read(root, path).pieces


def find_files(root: Path, *patterns: str) -> list[Path]:
    """The files below a folder that match one of some glob patterns, sorted by path.

    Raises:
        FileNotFoundError: there are none.
    """
    found = sorted({path for pattern in patterns for path in root.rglob(pattern) if path.is_file()})
    if not found:
        raise FileNotFoundError(f"there is no {' or '.join(patterns)} below '{root}'. Name the folder of the corpus.")
    return found


def relative(root: Path, path: Path) -> str:
    """The path of a file inside its corpus, with forward slashes."""
    return path.relative_to(root).as_posix()


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in Latin-1 if it is not UTF-8."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse_file(path: Path) -> Document:
    """The document in an .abc, .musicxml, .xml, .mxl or .krn file.

    Raises:
        ValueError: the suffix is none of these, or an .mxl archive is damaged.
        OSError: the file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".mxl":
        from notation.musicxml import read_mxl

        return language("musicxml").parse(read_mxl(path.read_bytes()))
    if suffix in (".musicxml", ".xml"):
        return language("musicxml").parse(read_text(path))
    if suffix == ".abc":
        return language("abc").parse(read_text(path))
    if suffix == ".krn":
        return kern.parse(read_text(path))
    raise ValueError(f"cannot read '{path.name}': its suffix is none of .abc .musicxml .xml .mxl .krn")


def has_notes(score: Score) -> bool:
    """Whether anything sounds in a score."""
    return any(
        event.notes
        for part in score.parts
        for measure in part.measures
        for voice in measure.voices
        for event in voice.events
    )


def read_pieces(path: Path, name: str, to_piece: Callable[[int, Score], Piece]) -> Read:
    """Read one file, and make a piece of every score in it that has notes.

    Args:
        path: the file.
        name: what to call it among the skipped.
        to_piece: (number of the score in the file, from 1; the score) -> the piece.
    """
    try:
        document = parse_file(path)
    except (OSError, ValueError) as error:
        return Read(skipped=((name, f"unreadable: {error}"),))
    return collect(name, document.scores, to_piece)


def collect(name: str, scores: Iterable[Score], to_piece: Callable[[int, Score], Piece]) -> Read:
    """Make a piece of every score that has notes; see `read_pieces`."""
    pieces: list[Piece] = []
    skipped: list[tuple[str, str]] = []
    for number, score in enumerate(scores, start=1):
        if has_notes(score):
            pieces.append(to_piece(number, score))
        else:
            skipped.append((f"{name}#{number}", "no notes"))
    if not pieces and not skipped:
        skipped.append((name, "no music"))
    return Read(tuple(pieces), tuple(skipped))


def title_key(title: str) -> str:
    """A title without case, accents, articles, punctuation, remarks in brackets and a setting's number.

    Two titles with one key name one tune: `Lass of Gowrie, The` and `The Lass o' Gowrie (2)` do not, for the words
    differ, but `Lass of Gowrie, The` and `the lass of Gowrie. 2` do.
    """
    plain = unicodedata.normalize("NFKD", re.sub(r"[(\[].*?[)\]]", " ", title)).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9 ]+", "", re.sub(r"[-/,.;:]+", " ", plain.lower())).split()
    while len(words) > 1 and re.fullmatch(r"\d+|i{1,3}|iv|v", words[-1]):
        words.pop()
    return " ".join(word for word in words if word not in ("the", "a", "an"))


def composer_key(name: str) -> str:
    """Surname and first given name, plain and lower-case: `beach amy` for `Beach, Amy Marcy` and for `Amy Beach`.

    Empty if the name says that nobody knows.
    """
    plain = unicodedata.normalize("NFKD", re.sub(r"[(\[].*?[)\]]", " ", name).translate(_LETTERS))
    surname, comma, given = plain.encode("ascii", "ignore").decode().lower().replace("_", " ").partition(",")
    words = [re.findall(r"[a-z']+", part) for part in (surname, given)]
    if not comma:
        words = [words[0][-1:], words[0][:-1]]
    key = " ".join([*words[0], *words[1][:1]])
    return "" if key in NOBODY else key
