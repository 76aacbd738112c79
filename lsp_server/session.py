"""What the server knows of one client. Changed on the event loop alone.

Each client has a session of its own; the worker and the loaded models are shared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp_server.documents import Documents, DocumentSnapshot
from lsp_server.models import ModelChoice
from lsp_server.settings import Settings, updated
from lsp_server.suggestions import SuggestionCache

if TYPE_CHECKING:
    from inference.completion import Suggestion

ARRIVED: ContextVar[DocumentSnapshot | None] = ContextVar("arrived", default=None)
"""The document of the request being handled, as it was when the request arrived.

A coroutine begins later than its message: edits that came behind the request may be applied by then, and its position
would be read in the wrong text.
"""


@dataclass(eq=False)
class Session:
    """Documents, settings and capabilities of one client.

    Attributes:
        settings: in force.
        documents: what is open.
        capabilities: what the client can do.
        suggestions: what was suggested.
        listed: the suggestions of the latest popup, for `completionItem/resolve`.
        told: the messages that were shown; none is shown twice.
        ready: set when the client has said `initialized` and its settings were fetched, or that took too long.
        queue: of the requests that wait until it is ready, the first one first.
    """

    settings: Settings = field(default_factory=Settings)
    documents: Documents = field(default_factory=Documents)
    capabilities: types.ClientCapabilities = field(default_factory=types.ClientCapabilities)
    suggestions: SuggestionCache = field(default_factory=SuggestionCache)
    listed: tuple[str, list[Suggestion]] = ("", [])
    told: set[str] = field(default_factory=set)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    queue: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def model_choice(self) -> ModelChoice:
        """The model that the settings ask for."""
        return ModelChoice(self.settings.model, self.settings.provider, self.settings.threads)

    def configure(self, section: Mapping[str, Any]) -> list[str]:
        """Take over a client's settings; gives a message for each value that is wrong."""
        before = self.settings
        self.settings, problems = updated(before, section)
        if self.settings != before:
            self.suggestions.clear()
        return problems

    def arrived(self, uri: str) -> DocumentSnapshot | None:
        """The document that a request is about, as it was when the request arrived; None if it is not open."""
        snapshot = ARRIVED.get()
        return snapshot if snapshot is not None and snapshot.uri == uri else self.documents.get(uri)

    def is_current(self, snapshot: DocumentSnapshot) -> bool:
        """Whether a document is still as the snapshot says."""
        return self.documents.get(snapshot.uri) is snapshot
