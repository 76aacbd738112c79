"""Holes in real documents: places where a composer could have been when the rest was not yet written.

A complete document is cut at a place of a given kind; what is left is a document with a cursor. The reference is what
is left when the measure at the cursor is taken out as well, so that no judge has anything against it that the
suggestion should mend. Offsets are code points. The same seed gives the same sites.

MusicXML is cut with lxml; ABC is cut at the spans of our own parser, for lack of another that keeps them.
"""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from notation.language import language
from notation.score import REGULAR, Measure, Part

LONGEST_WINDOW = 16


@dataclass(frozen=True, slots=True)
class Hole:
    """A document with a cursor.

    Attributes:
        kind: what kind of place it is, in a few words.
        source: which document it was made of.
        text: the document around the cursor.
        offset: the cursor.
        reference: the same without the unfinished measure at the cursor.
        sound: the text without the half-typed note at the cursor, if there is one; with it no judge can read the text.
        closing: what must follow the text to make a whole document of it (end tags of half-typed XML).
    """

    kind: str
    source: str
    text: str
    offset: int
    reference: str
    closing: str = ""
    sound: str = ""

    @property
    def standing(self) -> str:
        """The whole document before anything was suggested, as far as a judge can read it."""
        return (self.sound or self.text) + self.closing

    def completed(self, suggestion: str, offset: int) -> str:
        """The whole document with a suggestion inserted at an offset."""
        return self.text[:offset] + suggestion + self.text[offset:] + self.closing


# Documents


def abc_tunes(text: str) -> list[str]:
    """The tunes of an ABC file, each with the file header before it."""
    header, *tunes = re.split(r"^(?=X:)", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    return [header + tune.rstrip() + "\n" for tune in tunes]


def read_musicxml(path: Path) -> str:
    """The score in a MusicXML file, compressed or not.

    Raises:
        ValueError: the file holds no score.
    """
    if path.suffix != ".mxl":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith("META-INF/") and name.endswith((".xml", ".musicxml")):
                return archive.read(name).decode("utf-8")
    raise ValueError(f"{path} holds no MusicXML score")


def documents(paths: Sequence[Path], name: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """(source, text) of documents of a language in random order; MusicXML is cut to its first measures.

    Args:
        paths: files and folders; folders are searched.
        name: `abc` or `musicxml`.
        rng: decides the order and the length of the windows.
    """
    suffixes = {"abc": (".abc",), "musicxml": (".musicxml", ".mxl", ".xml")}[name]
    files = sorted(
        {file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()}
    )
    files = [file for file in files if file.suffix in suffixes]
    if name == "musicxml":
        rng.shuffle(files)
        for file in files:
            yield file.name, window(read_musicxml(file), rng.randint(5, LONGEST_WINDOW))
        return
    tunes = [
        (f"{file.name} X:{tune.partition('X:')[2].split()[0]}", tune)
        for file in files
        for tune in abc_tunes(file.read_text(encoding="utf-8", errors="replace"))
        if tune.partition("X:")[2].split()
    ]
    rng.shuffle(tunes)
    yield from tunes


def window(text: str, n_measures: int) -> str:
    """The first measures of a MusicXML document, without comments and what only MusicXML 4.0 knows of directions.

    MuseScore 3 reads up to MusicXML 3.1; it would call every document with `system` attributes invalid and so be blind.
    """
    tree = _tree(text)
    for direction in tree.iter("direction", "harmony"):
        if "system" in direction.attrib:
            del direction.attrib["system"]
    for part in tree.findall("part"):
        _cut_after(part, n_measures)
    return _text(tree)


# ABC


def _abc_end(text: str, rng: random.Random) -> Iterator[Hole]:
    for part, number in _closed_measures(text, rng, last_too=False):
        cut = text[: part.measures[number].span.end]
        yield Hole("after a barline", "", cut, len(cut), cut)


def _abc_new_line(text: str, rng: random.Random) -> Iterator[Hole]:
    for part, number in _closed_measures(text, rng, last_too=False):
        cut = text[: part.measures[number].span.end].rstrip() + "\n"
        yield Hole("on a new line", "", cut, len(cut), cut)


def _abc_inside(text: str, rng: random.Random) -> Iterator[Hole]:
    for part, number in _closed_measures(text, rng):
        for end in _event_ends(part.measures[number], rng):
            cut = text[:end]
            yield Hole("inside a measure", "", cut, end, text[: _start(text, part, number)])


def _abc_half_typed(text: str, rng: random.Random) -> Iterator[Hole]:
    for part, number in _closed_measures(text, rng):
        measure, start = part.measures[number], _start(text, part, number)
        if re.search(r"[!+\"]", text[start : measure.span.end]):
            continue
        for voice in measure.voices[:1]:
            notes = [event for event in voice.events[1:] if event.notes and len(event.span)]
            for event in rng.sample(notes, min(1, len(notes))):
                written = event.span.text(text).strip()
                typed = rng.choice([one for one in (written[:-1], written, "^", "_", "=") if one])
                cut = text[: event.span.start] + typed
                before = text[: event.span.start]
                yield Hole("in the middle of a note", "", cut, len(cut), text[:start], sound=before)


def _abc_hole(text: str, rng: random.Random) -> Iterator[Hole]:
    for part, number in _closed_measures(text, rng, last_too=False):
        measure, following = part.measures[number : number + 2]
        plain = measure.barline == REGULAR and not (measure.repeat_start or measure.ending or following.ending)
        if plain and not text[measure.span.end : following.span.start].strip():
            start = _start(text, part, number)
            cut = text[:start] + text[_start(text, part, number + 1) :]
            yield Hole("between measures", "", cut, start, cut)


def _abc_rest_of_measure(text: str, rng: random.Random) -> Iterator[Hole]:
    for part, number in _closed_measures(text, rng):
        measure = part.measures[number]
        if len(measure.voices) != 1 or re.search(r"\((?!\d)|\)", measure.span.text(text)):
            continue
        last = measure.voices[0].events[-1].span.end
        for end in _event_ends(measure, rng):
            cut = text[:end] + text[last:]
            reference = text[: _start(text, part, number)] + text[measure.span.end :]
            yield Hole("before a barline", "", cut, end, reference)


def _abc_first(text: str, rng: random.Random) -> Iterator[Hole]:
    measures = [
        part.measures[0] for score in language("abc").parse(text).scores for part in score.parts if part.measures
    ]
    if measures:
        cut = text[: min(measure.span.start for measure in measures)]
        cut = cut[: cut.rfind("\n") + 1]
        yield Hole("after the header", "", cut, len(cut), cut)


def _abc_lagging(text: str, rng: random.Random) -> Iterator[Hole]:
    for score in language("abc").parse(text).scores[:1]:
        first, *others = score.parts or (Part(""),)
        places = [
            (part, index, measure)
            for part in others
            for index, measure in enumerate(part.measures[:-1])
            if sum(one.span.end <= measure.span.end for one in first.measures) > index + 1
        ]
        for _, _, measure in rng.sample(places, min(1, len(places))):
            cut = text[: measure.span.end]
            yield Hole("in a second voice that lags", "", cut, len(cut), cut)


def _closed_measures(text: str, rng: random.Random, last_too: bool = True) -> Iterator[tuple[Part, int]]:
    """The place of one measure of the first part, not the first, that is closed and full."""
    for score in language("abc").parse(text).scores[:1]:
        for part in score.parts[:1]:
            numbers = range(1, len(part.measures) - (not last_too))
            good = [number for number in numbers if _is_closed(part.measures[number])]
            for number in rng.sample(good, min(1, len(good))):
                yield part, number


def _is_closed(measure: Measure) -> bool:
    return bool(measure.barline is not None and measure.is_full and measure.voices and len(measure.span))


def _start(text: str, part: Part, number: int) -> int:
    """Where a measure that is not the first of its part begins, with the signs before its first note."""
    before = part.measures[number - 1].span.end
    line = text.rfind("\n", before, part.measures[number].span.start) + 1
    start = max(before, line)
    voice = re.compile(r"\[V:[^]\n]*\]").match(text, start)
    return voice.end() if voice else start


def _event_ends(measure: Measure, rng: random.Random) -> list[int]:
    """Where one event of a measure ends, not the last."""
    ends = [event.span.end for voice in measure.voices[:1] for event in voice.events[:-1] if not event.grace]
    return rng.sample(ends, min(1, len(ends)))


# MusicXML

_CURSOR = "cursor"


def _xml_after(text: str, rng: random.Random) -> Iterator[Hole]:
    tree, part, measure = _xml_place(text, rng)
    number = part.index(measure)
    for one in tree.findall("part"):
        _cut_after(one, number + 1)
    reference = _text(tree)
    _put_cursor_after(part[number])
    yield _xml_hole("after </measure>", tree, reference)


def _xml_new_line(text: str, rng: random.Random) -> Iterator[Hole]:
    for hole in _xml_after(text, rng):
        indent = re.search(r"\n([ \t]*)<measure[^\n]*\Z", hole.text[: hole.text.rfind("<measure", 0, hole.offset) + 9])
        added = "\n" + (indent[1] if indent else "")
        cut = hole.text[: hole.offset] + added + hole.text[hole.offset :]
        yield Hole("on a new line after </measure>", "", cut, hole.offset + len(added), hole.reference)


def _xml_unclosed(text: str, rng: random.Random) -> Iterator[Hole]:
    for hole in _xml_after(text, rng):
        if hole.text.count("<part ") == 1:
            cut, rest = hole.text[: hole.offset], hole.text[hole.offset :]
            yield Hole("after </measure>, nothing closed", "", cut, len(cut), hole.reference, rest)


def _xml_inside(text: str, rng: random.Random) -> Iterator[Hole]:
    tree, part, measure = _xml_place(text, rng)
    number = part.index(measure)
    for one in tree.findall("part"):
        _cut_after(one, number + (one is part))
    reference_tree = deepcopy(tree.getroottree()).getroot()
    _cut_after(reference_tree.findall("part")[tree.findall("part").index(part)], number)
    ends = []
    for child, following in zip(measure, list(measure)[1:], strict=False):
        if child.tag == "backup":
            break
        if child.tag == "note" and child.find("grace") is None and following.find("chord") is None:
            ends.append(child)
    if ends:
        last = rng.choice(ends)
        tail = measure[-1].tail
        for child in list(measure)[measure.index(last) + 1 :]:
            measure.remove(child)
        last.tail = tail
        _put_cursor_after(last)
        yield _xml_hole("inside a measure", tree, _text(reference_tree))


def _xml_empty_last(text: str, rng: random.Random) -> Iterator[Hole]:
    tree, part, measure = _xml_place(text, rng)
    number = part.index(measure)
    for one in tree.findall("part"):
        _cut_after(one, number + (one is part))
    reference_tree = deepcopy(tree.getroottree()).getroot()
    _cut_after(reference_tree.findall("part")[tree.findall("part").index(part)], number)
    _empty(measure)
    yield _xml_hole("in an empty measure", tree, _text(reference_tree))


def _xml_empty_between(text: str, rng: random.Random) -> Iterator[Hole]:
    tree, part, measure = _xml_place(text, rng)
    if part.index(measure) + 1 < len(part):
        _empty(measure)
        hole = _xml_hole("in an empty measure before others", tree, "")
        yield replace(hole, reference=hole.text)


def _xml_between(text: str, rng: random.Random) -> Iterator[Hole]:
    tree, part, measure = _xml_place(text, rng)
    number = part.index(measure)
    if len(tree.findall("part")) == 1 and number + 1 < len(part) and measure.find("attributes") is None:
        part.remove(measure)
        reference = _text(tree)
        _put_cursor_after(part[number - 1])
        yield _xml_hole("between measures", tree, reference)


def _xml_behind(text: str, rng: random.Random) -> Iterator[Hole]:
    tree, _, _ = _xml_place(text, rng)
    parts = tree.findall("part")
    if len(parts) > 1 and len(parts[0]) > 3:
        part = rng.choice(parts[1:])
        _cut_after(part, rng.randint(1, len(part) - 2))
        reference = _text(tree)
        _put_cursor_after(part[-1])
        yield _xml_hole("in a part behind the others", tree, reference)


def _xml_attributes(text: str, rng: random.Random) -> Iterator[Hole]:
    tree = _tree(text)
    parts = tree.findall("part")
    attributes = parts[0][0].find("attributes")
    if attributes is not None and parts[0][0].get("implicit") != "yes":
        for part in parts:
            _cut_after(part, 1)
        measure = parts[0][0]
        tail = measure[-1].tail
        for child in list(measure)[measure.index(attributes) + 1 :]:
            measure.remove(child)
        attributes.tail = tail
        reference = _text(tree)
        _put_cursor_after(attributes)
        yield _xml_hole("after attributes", tree, reference)


def _tree(text: str) -> etree._Element:
    text = re.sub(r"encoding=(['\"]).*?\1", 'encoding="UTF-8"', text, count=1)
    parser = etree.XMLParser(
        no_network=True, resolve_entities=False, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(text.encode(), parser)


def _text(tree: etree._Element) -> str:
    return etree.tostring(tree.getroottree(), encoding="UTF-8", xml_declaration=True).decode() + "\n"


def _xml_place(text: str, rng: random.Random) -> tuple[etree._Element, etree._Element, etree._Element]:
    """A tree, one of its parts and a measure of it, not the first."""
    tree = _tree(text)
    part = rng.choice(tree.findall("part"))
    return tree, part, rng.choice(list(part)[1:])


def _cut_after(part: etree._Element, n_measures: int) -> None:
    tail = part[-1].tail
    for measure in list(part)[n_measures:]:
        part.remove(measure)
    if len(part):
        part[-1].tail = tail
    else:
        part.text = tail


def _empty(measure: etree._Element) -> None:
    tail = measure[-1].tail if len(measure) else "\n"
    for child in list(measure):
        if child.tag not in ("attributes", "print"):
            measure.remove(child)
    if len(measure):
        measure[-1].tail = tail
        _put_cursor_after(measure[-1])
    else:
        measure.text = tail
        measure.insert(0, etree.ProcessingInstruction(_CURSOR))


def _put_cursor_after(element: etree._Element) -> None:
    mark = etree.ProcessingInstruction(_CURSOR)
    mark.tail, element.tail = element.tail, None
    element.addnext(mark)


def _xml_hole(kind: str, tree: etree._Element, reference: str) -> Hole:
    before, after = re.split(rf"<\?{_CURSOR} ?\?>", _text(tree))
    return Hole(kind, "", before + after, len(before), reference)


KINDS: dict[str, tuple[Callable[[str, random.Random], Iterator[Hole]], ...]] = {
    "abc": (
        _abc_end,
        _abc_new_line,
        _abc_inside,
        _abc_half_typed,
        _abc_hole,
        _abc_rest_of_measure,
        _abc_first,
        _abc_lagging,
    ),
    "musicxml": (
        _xml_after,
        _xml_new_line,
        _xml_unclosed,
        _xml_inside,
        _xml_empty_last,
        _xml_empty_between,
        _xml_between,
        _xml_behind,
        _xml_attributes,
    ),
}


def holes(source: str, text: str, name: str, rng: random.Random) -> Iterator[Hole]:
    """At most one hole of each kind in a document; kinds that do not fit it are left out."""
    for make in KINDS[name]:
        for hole in make(text, rng):
            yield replace(hole, source=source)
