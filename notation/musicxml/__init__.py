"""MusicXML 4.0: score-partwise and score-timewise, plain and compressed."""

from __future__ import annotations

from collections.abc import Sequence

from notation.contents import Entry
from notation.language import Document, TableItem
from notation.musicxml import site as sites
from notation.musicxml.contents import contents
from notation.musicxml.mxl import MxlError, decode, read_file, read_mxl, write_mxl
from notation.musicxml.normal_form import normal_form
from notation.musicxml.printer import print_score, print_scores
from notation.musicxml.reader import parse
from notation.musicxml.render import render
from notation.musicxml.tables import table_items
from notation.score import Measure, Score
from notation.site import CompletionSite

__all__ = [
    "LANGUAGE",
    "MusicXML",
    "MxlError",
    "decode",
    "normal_form",
    "parse",
    "print_score",
    "read_file",
    "read_mxl",
    "write_mxl",
]


class MusicXML:
    """The language; see `notation.language.Language`."""

    name = sites.NAME
    suffixes = (".musicxml", ".xml", ".mxl")

    def decode(self, data: bytes) -> str:
        """The text of a file's bytes, compressed or not.

        Raises:
            MxlError: it is a ZIP archive that holds no readable score.
        """
        return read_file(data)

    def contents(self, text: str) -> list[Entry]:
        """The piece of a text, without parsing it."""
        return contents(text)

    def parse(self, text: str, near: Document | None = None) -> Document:
        """Parse any text whatever into a document with one score; only what differs from `near` is read, if little."""
        return parse(text, near)

    def print(self, scores: Sequence[Score]) -> str:
        """Write the one score as a document; reading it gives `normal_form` of the score."""
        return print_scores(scores)

    def completion_site(self, document: Document, offset: int) -> CompletionSite | None:
        """The site at an offset, or None where no music can be written."""
        return sites.completion_site(document, offset)

    def render(self, site: CompletionSite, measures: Sequence[Measure]) -> str:
        """The text to insert at `site.offset`, in the style of the document around it."""
        return render(site, measures)

    def table_items(self, document: Document, offset: int) -> list[TableItem]:
        """The elements, attributes and values that fit at an offset."""
        return table_items(document, offset)


LANGUAGE = MusicXML()
