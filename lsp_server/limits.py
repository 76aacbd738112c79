"""How large a document may be, so that no text takes the server more than bounded time and memory."""

from __future__ import annotations

from notation.diagnostic import Diagnostic, Severity
from notation.source import NOWHERE

MAX_CHARACTERS = 10_000_000
"""Longer documents are kept in sync but neither parsed nor completed."""


def too_large(characters: int) -> Diagnostic:
    """What is said of a document that is not parsed because of its size."""
    return Diagnostic(
        "document-too-large",
        Severity.WARNING,
        NOWHERE,
        f"This document has {characters:,} characters; Ghostnote reads up to {MAX_CHARACTERS:,}. "
        "Split it into smaller files to get diagnostics and suggestions.",
    )
