"""Readers with and without a memory: both must say the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notation.language import Document
from notation.recent import Recent


def fresh_document(parse: Callable[[str], Document], text: str, *memories: Recent[Any]) -> Document:
    """What a reader makes of a text while it remembers nothing; it remembers the same afterwards as before."""
    kept = [memory.kept for memory in memories]
    for memory in memories:
        memory.forget()
    document = parse(text)
    for memory, one in zip(memories, kept, strict=True):
        memory.kept = one
    return document


def everything(document: Document) -> str:
    """All that a document says, spans included, which `==` passes over."""
    return repr((document.scores, document.diagnostics, document.tree))
