"""Our values as LSP values.

Features compute with spans, diagnostics and suggestions of our own; only here do they become what goes over the wire.

Source: LSP 3.18.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.documents import DocumentSnapshot
from lsp_server.positions import LineIndex
from notation.source import Span

if TYPE_CHECKING:
    from inference.completion import Suggestion
    from notation.diagnostic import Diagnostic
    from notation.language import TableItem

SOURCE = "ghostnote"

_KINDS = {
    "field": types.CompletionItemKind.Field,
    "key": types.CompletionItemKind.Value,
    "metre": types.CompletionItemKind.Value,
    "length": types.CompletionItemKind.Unit,
    "decoration": types.CompletionItemKind.Event,
    "directive": types.CompletionItemKind.Keyword,
    "element": types.CompletionItemKind.Class,
    "attribute": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.EnumMember,
}
_WORD = re.compile(r"\w*\Z")
_LABEL_WIDTH = 60


def diagnostic(lines: LineIndex, one: Diagnostic) -> types.Diagnostic:
    """A diagnostic for the client."""
    message = f"{one.message} ({one.paragraph})" if one.paragraph else one.message
    return types.Diagnostic(
        range=lines.range(one.span),
        message=message,
        severity=types.DiagnosticSeverity(one.severity.value),
        code=one.code,
        source=SOURCE,
    )


def inline_item(snapshot: DocumentSnapshot, suggestion: Suggestion) -> types.InlineCompletionItem:
    """A suggestion as ghost text at its place.

    The range is always given: without one, some clients replace the word at the cursor.
    """
    at = snapshot.lines.position(suggestion.offset)
    return types.InlineCompletionItem(insert_text=suggestion.text, range=types.Range(at, at))


def inline_item_over(replaced: str, range_: types.Range, text: str) -> types.InlineCompletionItem:
    """Ghost text that takes the place of what a selected popup entry would replace.

    Clients show it only if the replaced characters begin its filter text.
    """
    filter_text = None if text.startswith(replaced) else replaced + text
    return types.InlineCompletionItem(insert_text=text, filter_text=filter_text, range=range_)


def word_before(text: str, offset: int) -> Span:
    """The word that ends at an offset: what clients filter popup entries by."""
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    match = _WORD.search(text[max(line_start, offset - 200) : offset])
    length = len(match.group()) if match else 0
    return Span(offset - length, offset)


def prediction_item(snapshot: DocumentSnapshot, suggestion: Suggestion, rank: int) -> types.CompletionItem:
    """A suggestion as a popup entry.

    It repeats the word before the cursor, because clients filter entries by it.
    """
    word = word_before(snapshot.text, suggestion.offset)
    text = word.text(snapshot.text) + suggestion.text
    return types.CompletionItem(
        label=label(suggestion),
        kind=types.CompletionItemKind.Text,
        detail="1 measure" if suggestion.measures == 1 else f"{suggestion.measures} measures",
        sort_text=f"{rank:04}",
        filter_text=text,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(snapshot.lines.range(word), text),
    )


def table_item(snapshot: DocumentSnapshot, item: TableItem, rank: int) -> types.CompletionItem:
    """A table entry as a popup entry."""
    replaced = item.replaces.text(snapshot.text)
    return types.CompletionItem(
        label=item.label,
        kind=_KINDS.get(item.kind, types.CompletionItemKind.Text),
        detail=item.detail or None,
        sort_text=f"{rank:04}",
        filter_text=item.insert if item.insert.startswith(replaced) else item.label,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(snapshot.lines.range(item.replaces), item.insert),
    )


def explanation(language_name: str, suggestion: Suggestion, kind: types.MarkupKind | None) -> types.MarkupContent | str:
    """Why a suggestion is made, for the popup's side panel.

    Args:
        language_name: what the suggestion is written in.
        suggestion: what to explain.
        kind: the format that the client wants; None if it did not say.
    """
    music, quality = suggestion.text.strip(), f"log-probability per token {suggestion.score:.2f}"
    if kind != types.MarkupKind.Markdown:
        value = f"{music}\n\n{suggestion.explanation}\n\n{quality}"
        return value if kind is None else types.MarkupContent(kind, value)
    fence = {"musicxml": "xml"}.get(language_name, language_name)
    value = f"```{fence}\n{music}\n```\n\n{suggestion.explanation}\n\n*{quality}*"
    return types.MarkupContent(kind, value)


def label(suggestion: Suggestion) -> str:
    """What the popup's list shows: the music itself where it is one line, else what is said of it."""
    music = suggestion.text.strip()
    line = suggestion.explanation if "\n" in music else " ".join(music.split())
    return line if len(line) <= _LABEL_WIDTH else line[: _LABEL_WIDTH - 1] + "…"
