"""`textDocument/publishDiagnostics`: what is wrong with the notation, a moment after it was typed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server import to_lsp
from lsp_server.documents import DocumentSnapshot
from lsp_server.limits import too_large
from notation.diagnostic import Diagnostic

if TYPE_CHECKING:
    from lsp_server.server import GhostnoteServer

PAUSE = 0.2
"""Seconds without an edit before a document is looked at."""

MOST = 500
"""How many diagnostics of a document are shown; text that is no music at all would give one for every line."""


class Publisher:
    """Publishes the diagnostics of one client's documents, each after a pause. For the event loop."""

    def __init__(self, ls: GhostnoteServer) -> None:
        self._ls = ls
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def soon(self, uri: str) -> None:
        """Publish after a pause; asking again starts the pause anew."""
        self._stop(uri)
        self._timers[uri] = asyncio.get_running_loop().call_later(PAUSE, self._start, uri)

    def clear(self, uri: str) -> None:
        """Take back what was published for a document that is closed."""
        self._stop(uri)
        self._publish(uri, None, [])

    def close(self) -> None:
        """Publish nothing more."""
        for uri in list(self._timers):
            self._stop(uri)

    def _stop(self, uri: str) -> None:
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()

    def _start(self, uri: str) -> None:
        del self._timers[uri]
        snapshot = self._ls.session.documents.get(uri)
        if snapshot is not None:
            self._ls.spawn(self._check(snapshot), "diagnostics")

    async def _check(self, snapshot: DocumentSnapshot) -> None:
        found: list[types.Diagnostic] = []
        if self._ls.session.settings.diagnostics and snapshot.language_name is not None:
            key = (self._ls.session, snapshot.uri, "diagnostics")
            found = await self._ls.scheduler.run(key, lambda cancelled: _find(snapshot))
        if self._ls.session.is_current(snapshot):
            self._publish(snapshot.uri, snapshot.version, found)

    def _publish(self, uri: str, version: int | None, found: Sequence[types.Diagnostic]) -> None:
        self._ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))


def _find(snapshot: DocumentSnapshot) -> list[types.Diagnostic]:
    """The diagnostics of a snapshot, the worst first where there are too many. For the worker."""
    found: Sequence[Diagnostic] = (
        snapshot.parsed.diagnostics if snapshot.is_readable else (too_large(len(snapshot.text)),)
    )
    if len(found) > MOST:
        found = sorted(found, key=lambda one: one.severity)[:MOST]
    return [to_lsp.diagnostic(snapshot.lines, one) for one in found]
