"""The suggestions at a place in a document: from the cache, else from the model.

Both `textDocument/inlineCompletion` and `textDocument/completion` ask here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsp_server.documents import DocumentSnapshot
from lsp_server.models import ModelUnavailableError
from lsp_server.suggestions import Asked

if TYPE_CHECKING:
    from inference.completion import Completer, Suggestion
    from lsp_server.server import GhostnoteServer


async def predict(
    ls: GhostnoteServer,
    snapshot: DocumentSnapshot,
    offset: int,
    candidates: int,
    asker: str,
    seconds: float,
    pause: float = 0.0,
) -> list[Suggestion]:
    """The suggestions at an offset, the best first; empty where no music can be written or there is no model.

    Args:
        ls: the server.
        snapshot: the document.
        offset: of the cursor.
        candidates: how many different suggestions.
        asker: the feature that asks; a newer request of the same feature for the same document overtakes this one.
        seconds: how long the model may take.
        pause: seconds to wait before the model is asked.

    Raises:
        SupersededError: there is a newer request, or the document was edited.
    """
    asked = _asked(ls, snapshot, offset)
    found = ls.session.suggestions.find(snapshot.uri, asked, candidates)
    if found is not None:
        return found
    if not snapshot.is_readable:
        return []
    model = ls.models.get(ls.session.model_choice)
    job = _job(model, snapshot, asked, candidates, seconds)
    try:
        found = await ls.scheduler.run((ls.session, snapshot.uri, asker), job, _ready(model, pause))
    except ModelUnavailableError as error:
        ls.tell_no_model(error)
        return []
    return ls.session.suggestions.remember(snapshot.uri, asked, candidates, found)


async def _ready(model: asyncio.Future[Completer], pause: float) -> None:
    if pause > 0:
        await asyncio.sleep(pause)
    await asyncio.shield(model)  # a request that is cancelled must not cancel the loading


def _asked(ls: GhostnoteServer, snapshot: DocumentSnapshot, offset: int) -> Asked:
    return Asked(snapshot.text, offset, ls.session.settings.measures, ls.session.settings.temperature)


def _job(
    model: asyncio.Future[Completer], snapshot: DocumentSnapshot, asked: Asked, candidates: int, seconds: float
) -> Callable[[Callable[[], bool]], list[Suggestion]]:
    """What the worker does. Suggestions that do not stand at the cursor are left out: ghost text cannot show them."""

    def job(cancelled: Callable[[], bool]) -> list[Suggestion]:
        from inference.completion import CompletionOptions
        from inference.errors import GhostnoteError

        options = CompletionOptions(
            measures=asked.measures,
            candidates=candidates,
            temperature=asked.temperature,
            deadline=time.monotonic() + seconds,
        )
        try:
            result = model.result().complete(snapshot.parsed, snapshot.language, asked.offset, options, cancelled)
        except GhostnoteError as error:
            raise ModelUnavailableError(str(error)) from error
        return [one for one in result.suggestions if one.offset == asked.offset and one.text]

    return job
