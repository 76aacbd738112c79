"""How does a document lay out its elements, and which optional ones does it write?

Learnt from the text, so that what is added looks like what is there. A document without a line of its own for
each measure is compact: nothing is put on new lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from notation.musicxml.skeleton import PartSkeleton, Skeleton
from notation.musicxml.writer import Line

_CONTENT = re.compile(r"\n([ \t]*)<(?:note|attributes|print|direction|barline|harmony)[ >]")
_IN_CONTENT = re.compile(r"\n([ \t]*)<(?:pitch|rest|chord|grace|divisions|duration)[ />]")
_PARENT = re.compile(r"<([a-z-]+)[^<>]*+(?<!/)>(\s*+)(?=<[^/])")
_OPENING = re.compile(r"<([a-z-]+)[^<>]*(?<!/)>")
_OUTER = ("note", "backup", "forward", "attributes", "direction", "harmony", "barline")
_INNER = (
    "pitch", "key", "time", "clef", "transpose", "notations", "time-modification", "direction-type", "root", "bass",
    "lyric", "articulations", "ornaments", "technical", "dynamics",
)  # fmt: skip
_LOOK_AT = 60_000
_SEEN = 500_000
"""Characters in which an optional element appears, if the document writes it."""
_DEFAULT_UNIT = "  "


@dataclass(frozen=True, slots=True)
class Style:
    """The layout of a document.

    Attributes:
        newline: `\\n`, `\\r\\n`, or empty where everything stands on one line.
        unit: the indentation of one more depth.
        part_indent, measure_indent, content_indent: before `part`, `measure` and what is in a measure.
        flat: the elements whose children stand on their own line.
        spaced: whether an empty element is written `<dot />`.
        voices, beams, stems: whether the document writes these elements.
    """

    newline: str = "\n"
    unit: str = _DEFAULT_UNIT
    part_indent: str = _DEFAULT_UNIT
    measure_indent: str = 2 * _DEFAULT_UNIT
    content_indent: str = 3 * _DEFAULT_UNIT
    flat: frozenset[str] = frozenset()
    spaced: bool = False
    voices: bool = True
    beams: bool = True
    stems: bool = False

    def indent_of(self, depth: int) -> str:
        """The indentation of a line; depth 0 is what is in a measure, -1 the measure, -2 the part."""
        if depth >= 0:
            return self.content_indent + self.unit * depth
        return self.measure_indent if depth == -1 else self.part_indent

    def layout(self, lines: Sequence[Line]) -> str:
        """The lines as text, without a newline at either end."""
        text: list[str] = []
        n_open = 0
        for depth, content in lines:
            shown = content.replace("/>", " />") if self.spaced else content
            new_line = self.newline + self.indent_of(depth) if self.newline and not n_open else ""
            text.append((new_line if text else new_line.removeprefix(self.newline)) + shown)
            if content.startswith("</"):
                n_open = max(0, n_open - 1)
            elif (tag := _OPENING.fullmatch(content)) is not None and (n_open or tag[1] in self.flat):
                n_open += 1
        return "".join(text)


def learn(text: str, skeleton: Skeleton, part: PartSkeleton) -> Style:
    """The style of a document, as the given part and the first others show it."""
    seen = text[:_SEEN]
    has_notes = "<note" in seen
    part_indent = indent_at(text, part.start)
    outlines = [part, *skeleton.parts]
    first = next((outline.measures[0] for outline in outlines if outline.measures), None)
    measure_indent = indent_at(text, first.start) if first is not None else None
    if first is None and part_indent is not None:
        measure_indent = part_indent + _DEFAULT_UNIT
    content, inner = (pattern.search(text, skeleton.header_end) for pattern in (_CONTENT, _IN_CONTENT))
    newline = "\r\n" if "\r\n" in seen else "\n"
    if measure_indent is None and content is None:
        newline = ""
    measure_indent = measure_indent or ""
    unit = _unit(part_indent, measure_indent, content, inner)
    return Style(
        newline,
        unit,
        part_indent or "",
        measure_indent,
        content[1] if content else measure_indent + unit,
        _flat(text, skeleton.header_end),
        " />" in text[skeleton.header_end : skeleton.header_end + 20_000],
        "<voice" in seen or not has_notes,
        "<beam" in seen or not has_notes,
        "<stem" in seen,
    )


def _flat(text: str, start: int) -> frozenset[str]:
    """The elements whose first child stands on their line, where they appear first.

    What does not appear is laid out like `note` if it holds notes' neighbours, else like `pitch`.
    """
    first: dict[str, bool] = {}
    for match in _PARENT.finditer(text, start, start + _LOOK_AT):
        first.setdefault(match[1], "\n" not in match[2])
    outer, inner = first.get("note", False), first.get("pitch", first.get("key", False))
    usual = dict.fromkeys(_OUTER, outer) | dict.fromkeys(_INNER, inner)
    return frozenset(tag for tag, flat in (usual | first).items() if flat)


def _unit(part: str | None, measure: str, content: re.Match[str] | None, inner: re.Match[str] | None) -> str:
    """One step of indentation: what the innermost lines that there are differ by."""
    steps: list[tuple[str | None, str | None]] = [
        (content[1] if content else None, inner[1] if inner else None),
        (measure, content[1] if content else None),
        (part, measure),
    ]
    for outer, deeper in steps:
        if outer is not None and deeper is not None and deeper.startswith(outer):
            return deeper[len(outer) :]
    return _DEFAULT_UNIT


def indent_at(text: str, offset: int) -> str | None:
    """The white space before an offset on its line; None if something else stands there."""
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    return before if not before.strip() else None
