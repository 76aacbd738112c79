"""The open documents, as immutable snapshots.

A `DocumentSnapshot` is what a request works on: it never changes, so the worker may read it while the user types on.
`Documents` holds the newest snapshot of each uri and is changed on the event loop alone.

Parsing is done at most once a snapshot, when it is first asked for, and only ever in the worker. The languages are
imported when the first document is opened: `initialize` is answered without them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from lsp_server import garbage
from lsp_server.limits import MAX_CHARACTERS
from lsp_server.positions import LineIndex, apply_change
from notation.source import Span, replaced

if TYPE_CHECKING:
    from notation.language import Document, Language

_LANGUAGE_IDS = {
    "abc": "abc",
    "abcnotation": "abc",
    "abc-notation": "abc",
    "abcmusic": "abc",
    "musicxml": "musicxml",
}

_LARGE = 50_000
"""Characters from which on a document is large."""


def language_name(language_id: str, path: str) -> str | None:
    """The notation language of a document: by the editor's language id, else by the suffix of its path.

    `xml` alone does not say which XML, so there the suffix decides.
    """
    from notation.language import language_of

    known = _LANGUAGE_IDS.get(language_id.lower())
    if known is not None:
        return known
    by_suffix = language_of(path)
    return None if by_suffix is None else by_suffix.name


@dataclass(frozen=True)
class DocumentSnapshot:
    """One state of one document.

    Attributes:
        uri: as the client spells it.
        version: as the client counts it.
        text: the whole text.
        language_name: of the notation language; None if there is none for it.
        encoding: what the client counts columns in.
        near: an earlier state of it that was parsed, if there is one.
    """

    uri: str
    version: int
    text: str
    language_name: str | None
    encoding: types.PositionEncodingKind = types.PositionEncodingKind.Utf16
    near: Document | None = field(default=None, repr=False, compare=False)

    @cached_property
    def lines(self) -> LineIndex:
        """Positions of this text."""
        return LineIndex(self.text, self.encoding)

    @property
    def is_readable(self) -> bool:
        """Whether there is a language for it and it is not too large."""
        return self.language_name is not None and len(self.text) <= MAX_CHARACTERS

    @property
    def is_large(self) -> bool:
        """Whether its score is worth sparing a search for garbage."""
        return len(self.text) >= _LARGE

    @property
    def language(self) -> Language:
        """Its notation language.

        Raises:
            ValueError: there is none; look at `is_readable` first.
        """
        from notation.language import language

        if self.language_name is None:
            raise ValueError("the document is in no notation language")
        return language(self.language_name)

    @cached_property
    def parsed(self) -> Document:
        """The parsed text. Slow: for the worker."""
        if not self.is_large:
            return self.language.parse(self.text, self.near)
        with garbage.spared():
            return self.language.parse(self.text, self.near)

    @property
    def last_parsed(self) -> Document | None:
        """The newest of its states that was parsed, if any was."""
        parsed: Document | None = vars(self).get("parsed", self.near)
        return parsed

    def replaced(self, span: Span, text: str) -> DocumentSnapshot:
        """What the document would be with `text` instead of the characters of `span`."""
        return replace(self, text=replaced(self.text, span, text), near=self.last_parsed)


class Documents:
    """The newest snapshot of every open document. For the event loop alone."""

    def __init__(self) -> None:
        self._snapshots: dict[str, DocumentSnapshot] = {}
        self.encoding = types.PositionEncodingKind.Utf16

    def get(self, uri: str) -> DocumentSnapshot | None:
        """The newest snapshot, or None if the document is not open."""
        return self._snapshots.get(uri)

    def all(self) -> list[DocumentSnapshot]:
        """The newest snapshot of each open document."""
        return list(self._snapshots.values())

    def open(self, item: types.TextDocumentItem) -> DocumentSnapshot:
        """Take in a document that was opened (or opened again)."""
        name = language_name(item.language_id, _path(item.uri))
        return self._store(DocumentSnapshot(item.uri, item.version, item.text, name, self.encoding))

    def change(self, params: types.DidChangeTextDocumentParams) -> DocumentSnapshot | None:
        """Apply edits in their order; None if the document is not open."""
        old = self.get(params.text_document.uri)
        if old is None:
            return None
        lines = old.lines
        for change in params.content_changes:
            lines = apply_change(lines, change)
        new = replace(old, version=params.text_document.version, text=lines.text, near=old.last_parsed)
        vars(new)["lines"] = lines  # they are known already
        return self._store(new)

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._snapshots.pop(uri, None)
        if not any(one.is_large for one in self._snapshots.values()):
            garbage.search_all()

    def clear(self) -> None:
        """Forget all documents."""
        self._snapshots.clear()
        garbage.search_all()

    def _store(self, snapshot: DocumentSnapshot) -> DocumentSnapshot:
        self._snapshots[snapshot.uri] = snapshot
        return snapshot


def _path(uri: str) -> str:
    """The path of a uri, for its suffix."""
    try:
        return str(PurePosixPath(unquote(urlsplit(uri).path)))
    except ValueError:
        return ""
