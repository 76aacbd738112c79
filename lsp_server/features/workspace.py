"""`workspace/symbol`: tunes and scores of the open folders by title, composer or file name, and what keeps them known.

Files are read for a client over standard input and output alone: others share the server, and its disk is not theirs.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls import uris

from lsp_server.index import FoundPiece

if TYPE_CHECKING:
    from lsp_server.server import GhostnoteServer

LIMIT = 200
"""Pieces in one answer: clients ask again with every key."""
_PATTERN = "**/*.{abc,musicxml,xml,mxl}"


def begin(ls: GhostnoteServer) -> None:
    """Read the folders that the client has open."""
    if ls.index is None:
        return
    for folder in ls.workspace.folders.values():
        _read(ls, folder.uri)
    if not ls.workspace.folders and ls.workspace.root_uri:
        _read(ls, ls.workspace.root_uri)


def watching(ls: GhostnoteServer) -> list[types.Registration]:
    """What asks to be told of changed files, where the client can."""
    workspace = ls.session.capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    if ls.index is None or watched is None or not watched.dynamic_registration:
        return []
    options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(_PATTERN)])
    return [types.Registration(str(uuid.uuid4()), types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)]


def did_change_watched_files(ls: GhostnoteServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Files were made, changed or deleted."""
    for change in params.changes:
        _read(ls, change.uri)


def did_change_workspace_folders(ls: GhostnoteServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Folders were opened or closed."""
    for folder in params.event.removed:
        if ls.index is not None and (path := _path(folder.uri)) is not None:
            ls.index.forget(path)
    for folder in params.event.added:
        _read(ls, folder.uri)


def symbol(ls: GhostnoteServer, params: types.WorkspaceSymbolParams) -> list[types.SymbolInformation]:
    """The pieces that fit a query."""
    found = ls.index.find(params.query, LIMIT) if ls.index is not None else []
    return [_symbol(piece) for piece in found]


def _symbol(piece: FoundPiece) -> types.SymbolInformation:
    start = types.Position(piece.entry.line, 0)
    return types.SymbolInformation(
        name=piece.name,
        kind=types.SymbolKind.File,
        location=types.Location(uris.from_fs_path(str(piece.path)) or "", types.Range(start, start)),
        container_name=piece.entry.composer or None,
    )


def _read(ls: GhostnoteServer, uri: str) -> None:
    if ls.index is not None and (path := _path(uri)) is not None:
        ls.index.read(path)


def _path(uri: str) -> Path | None:
    """The path of a file's uri; None for what is no file of this machine."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None
