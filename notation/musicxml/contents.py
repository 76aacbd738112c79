"""The piece of a text by the elements that name it, without reading its music.

Source: MusicXML 4.0, `work-title`, `movement-title` and `creator`.
"""

from __future__ import annotations

import re
from html import unescape

from notation.contents import Entry

HEAD = 1 << 16
"""Characters in which a score says what it is called; what names it later is not found."""

_SCORE = re.compile(r"<score-(?:partwise|timewise)\b")
_TITLE = re.compile(r"<(movement-title|work-title)\b[^>]*>([^<]{1,200})")
_COMPOSER = re.compile(r"<creator\b[^>]*\btype\s*=\s*[\"']composer[\"'][^>]*>([^<]{1,200})")


def contents(text: str) -> list[Entry]:
    """The piece, which is named by its movement or else by its work; none if the text is no score."""
    head = text[:HEAD]
    score = _SCORE.search(head)
    if score is None:
        return []
    titles = {name: _plain(value) for name, value in reversed(_TITLE.findall(head))}
    composer = _COMPOSER.search(head)
    title = titles.get("movement-title") or titles.get("work-title", "")
    return [Entry(title, _plain(composer[1]) if composer else "", head.count("\n", 0, score.start()))]


def _plain(text: str) -> str:
    return " ".join(unescape(text).split())
