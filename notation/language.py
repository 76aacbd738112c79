"""What a notation language must do, and which ones there are.

Adding one: a package beside `notation.abc` that satisfies `Language`, and one line in `_LANGUAGES`.
The contract tests in `tests/notation/test_languages.py` pick it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import Protocol, cast

from notation.contents import Entry
from notation.diagnostic import Diagnostic
from notation.score import Measure, Score
from notation.site import CompletionSite
from notation.source import Span


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text.

    Attributes:
        text: what was parsed.
        scores: the tunes of an ABC file in order, or the one score of a MusicXML document.
        diagnostics: in order of position.
        tree: the language's own syntax tree; opaque to everyone else.
    """

    text: str
    scores: tuple[Score, ...]
    diagnostics: tuple[Diagnostic, ...]
    tree: object = None


@dataclass(frozen=True, slots=True)
class TableItem:
    """One entry of a static completion table: a field, key, metre, decoration or element.

    Attributes:
        label: what the list shows.
        insert: what is inserted instead of `replaces`.
        replaces: the characters typed so far that the entry stands for.
        kind: `field`, `key`, `metre`, `length`, `decoration`, `directive`, `element`, `attribute`, `value`.
        detail: one line of explanation.
    """

    label: str
    insert: str
    replaces: Span
    kind: str
    detail: str = ""


class Language(Protocol):
    """A notation language. Every method is a pure function of its arguments; parsing never fails."""

    @property
    def name(self) -> str:
        """Short lower-case name: `abc`, `musicxml`."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """File suffixes, lower case with the dot."""

    def decode(self, data: bytes) -> str:
        """The text of a file's bytes, unpacked if they are compressed.

        Raises:
            ValueError: no text can be got out of them.
        """

    def contents(self, text: str) -> list[Entry]:
        """The pieces of any text whatever, in its order, without parsing it."""

    def parse(self, text: str, near: Document | None = None) -> Document:
        """Parse any text whatever.

        Args:
            text: what to parse.
            near: a document of this language, if there is one whose text is much the same: it saves time and never
                shows.
        """

    def print(self, scores: Sequence[Score]) -> str:
        """Write scores as a new document; parsing it gives equal scores."""

    def completion_site(self, document: Document, offset: int) -> CompletionSite | None:
        """The site at an offset, or None where no music can be written (comments, fields, lyrics, strings)."""

    def render(self, site: CompletionSite, measures: Sequence[Measure]) -> str:
        """The text to insert at `site.offset`, in the style of the document around it.

        Args:
            site: as given by `completion_site`.
            measures: what to write. In the first, only the new events, with onsets counted from the start of the
                measure; its `barline` is None where `site.barline_follows`. The others are complete.
        """

    def table_items(self, document: Document, offset: int) -> list[TableItem]:
        """Static completions that fit at an offset (fields, keys, decorations, elements); often none."""


_LANGUAGES = {"abc": "notation.abc", "musicxml": "notation.musicxml"}


def language(name: str) -> Language:
    """The language of a name.

    Raises:
        KeyError: there is no such language; the message lists those there are.
    """
    if name not in _LANGUAGES:
        raise KeyError(f"there is no notation language '{name}'; there are {', '.join(_LANGUAGES)}")
    return cast("Language", import_module(_LANGUAGES[name]).LANGUAGE)


def languages() -> list[Language]:
    """Every notation language, in the order of the registry."""
    return [language(name) for name in _LANGUAGES]


def language_of(path: str) -> Language | None:
    """The language of a file by its suffix, or None."""
    suffix = PurePath(path).suffix.lower()
    return next((one for one in languages() if suffix in one.suffixes), None)
