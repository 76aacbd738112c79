"""The tunes of a text by their information fields, without reading their music.

Source: ABC 2.1, section 3.1 (X:, T:, C:) and 2.2.5 (a tune ends at an empty line).
"""

from __future__ import annotations

import re

from notation.contents import Entry

_FIELD = re.compile(r"^([XTC]):[ \t]*([^\r\n%]*)", re.MULTILINE)
_LONGEST = 200
"""Characters of a title or a name that are kept."""


def contents(text: str) -> list[Entry]:
    """Every tune in the order of the text, with its first title and its first composer."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found: list[dict[str, str]] = []
    lines: list[int] = []
    line = place = 0
    for match in _FIELD.finditer(text):
        name, value = match[1], match[2].strip()[:_LONGEST]
        if name == "X":
            line += text.count("\n", place, match.start())
            place = match.start()
            found.append({})
            lines.append(line)
        elif found and value:
            found[-1].setdefault(name, value)
    return [Entry(each.get("T", ""), each.get("C", ""), at) for each, at in zip(found, lines, strict=True)]
