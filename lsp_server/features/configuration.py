"""`workspace/didChangeConfiguration` and `workspace/configuration`: settings that take effect at once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.features import lifecycle
from lsp_server.settings import SECTION, section_of

if TYPE_CHECKING:
    from lsp_server.server import GhostnoteServer


SECONDS = 2.0
"""How long a client may take to tell its settings before its first request is answered with those that are known."""


async def did_change_configuration(ls: GhostnoteServer, params: types.DidChangeConfigurationParams) -> None:
    """The client has new settings: they come along, or are fetched if it sent none."""
    if params.settings:
        apply(ls, params.settings)
    else:
        await fetch(ls)


def watching(ls: GhostnoteServer) -> list[types.Registration]:
    """What asks to be told of changed settings, where clients want to be asked."""
    workspace = ls.session.capabilities.workspace
    watched = workspace.did_change_configuration if workspace is not None else None
    if watched is None or not watched.dynamic_registration:
        return []
    options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
    return [types.Registration(str(uuid.uuid4()), types.WORKSPACE_DID_CHANGE_CONFIGURATION, options)]


async def fetch(ls: GhostnoteServer) -> None:
    """Ask the client for its settings, if it can tell."""
    workspace = ls.session.capabilities.workspace
    if workspace is None or not workspace.configuration:
        return
    items = [types.ConfigurationItem(section=SECTION)]
    answer = await ls.workspace_configuration_async(types.ConfigurationParams(items))
    if isinstance(answer, Sequence) and answer:
        apply(ls, answer[0])


async def until_known(ls: GhostnoteServer) -> None:
    """Wait for the first settings: they say which model to ask. A client that is slow to tell is waited for once.

    Requests leave in the order in which they came, or an old one would overtake a newer one of the same feature.
    """
    async with ls.session.queue:
        if not ls.session.ready.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ls.session.ready.wait(), SECONDS)
            ls.session.ready.set()


def apply(ls: GhostnoteServer, value: object) -> None:
    """Take settings over; what is wrong with them is shown once."""
    before = ls.session.settings
    for problem in ls.session.configure(section_of(value)):
        ls.tell(problem)
    after = ls.session.settings
    if before.diagnostics != after.diagnostics:
        for snapshot in ls.session.documents.all():
            ls.diagnostics.soon(snapshot.uri)
    chosen = (after.model, after.provider, after.threads)
    if ls.session.ready.is_set() and chosen != (before.model, before.provider, before.threads):
        ls.spawn(lifecycle.load_model(ls), "loading the model")
