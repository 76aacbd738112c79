"""`initialize`, `initialized` and `shutdown`: the beginning and the end of a session.

`initialize` is answered at once. The model is loaded after `initialized`, in the background, with work-done progress
where the client shows it. If it cannot be loaded, one message says why and what to do, and all else goes on.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.features import configuration, workspace
from lsp_server.models import ModelUnavailableError

if TYPE_CHECKING:
    from lsp_server.server import GhostnoteServer


def initialize(ls: GhostnoteServer, params: types.InitializeParams) -> None:
    """Take note of what the client can do and wants."""
    ls.session.capabilities = params.capabilities
    ls.session.documents.encoding = types.PositionEncodingKind(ls.workspace.position_encoding)
    configuration.apply(ls, params.initialization_options)


async def initialized(ls: GhostnoteServer, params: types.InitializedParams) -> None:
    """Fetch the settings, then load the model."""
    ls.spawn(_watch(ls), "registering for changes")
    try:
        await configuration.fetch(ls)
    finally:
        ls.session.ready.set()
        ls.spawn(load_model(ls), "loading the model")
        workspace.begin(ls)


def shutdown(ls: GhostnoteServer, params: None) -> None:
    """Stop everything that runs for the client."""
    ls.close()


async def load_model(ls: GhostnoteServer) -> None:
    """Load the model that the settings ask for, telling the client how it goes."""
    loading = ls.models.get(ls.session.model_choice)
    token = None if loading.done() else await _begin_progress(ls)
    message = "ready"
    try:
        completer = await asyncio.shield(loading)  # the loading is shared, it outlives this client
        if completer.message:
            ls.tell(completer.message)
    except ModelUnavailableError as error:
        message = "not available"
        ls.tell_no_model(error)
    finally:
        if token is not None:
            ls.work_done_progress.end(token, types.WorkDoneProgressEnd(message=message))


async def _begin_progress(ls: GhostnoteServer) -> str | None:
    window = ls.session.capabilities.window
    if window is None or not window.work_done_progress:
        return None
    token = str(uuid.uuid4())
    await ls.work_done_progress.create_async(token)
    ls.work_done_progress.begin(token, types.WorkDoneProgressBegin(title="Ghostnote: loading the model"))
    return token


async def _watch(ls: GhostnoteServer) -> None:
    """Ask to be told of changed settings and files, where clients want to be asked."""
    registrations = [*configuration.watching(ls), *workspace.watching(ls)]
    if registrations:
        await ls.client_register_capability_async(types.RegistrationParams(registrations))
