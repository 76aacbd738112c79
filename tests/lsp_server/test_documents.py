"""Snapshots of documents know what was parsed before them, so that many documents can take turns."""

from __future__ import annotations

from lsprotocol import types

from lsp_server.documents import Documents, DocumentSnapshot
from notation.source import Span

URI = "file:///music/tune.abc"


def typed(documents: Documents, text: str, column: int) -> DocumentSnapshot:
    """The document after some characters were typed in its third line."""
    place = types.Position(2, column)
    change = types.TextDocumentContentChangePartial(types.Range(place, place), text)
    identifier = types.VersionedTextDocumentIdentifier(version=2, uri=URI)
    snapshot = documents.change(types.DidChangeTextDocumentParams(identifier, [change]))
    assert snapshot is not None
    return snapshot


def test_an_edit_is_read_from_the_last_state_that_was_parsed() -> None:
    documents = Documents()
    opened = documents.open(types.TextDocumentItem(URI, "abc", 1, "X:1\nK:C\nCDEF"))
    assert opened.near is None
    assert typed(documents, "G", 4).near is None
    parsed = opened.parsed
    opened = documents.open(types.TextDocumentItem(URI, "abc", 1, "X:1\nK:C\nCDEF"))
    assert opened.near is None
    parsed = opened.parsed
    first, second = typed(documents, "G", 4), typed(documents, "A", 5)
    assert first.near is parsed
    assert second.near is parsed
    assert second.parsed.text == "X:1\nK:C\nCDEFGA"
    assert typed(documents, "|", 6).near is second.parsed
    assert second.replaced(Span(8, 9), "c").near is second.parsed


def test_what_was_parsed_before_makes_no_other_snapshot() -> None:
    text = "X:1\nK:C\nCDEF"
    one = DocumentSnapshot(URI, 1, text, "abc")
    assert DocumentSnapshot(URI, 1, text, "abc", near=one.parsed) == one
