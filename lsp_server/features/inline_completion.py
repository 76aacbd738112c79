"""`textDocument/inlineCompletion`: the next measures as ghost text.

Asked by the user (trigger kind 1) it gives several different candidates, while typing (2) one. With a popup entry
selected, the ghost text goes on from that entry over the same range.

Source: LSP 3.18, "Inline Completion Request".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server import to_lsp
from lsp_server.documents import DocumentSnapshot
from lsp_server.features import configuration, predictions

if TYPE_CHECKING:
    from inference.completion import Suggestion
    from lsp_server.server import GhostnoteServer

LEAST_INVOKED = 3
"""How many candidates the user is given who asks for suggestions."""

SECONDS_INVOKED = 10.0
SECONDS_AUTOMATIC = 2.0


async def inline_completion(
    ls: GhostnoteServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    """The ghost text at a position; null where there is none or the document has been edited since."""
    snapshot = ls.session.arrived(params.text_document.uri)
    if snapshot is None:
        return None
    await configuration.until_known(ls)
    invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    if not invoked and ls.session.settings.trigger == "manual":
        return None
    selected = params.context.selected_completion_info
    if selected is None:
        items = await _at_cursor(ls, snapshot, snapshot.lines.offset(params.position), invoked)
    else:
        items = await _over_selected(ls, snapshot, selected, invoked)
    return types.InlineCompletionList(items) if items and ls.session.is_current(snapshot) else None


async def _at_cursor(
    ls: GhostnoteServer, snapshot: DocumentSnapshot, offset: int, invoked: bool
) -> list[types.InlineCompletionItem]:
    found = await _predict(ls, snapshot, offset, invoked)
    return [to_lsp.inline_item(snapshot, one) for one in found]


async def _over_selected(
    ls: GhostnoteServer, snapshot: DocumentSnapshot, selected: types.SelectedCompletionInfo, invoked: bool
) -> list[types.InlineCompletionItem]:
    """What follows a selected popup entry, as if it had been accepted already."""
    if selected.range.start.line != selected.range.end.line:
        return []
    span = snapshot.lines.span(selected.range)
    accepted = snapshot.replaced(span, selected.text)
    found = await _predict(ls, accepted, span.start + len(selected.text), invoked)
    return [
        to_lsp.inline_item_over(span.text(snapshot.text), selected.range, selected.text + one.text) for one in found
    ]


async def _predict(ls: GhostnoteServer, snapshot: DocumentSnapshot, offset: int, invoked: bool) -> list[Suggestion]:
    settings = ls.session.settings
    if invoked:
        candidates = max(LEAST_INVOKED, settings.candidates)
        return await predictions.predict(ls, snapshot, offset, candidates, "inline", SECONDS_INVOKED)
    pause = settings.delay_ms / 1000
    found = await predictions.predict(ls, snapshot, offset, 1, "inline", SECONDS_AUTOMATIC, pause)
    return found[:1]
