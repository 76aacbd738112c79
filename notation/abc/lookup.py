"""Which words of the tables fit at the cursor?

Field letters at a line's start, keys, metres, unit lengths, tempi, rhythms and voice parameters in their fields (also
inline), decorations after `!`, directives after `%%`. Nothing elsewhere.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping

from notation.abc import tables
from notation.abc.lexer import BODY_FIELDS, HEADER_FIELDS, Line, kinds, split_lines
from notation.abc.parser import Tree
from notation.abc.tune import MAX_LINE
from notation.language import Document, TableItem
from notation.source import Span

_FIELD = re.compile(r"(?:^|.*\[)([A-Za-z]):[ \t]*([^\]%]*)$", re.DOTALL)
_DIRECTIVE = re.compile(r"%%[ \t]*([\w-]*)$")
_LETTER = re.compile(r"[A-Za-z]?$")


def table_items(document: Document, offset: int) -> list[TableItem]:
    """The entries that fit at an offset, in the order of the tables."""
    tree = document.tree
    if not isinstance(tree, Tree) or not 0 <= offset <= len(document.text):
        return []
    line = _line_at(tree.text, offset)
    if line is None:
        return []
    typed = line.text[: offset - line.start]
    if directive := _DIRECTIVE.match(typed):
        return list(_items(tables.DIRECTIVES, "directive", directive[1], offset))
    if field := _FIELD.match(typed):
        return list(_field_values(field[1], field[2], offset))
    if typed.startswith("%"):
        return []
    if _LETTER.match(typed) and not line.text[len(typed) :].strip():
        letters = BODY_FIELDS if _is_in_body(tree, line) else HEADER_FIELDS
        fields = {f"{letter}:": text for letter, text in tables.FIELDS.items() if letter in letters}
        return list(_items(fields, "field", typed, offset))
    return list(_decorations(typed, offset))


def _line_at(text: str, offset: int) -> Line | None:
    """The line that an offset is in, or None if it is inside a line end or behind what is read."""
    if offset > len(text) or text[offset - 1 : offset + 1] == "\r\n":
        return None
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return split_lines(text[start : offset + MAX_LINE], start)[0]


def _is_in_body(tree: Tree, line: Line) -> bool:
    found = tree.tune_at(line.start)
    return found is not None and any(one.text.startswith("K:") for one in found[1] if one.start < line.start)


def _field_values(letter: str, typed: str, offset: int) -> Iterator[TableItem]:
    if letter == "V":
        name, space, rest = typed.partition(" ")
        if name and space:
            yield from _items(tables.VOICE_PARAMETERS, "value", rest.rpartition(" ")[2], offset)
        return
    kind, values = tables.VALUES.get(letter, ("", {}))
    yield from _items(values, kind, typed, offset)


def _decorations(typed: str, offset: int) -> Iterator[TableItem]:
    kind, sign = next(iter(deque(kinds(typed), maxlen=1)), ("", ""))
    if kind == "open_decoration":
        names = {f"!{name}!": text for name, text in tables.DECORATIONS.items()}
        yield from _items(names, "decoration", sign, offset)


def _items(words: Mapping[str, str], kind: str, typed: str, offset: int) -> Iterator[TableItem]:
    replaces = Span(offset - len(typed), offset)
    folded = typed.lower()
    for word, detail in words.items():
        if word.lower().startswith(folded):
            yield TableItem(word, word, replaces, kind, detail)
