"""The ABC language, version 2.1: texts to scores and back, and music for the place at the cursor."""

from __future__ import annotations

from collections.abc import Sequence

from notation.abc.contents import contents
from notation.abc.encoding import decode_bytes
from notation.abc.lookup import table_items
from notation.abc.parser import parse
from notation.abc.printer import print_scores
from notation.abc.render import render
from notation.abc.site import completion_site
from notation.contents import Entry
from notation.language import Document, TableItem
from notation.score import Measure, Score
from notation.site import CompletionSite

__all__ = ["LANGUAGE", "Abc", "decode_bytes"]


class Abc:
    """ABC as a `notation.language.Language`."""

    name = "abc"
    suffixes = (".abc",)

    def decode(self, data: bytes) -> str:
        """The text of a file's bytes; every sequence of bytes is some text."""
        return decode_bytes(data)[0]

    def contents(self, text: str) -> list[Entry]:
        """The tunes of a text, without parsing it."""
        return contents(text)

    def parse(self, text: str, near: Document | None = None) -> Document:
        """Parse any text whatever; only what differs from `near` is read, if little."""
        return parse(text, near)

    def print(self, scores: Sequence[Score]) -> str:
        """Write scores as a new document; what ABC cannot hold is normalised as `notation.abc.printer` says."""
        return print_scores(scores)

    def completion_site(self, document: Document, offset: int) -> CompletionSite | None:
        """The site at an offset, or None where no music can be written."""
        return completion_site(document, offset)

    def render(self, site: CompletionSite, measures: Sequence[Measure]) -> str:
        """The text to insert at `site.offset`, in the style of the document around it."""
        return render(site, measures)

    def table_items(self, document: Document, offset: int) -> list[TableItem]:
        """Static completions that fit at an offset."""
        return table_items(document, offset)


LANGUAGE = Abc()
