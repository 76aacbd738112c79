"""`textDocument/completion` and `completionItem/resolve`: predictions and tables in the popup.

For editors without ghost text it gives the same predictions; everywhere it gives the names that a place allows
(fields, keys, metres, decorations, elements). Predictions come first, unless the characters before the cursor begin
an entry of a table. The list is always incomplete, so that clients ask again while the user types; tables do not wait
for a model that is still being loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from lsp_server import to_lsp
from lsp_server.documents import DocumentSnapshot
from lsp_server.features import configuration, predictions
from lsp_server.log import log_failure
from lsp_server.scheduler import SupersededError

if TYPE_CHECKING:
    from inference.completion import Suggestion
    from lsp_server.server import GhostnoteServer
    from notation.language import TableItem

OPTIONS = types.CompletionOptions(trigger_characters=["|", ":", "!", "<", ">", '"'], resolve_provider=True)

SECONDS = 1.0
"""How long a popup waits for the model."""

MOST = 500
"""How many entries of a table are sent."""


async def completion(ls: GhostnoteServer, params: types.CompletionParams) -> types.CompletionList | None:
    """The entries at a position; empty if the document has been edited since."""
    snapshot = ls.session.arrived(params.text_document.uri)
    if snapshot is None or not snapshot.is_readable:
        return None
    await configuration.until_known(ls)
    offset = snapshot.lines.offset(params.position)
    table = await _table(ls, snapshot, offset)
    wanted = _predictions_wanted(ls, params.context) and (not table or ls.models.is_loaded(ls.session.model_choice))
    found = await _predict(ls, snapshot, offset) if wanted else []
    if not ls.session.is_current(snapshot):
        return types.CompletionList(is_incomplete=True, items=[])
    ls.session.listed = (snapshot.language_name or "", found)
    return types.CompletionList(is_incomplete=True, items=_ranked(snapshot, found, table))


def resolve(ls: GhostnoteServer, item: types.CompletionItem) -> types.CompletionItem:
    """An entry with its explanation; entries of tables and of earlier lists stay as they are."""
    language_name, listed = ls.session.listed
    place = _place(item.data)
    if place is not None and place < len(listed) and to_lsp.label(listed[place]) == item.label:
        item.documentation = to_lsp.explanation(language_name, listed[place], _format(ls))
    return item


async def _table(ls: GhostnoteServer, snapshot: DocumentSnapshot, offset: int) -> list[TableItem]:
    def job(cancelled: Any) -> list[TableItem]:
        return snapshot.language.table_items(snapshot.parsed, offset)[:MOST]

    return await ls.scheduler.run((ls.session, snapshot.uri, "table"), job)


async def _predict(ls: GhostnoteServer, snapshot: DocumentSnapshot, offset: int) -> list[Suggestion]:
    """The predictions; none where the model fails, so that the tables always show."""
    try:
        return await predictions.predict(ls, snapshot, offset, ls.session.settings.candidates, "popup", SECONDS)
    except SupersededError:
        raise
    except Exception as error:
        log_failure(types.TEXT_DOCUMENT_COMPLETION, error)
        return []


def _predictions_wanted(ls: GhostnoteServer, context: types.CompletionContext | None) -> bool:
    """In manual mode the model is asked only when the user asks, not by each character."""
    by_user = context is None or context.trigger_kind == types.CompletionTriggerKind.Invoked
    return by_user or ls.session.settings.trigger == "automatic"


def _ranked(snapshot: DocumentSnapshot, found: list[Suggestion], table: list[TableItem]) -> list[types.CompletionItem]:
    """Predictions and table entries in one order."""
    begun = [item for item in table if _is_begun(snapshot.text, item)]
    others = [item for item in table if not _is_begun(snapshot.text, item)]
    items = [to_lsp.table_item(snapshot, item, rank) for rank, item in enumerate(begun)]
    for place, suggestion in enumerate(found):
        item = to_lsp.prediction_item(snapshot, suggestion, len(items))
        item.data = {"place": place}
        items.append(item)
    return items + [to_lsp.table_item(snapshot, item, len(items) + rank) for rank, item in enumerate(others)]


def _is_begun(text: str, item: TableItem) -> bool:
    typed = item.replaces.text(text)
    return bool(typed) and item.insert.startswith(typed)


def _place(data: object) -> int | None:
    place = data.get("place") if isinstance(data, dict) else None
    return place if isinstance(place, int) and place >= 0 else None


def _format(ls: GhostnoteServer) -> types.MarkupKind | None:
    """How the client wants explanations: its first choice, or None if it did not say."""
    text_document = ls.session.capabilities.text_document
    item = text_document.completion.completion_item if text_document and text_document.completion else None
    formats = item.documentation_format if item else None
    return formats[0] if formats else None
