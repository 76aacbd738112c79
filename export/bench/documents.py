"""Real pieces with cursors in them: where would a composer have asked for the next measure?

A piece is cut at the cursor as if the rest had not been written yet: ABC ends there; in MusicXML the part ends there,
and the other parts stand, for nobody types XML without its end tags. Two kinds of place are asked at: the end of a
measure (the next one is to be written) and mid-measure (the one at the cursor is to be finished).

Without a folder, the pieces that are installed with the package are used: a tune of one voice and a hymn of four, each
in every language that can write it. Offsets are code points. The same arguments give the same sites.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from notation.language import language, language_of, languages
from notation.score import Score

T = TypeVar("T")
Kind: TypeAlias = Literal["end of measure", "mid-measure"]
KINDS: tuple[Kind, Kind] = ("end of measure", "mid-measure")

_MOST_TRIES = 40
"""Places that are looked at for each site that is wanted: a piece without music must not take for ever."""
_ABC_PLACES = re.compile(r"(?<=[\s|])")
_XML_PLACES = re.compile(r"(?<=</note>)|(?<=</measure>)")
_MEASURE_OPENS = re.compile(r"<measure[\s>]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A whole document."""

    name: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """A document with a cursor.

    Attributes:
        piece: the name of the piece it was made of.
        language: of the document.
        text: the document as it stands.
        offset: of the cursor.
        kind: what kind of place it is.
        voices: how many voices its score has so far.
        previous: where the cursor stood a note or a word earlier.
    """

    piece: str
    language: str
    text: str
    offset: int
    kind: Kind
    voices: int
    previous: int

    def earlier(self) -> tuple[str, int]:
        """The document and the cursor at `previous`."""
        return typed_state(self.text, self.previous), self.previous


def load_pieces(folder: Path | None = None, most: int = 1000) -> list[Piece]:
    """The pieces of a folder and the folders in it, in the order of their names, or the installed ones.

    Args:
        folder: None takes the installed pieces.
        most: of a folder that has more, so many are read, evenly spread.

    Raises:
        ValueError: the folder has no document in a known language that can be read.
    """
    if folder is None:
        return list(_installed_pieces())
    known = [(path, one) for path in sorted(folder.rglob("*")) if (one := language_of(path.name)) is not None]
    read = [(path.name, one.name, _read(path, one.name)) for path, one in _spread(known, most)]
    found = [Piece(*each) for each in read if each[-1]]
    if not found:
        suffixes = ", ".join(suffix for one in languages() for suffix in one.suffixes)
        raise ValueError(f"{folder} has no document that can be read: name a folder that has some ({suffixes}).")
    return found


def find_sites(pieces: Sequence[Piece], n: int) -> list[Site]:
    """About `n` sites, as many of each kind and piece, in the order in which they would be typed.

    Args:
        pieces: where more than half of `n`, some are left out, evenly.
        n: at least 1.

    Raises:
        ValueError: none of the pieces has a place to ask at.
    """
    most = max(1, n // len(KINDS))
    chosen = _spread(pieces, most)
    quota = -(-most // max(1, len(chosen)))
    sites = [site for piece in chosen for site in _sites_of(piece, quota)]
    if not sites:
        raise ValueError(f"none of {len(pieces)} documents has music to go on from: name a folder with others.")
    return sites


def typed_state(text: str, offset: int) -> str:
    """A document as it stands when everything up to `offset` has been written, and nothing after it."""
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return text[:offset]
    before = text[:offset]
    opened = max((found.start() for found in _MEASURE_OPENS.finditer(before)), default=-1)
    closing = "</measure>" if opened > before.rfind("</measure>") else ""
    end = text.find("</part>", offset)
    return before + closing + (text[end:] if end >= 0 else "")


def _spread(items: Sequence[T], most: int) -> Sequence[T]:
    """At most `most` of the items, evenly."""
    return [items[index * len(items) // most] for index in range(most)] if len(items) > most else items


def _installed_pieces() -> Iterator[Piece]:
    abc, musicxml = language("abc"), language("musicxml")
    for file in sorted((files("export.bench") / "documents").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".abc"):
            text = file.read_text(encoding="utf-8")
            name = file.name.removesuffix(".abc")
            yield Piece(name, abc.name, text)
            yield Piece(name, musicxml.name, musicxml.print(abc.parse(text).scores))


def _read(path: Path, name: str) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return language(name).decode(path.read_bytes())
    except (OSError, ValueError):
        return ""


def _sites_of(piece: Piece, quota: int) -> list[Site]:
    """At most `quota` sites of each kind, spread over the piece, in order."""
    pattern = _XML_PLACES if piece.language == "musicxml" else _ABC_PLACES
    offsets = [found.start() for found in pattern.finditer(piece.text)]
    places = list(pairwise(offsets))
    random.Random(piece.name).shuffle(places)
    found: dict[Kind, list[Site]] = {kind: [] for kind in KINDS}
    for previous, offset in places[: quota * _MOST_TRIES]:
        site = _site(piece, previous, offset)
        if site is not None and len(found[site.kind]) < quota:
            found[site.kind].append(site)
        if all(len(sites) == quota for sites in found.values()):
            break
    return sorted((site for sites in found.values() for site in sites), key=lambda site: site.offset)


def _site(piece: Piece, previous: int, offset: int) -> Site | None:
    """The site at a place, or None if music cannot go on there."""
    known = language(piece.language)
    text = typed_state(piece.text, offset)
    site = known.completion_site(known.parse(text), offset)
    if site is None or site.measure == 0 or (site.before and not site.remaining):
        return None
    kind: Kind = "mid-measure" if site.before else "end of measure"
    return Site(piece.name, piece.language, text, offset, kind, _voices(site.score), previous)


def _voices(score: Score) -> int:
    """How many voices a score has, at most at once."""
    return sum(max((len(measure.voices) for measure in part.measures), default=0) for part in score.parts)
