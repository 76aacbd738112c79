"""Which elements does a text hold, and where does each stand?

A small scanner of XML that keeps offsets and never fails: what is half typed is skipped, and an element that is not
closed ends where its parent does or where the next element of the measure begins. Nothing is fetched, and no entity
but the five of XML and character references is replaced. Each `<` is looked at a bounded number of times, so the time
is linear.

Offsets count code points. Source: XML 1.0, sections 2.4 to 2.8 and 4.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

ATTRIBUTES = r"""(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+"""
NOT_ELEMENTS = (
    r"<!--(?:.*?-->|.*)"
    r"|<!\[CDATA\[(?:.*?\]\]>|.*)"
    r"|<\?[^<>]*+>"
    r"|<!DOCTYPE[^\[<>]*+(?:>|\[(?:.*?\]\s*>|.*))"
)
TOKEN = re.compile(
    rf"<(?P<leaf>[^\W\d][\w.:-]*+)(?P<leaf_attributes>{ATTRIBUTES})(?<!/)>(?P<text>[^<>]*+)</(?P=leaf)\s*+>"
    rf"|<(?P<slash>/?)(?P<name>[^\W\d][\w.:-]*+)(?P<attributes>{ATTRIBUTES})>"
    rf"|{NOT_ELEMENTS}",
    re.DOTALL,
)
"""One token: a leaf element with its text, a start or end tag, or what is no element."""

_ATTRIBUTE = re.compile(r"""(?<![\w.:-])([\w.:-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)')""")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
NOTE_TAG = re.compile(rf"<note(?![\w.:-])({ATTRIBUTES})(?<!/)>")
"""The start tag of a note that has content; the group is its attributes."""
_PIECE = re.compile(rf"(?:/([^\W\d][\w.:-]*+)\s*+|([^\W\d][\w.:-]*+)({ATTRIBUTES}))>([^<>]*+)")
MAX_DEPTH = 32
MAX_ELEMENTS = 200_000
"""Beyond this depth, and this many elements side by side, a text is no score, and the rest of it is not read."""

MEASURE_STARTERS = frozenset(
    ("note", "backup", "forward", "attributes", "direction", "harmony", "barline", "print", "figured-bass")
)
"""Elements that stand only directly in a measure: where one begins, everything open before it is over."""


class Element:
    """An element of the text.

    Attributes:
        tag: its name.
        raw_attributes: the characters between the name and the `>`.
        start, end: the offsets of its first character and behind its last.
        inner: the offset behind its start tag.
        text: its character data, stripped; empty where it has children.
        children: the elements in it.
        closed: whether its end tag is there.
    """

    __slots__ = ("children", "closed", "end", "inner", "raw_attributes", "start", "tag", "text")

    def __init__(self, tag: str, raw_attributes: str, start: int, inner: int) -> None:
        self.tag = tag
        self.raw_attributes = raw_attributes
        self.start = start
        self.inner = inner
        self.end = inner
        self.text = ""
        self.children: list[Element] = []
        self.closed = False

    def attribute(self, name: str) -> str:
        """The value of an attribute; empty if it is absent."""
        return _known_attributes(self.raw_attributes).get(name, "") if self.raw_attributes else ""

    def find(self, path: str) -> Element | None:
        """The first descendant at a path such as `time-modification/actual-notes`."""
        element = self
        for tag in path.split("/"):
            for child in element.children:
                if child.tag == tag:
                    element = child
                    break
            else:
                return None
        return element

    def text_of(self, path: str) -> str:
        """The text of the first descendant at a path; empty if there is none."""
        element = self.find(path)
        return element.text if element is not None else ""

    def all(self, tag: str) -> Iterator[Element]:
        """The children of one name."""
        return (child for child in self.children if child.tag == tag)


def attributes(raw: str) -> dict[str, str]:
    """The attributes in the raw text of a start tag."""
    found = _ATTRIBUTE.findall(raw)
    if "&" in raw:
        return {name: unescape(double or single) for name, double, single in found}
    return {name: double or single for name, double, single in found}


_known_attributes = lru_cache(maxsize=1024)(attributes)
"""The same, of texts that come again and again; the dictionaries are shared and never changed."""


def unescape(text: str) -> str:
    """Replace character references and the five entities of XML; everything else stays as it is."""
    return _REFERENCE.sub(_referred, text) if "&" in text else text


def _referred(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()


def read_elements(text: str, start: int = 0, end: int | None = None) -> list[Element]:
    """The elements of `text[start:end]`, which is the content of an element or a whole document."""
    limit = len(text) if end is None else end
    top: list[Element] = []
    stack: list[Element] = []
    for match in TOKEN.finditer(text, start, limit):
        leaf, raw_leaf, data, slash, name, raw = match.groups()
        if leaf is not None:
            if leaf in MEASURE_STARTERS:
                _abandon(stack, match.start())
            element = Element(leaf, raw_leaf, match.start(), match.start("text"))
            element.text, element.end, element.closed = unescape(data).strip(), match.end(), True
            (stack[-1].children if stack else top).append(element)
        elif name is None:
            if stack and match.group().startswith("<![CDATA["):
                stack[-1].text += match.group()[9:].removesuffix("]]>")
        elif slash:
            _close(stack, name, match, text)
        else:
            if name in MEASURE_STARTERS:
                _abandon(stack, match.start())
            element = Element(name, raw.removesuffix("/"), match.start(), match.end())
            element.end = match.end()
            (stack[-1].children if stack else top).append(element)
            if raw.endswith("/"):
                element.closed = True
            elif len(stack) < MAX_DEPTH:
                stack.append(element)
            else:
                break
        if len(top) > MAX_ELEMENTS:
            break
    _abandon(stack, limit)
    return top


def is_without_comments(text: str) -> bool:
    """Whether a text has no comments, sections or declarations in it, nor processing instructions."""
    return ("!" not in text or "<!" not in text) and ("?" not in text or "<?" not in text)


def plain_elements(text: str) -> list[Element] | None:
    """The elements of a text as `read_elements` gives them but without offsets, much quicker.

    The text is cut at every `<`, and each piece is read once: there are few different ones. Elements may be shared.

    Returns:
        None if the text is not well-formed, or has something in it that is no element, or what stands in measures only.
    """
    top: list[Element] = []
    stack: list[Element] = []
    siblings = top
    begun: Element | None = None
    for piece in map(_piece, text.split("<")[1:]):
        if piece is None:
            return None
        if begun is not None:
            if begun.tag == piece:
                siblings.append(begun)
                begun = None
                continue
            if len(stack) == MAX_DEPTH - 2:
                return None
            element = Element(begun.tag, begun.raw_attributes, 0, 0)
            element.closed = True
            siblings.append(element)
            stack.append(element)
            siblings, begun = element.children, None
        if isinstance(piece, str):
            if not stack or stack.pop().tag != piece or not siblings:
                return None
            siblings = stack[-1].children if stack else top
        elif isinstance(piece, tuple):
            siblings += piece
        else:
            begun = piece
    return None if stack or begun is not None else top


@lru_cache(maxsize=8192)
def _piece(piece: str) -> Element | tuple[Element] | str | None:
    """A tag with what stands behind it: an element that begins, one that is complete, or the name of one that ends."""
    short = piece.rstrip()
    if short != piece:
        return _piece(short)
    match = _PIECE.fullmatch(piece)
    if match is None:
        return None
    end, tag, raw, data = match.groups()
    if (end or tag) in MEASURE_STARTERS:
        return None
    if end:
        return str(end)
    element = Element(tag, raw.removesuffix("/"), 0, 0)
    element.closed = True
    if raw.endswith("/"):
        return (element,)
    element.text = unescape(data).strip()
    return element


def is_between_elements(text: str, start: int, end: int) -> bool:
    """Whether no element, comment or section that begins in `text[start:end]` is still open at `end`."""
    depth = 0
    for match in TOKEN.finditer(text, start, end):
        if match["leaf"] is not None:
            continue
        if match["name"] is None:
            token = match.group()
            if not token.endswith({"<!-": "-->", "<![": "]]>"}.get(token[:3], ">")):
                return False
        elif match["slash"]:
            depth -= 1
        elif not match["attributes"].endswith("/"):
            depth += 1
    return depth == 0


def _abandon(stack: list[Element], end: int) -> None:
    for element in stack:
        element.end = end
    stack.clear()


def _close(stack: list[Element], name: str, match: re.Match[str], text: str) -> None:
    if not any(element.tag == name for element in stack):
        return
    while stack:
        element = stack.pop()
        element.end = match.end()
        if element.tag == name:
            element.closed = True
            if not element.children and not element.text:
                element.text = unescape(_plain(text[element.inner : match.start()])).strip()
            return
        element.end = match.start()


def _plain(text: str) -> str:
    return re.sub(NOT_ELEMENTS, "", text, flags=re.DOTALL) if "<" in text else text
