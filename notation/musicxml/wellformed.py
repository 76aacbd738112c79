"""Is a text well-formed XML, and where does it break?

lxml decides. It is given the text without its document type declaration, so that there is no DTD to load and no
entity to expand; network, DTD and huge documents are switched off besides.
"""

from __future__ import annotations

import re

from lxml import etree

from notation.diagnostic import Diagnostic, Severity
from notation.source import Span

BROKEN = "not-well-formed"
"""The code of what is found here."""

_DOCTYPE = re.compile(r"<!DOCTYPE[^\[<>]*+(?:>|\[(?:.*?\]\s*>|.*))", re.DOTALL)
_NOT_NEWLINE = re.compile(r"[^\n]")


def check(text: str) -> list[Diagnostic]:
    """At most one diagnostic: the first place at which `text` is not well-formed."""
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        etree.fromstring(without_doctype(text).encode("utf-8", "surrogatepass"), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        start = min(_offset(text, line, column), len(text))
        reason = (error.msg or "it breaks off").split(", line ")[0]
        message = f"This is not well-formed XML: {reason}. Mend it here, or close what is open."
        span = Span(start, min(start + 1, len(text)))
        return [Diagnostic(BROKEN, Severity.ERROR, span, message, "XML 1.0")]
    return []


def without_doctype(text: str) -> str:
    """The text with spaces instead of document type declarations, every offset and line kept."""
    if "<!DOCTYPE" not in text:
        return text
    return _DOCTYPE.sub(lambda match: _NOT_NEWLINE.sub(" ", match.group()), text)


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        newline = text.find("\n", start)
        if newline < 0:
            break
        start = newline + 1
    return start + max(column - 1, 0)
