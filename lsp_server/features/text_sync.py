"""`textDocument/didOpen`, `didChange`, `didSave` and `didClose`: keep the snapshots as the client's text is.

An edit overtakes whatever the worker does for the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from lsp_server.server import GhostnoteServer


def did_open(ls: GhostnoteServer, params: types.DidOpenTextDocumentParams) -> None:
    """A document is opened."""
    uri = params.text_document.uri
    ls.scheduler.cancel((ls.session, uri))
    ls.session.documents.open(params.text_document)
    ls.diagnostics.soon(uri)


def did_change(ls: GhostnoteServer, params: types.DidChangeTextDocumentParams) -> None:
    """A document is edited."""
    uri = params.text_document.uri
    ls.scheduler.cancel((ls.session, uri))
    ls.session.documents.change(params)
    ls.diagnostics.soon(uri)


def did_save(ls: GhostnoteServer, params: types.DidSaveTextDocumentParams) -> None:
    """A document is saved."""
    ls.diagnostics.soon(params.text_document.uri)


def did_close(ls: GhostnoteServer, params: types.DidCloseTextDocumentParams) -> None:
    """A document is closed: nothing is kept of it."""
    uri = params.text_document.uri
    ls.scheduler.cancel((ls.session, uri))
    ls.session.documents.close(uri)
    ls.session.suggestions.forget(uri)
    ls.diagnostics.clear(uri)
