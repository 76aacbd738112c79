"""Is a text well-formed XML, and where does it break?

lxml decides. It is given the text without its document type declaration, so that there is no DTD to load and no
entity to expand; network, DTD and huge documents are switched off besides.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from notation.diagnostic import Diagnostic, Severity
from notation.source import Span

BROKEN = "not-well-formed"
"""The code of what is found here."""

_DOCTYPE = re.compile(r"<!DOCTYPE[^\[<>]*+(?:>|\[(?:.*?\]\s*>|.*))", re.DOTALL)
_NOT_NEWLINE = re.compile(r"[^\n]")


_OPTIONS: dict[str, Any] = {
    "encoding": "utf-8",
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_MAX_QUICK = 10_000_000
"""Bytes of a text up to which no limit of lxml on the length of what is in it can be passed."""
_LONG_TAG = 4096
"""A colon so many characters behind the last tag may stand in the next one."""


class _Nothing:
    """What lxml is to make of a text of which it only reads whether it is well-formed."""

    def close(self) -> None:
        """The end of the text."""


def check(text: str) -> list[Diagnostic]:
    """At most one diagnostic: the first place at which `text` is not well-formed."""
    data = _without_doctype(text)
    if len(data) < _MAX_QUICK and not _may_have_prefixes(data) and _error(data, with_tree=False) is None:
        return []
    error = _error(data, with_tree=True)  # that a prefix is not declared is only found while a tree is made
    if error is None:
        return []
    line, column = error.position
    start = min(_offset(text, line, column), len(text))
    reason = (error.msg or "it breaks off").split(", line ")[0]
    message = f"This is not well-formed XML: {reason}. Mend it here, or close what is open."
    span = Span(start, min(start + 1, len(text)))
    return [Diagnostic(BROKEN, Severity.ERROR, span, message, "XML 1.0")]


def _error(data: bytes, with_tree: bool) -> etree.XMLSyntaxError | None:
    """Why lxml cannot read a text; a tree takes twice the time, and ten times the memory of the text.

    Both say the same but for elements 257 deep, one too many for a tree, which no score has.
    """
    target: Any = None if with_tree else _Nothing()
    try:
        etree.fromstring(data, etree.XMLParser(target=target, **_OPTIONS))
    except etree.XMLSyntaxError as error:
        return error
    return None


def _may_have_prefixes(data: bytes) -> bool:
    """Whether a colon stands in what may be a tag."""
    place = data.find(b":")
    while place >= 0:
        start = max(0, place - _LONG_TAG)
        opened, closed = data.rfind(b"<", start, place), data.rfind(b">", start, place)
        if opened > closed or closed < 0:
            return True
        place = data.find(b":", place + 1)
    return False


def _without_doctype(text: str) -> bytes:
    """The text with spaces instead of document type declarations, every offset and line kept.

    Encoded piece by piece, or a long text would be in memory two more times.
    """
    pieces, place = [], 0
    for match in _DOCTYPE.finditer(text) if "<!DOCTYPE" in text else ():
        pieces += [_encode(text[place : match.start()]), _encode(_NOT_NEWLINE.sub(" ", match.group()))]
        place = match.end()
    pieces.append(_encode(text[place:]))
    return b"".join(pieces)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        newline = text.find("\n", start)
        if newline < 0:
            break
        start = newline + 1
    return start + max(column - 1, 0)
