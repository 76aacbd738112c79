"""Where do the parts and measures of a text stand?

A score is cut into stretches, one for each measure of each part, before any of them is read. This is what makes
reading incremental (a stretch that did not change is not read again) and tolerant (a broken one spoils no other).

Offsets count code points. Source: MusicXML 4.0, score-partwise and score-timewise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from notation.musicxml.tags import ATTRIBUTES, NOT_ELEMENTS, attributes

_TAG = re.compile(
    rf"<(?P<slash>/?)(?P<name>part|measure|score-partwise|score-timewise)(?=[\s/>])(?P<raw>{ATTRIBUTES})>|{NOT_ELEMENTS}",
    re.DOTALL,
)

MAX_TAGS = 200_000
"""After so many start and end tags of parts and measures, the rest of a text is not read."""


@dataclass(slots=True)
class Stretch:
    """The text of one measure of one part.

    Attributes:
        start: where the start tag begins.
        inner: behind the start tag.
        inner_end: where the end tag begins, or where the text of an unclosed measure stops.
        end: behind the end tag.
        closed: whether the end tag is there.
        number, implicit: as the measure's start tag says.
    """

    start: int
    inner: int
    inner_end: int
    end: int
    closed: bool
    number: str = ""
    implicit: bool = False


@dataclass(slots=True)
class PartSkeleton:
    """A part of the text: its id, where its content is (score-partwise) and its measures."""

    id: str
    start: int
    inner: int
    inner_end: int
    end: int
    closed: bool = False
    measures: tuple[Stretch, ...] = ()


@dataclass(slots=True)
class Skeleton:
    """The outline of a text.

    Attributes:
        timewise: whether measures hold parts.
        root_start, header_start: where the root's start tag begins, and behind it; 0 if there is none.
        header_end: where the first part or measure begins.
        has_root: whether a root start tag is there.
        cut_at: where reading stopped, because there are too many measures; None if all was read.
        parts: in order of appearance.
    """

    timewise: bool = False
    root_start: int = 0
    header_start: int = 0
    header_end: int = 0
    has_root: bool = False
    cut_at: int | None = None
    parts: list[PartSkeleton] = field(default_factory=list)


def read_skeleton(text: str) -> Skeleton:
    """The outline of any text whatever."""
    skeleton = Skeleton(header_end=len(text))
    tags: list[re.Match[str]] = []
    for match in _TAG.finditer(text):
        if len(tags) > MAX_TAGS:
            skeleton.cut_at = match.start()
            break
        name = match["name"]
        if name is None:
            continue
        if name.startswith("score-"):
            if not match["slash"] and not skeleton.has_root and not tags:
                skeleton.has_root, skeleton.timewise = True, name == "score-timewise"
                skeleton.root_start, skeleton.header_start = match.span()
            elif match["slash"]:
                tags.append(match)
        else:
            tags.append(match)
    starts = [match for match in tags if not match["slash"]]
    if starts:
        skeleton.header_end = starts[0].start()
        if not skeleton.has_root:
            skeleton.timewise = starts[0]["name"] == "measure"
    (_read_timewise if skeleton.timewise else _read_partwise)(skeleton, tags, len(text))
    return skeleton


def read_measures(text: str, start: int, end: int) -> list[Stretch] | None:
    """The measures between two offsets of a part, of which the first is behind a tag and the second where one begins.

    Returns:
        None if something there reaches beyond `end`, or is no measure but a part or a score.
    """
    stretches: list[Stretch] = []
    measure: Stretch | None = None
    for match in _TAG.finditer(text, start):
        if match.start() >= end:
            break
        if match.end() > end or match["name"] not in ("measure", None):
            return None
        if match["name"] is None:
            continue
        if measure is not None:
            _finish(measure, match, end, bool(match["slash"]))
            measure = None
        if not match["slash"]:
            stretch = _stretch(match, match["raw"])
            stretches.append(stretch)
            measure = None if stretch.closed else stretch
    if measure is not None:
        _finish(measure, None, end, False)
    return stretches


def _read_partwise(skeleton: Skeleton, tags: list[re.Match[str]], end: int) -> None:
    part: PartSkeleton | None = None
    measure: Stretch | None = None
    measures: list[Stretch] = []

    def leave_measure(match: re.Match[str] | None, closed: bool) -> None:
        nonlocal measure
        if measure is not None and part is not None:
            _finish(measure, match, end, closed)
        measure = None

    def leave_part(match: re.Match[str] | None, closed: bool) -> None:
        nonlocal part
        leave_measure(match, False)
        if part is not None:
            part.inner_end = match.start() if match else end
            part.end = match.end() if match and closed else part.inner_end
            part.closed, part.measures = closed, tuple(measures)
        measures.clear()
        part = None

    for match in tags:
        slash, name = match.group("slash", "name")
        if name == "measure" and slash:
            leave_measure(match, True)
        elif name == "measure":
            leave_measure(match, False)
            if part is None:
                continue
            stretch = _stretch(match, match["raw"])
            measures.append(stretch)
            measure = None if stretch.closed else stretch
        elif slash:
            leave_part(match, name == "part")
        else:
            leave_part(match, False)
            part = PartSkeleton(attributes(match["raw"]).get("id", ""), *match.span(), end, end)
            skeleton.parts.append(part)
            if match["raw"].endswith("/"):
                part.inner_end, part.end, part.closed = match.end(), match.end(), True
                part = None
    leave_part(None, False)


def _read_timewise(skeleton: Skeleton, tags: list[re.Match[str]], end: int) -> None:
    parts: dict[str, PartSkeleton] = {}
    measures: dict[str, list[Stretch]] = {}
    index = -1
    raw_measure = ""
    stretch: Stretch | None = None
    for match in tags:
        name, slash = match["name"], bool(match["slash"])
        if stretch is not None:
            _finish(stretch, match, end, slash and name == "part")
            stretch = None
        if slash or name == "measure":
            if not slash:
                index, raw_measure = index + 1, match["raw"]
            continue
        part_id = attributes(match["raw"]).get("id", "")
        parts.setdefault(part_id, PartSkeleton(part_id, *match.span(), end, end))
        own = measures.setdefault(part_id, [])
        while len(own) < index:
            own.append(Stretch(match.start(), match.start(), match.start(), match.start(), True))
        if len(own) == index:
            stretch = _stretch(match, raw_measure)
            own.append(stretch)
            stretch = None if stretch.closed else stretch
    if stretch is not None:
        _finish(stretch, None, end, False)
    for part in parts.values():
        part.measures = tuple(measures[part.id])
        skeleton.parts.append(part)


def _stretch(match: re.Match[str], raw_measure: str) -> Stretch:
    values = attributes(raw_measure)
    empty = match["raw"].endswith("/")
    start, inner = match.span()
    return Stretch(start, inner, inner, inner, empty, values.get("number", ""), values.get("implicit") == "yes")


def _finish(stretch: Stretch, match: re.Match[str] | None, end: int, closed: bool) -> None:
    stretch.inner_end = match.start() if match else end
    stretch.end = match.end() if match and closed else stretch.inner_end
    stretch.closed = closed
