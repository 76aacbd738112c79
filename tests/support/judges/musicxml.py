"""A schema and two programs that read MusicXML, asked what is wrong with a text.

- xsd: the MusicXML 4.0 schema (from the PyPI package `musicxml`), applied by libxml2: elements, order, values.
- music21: the sum of every voice of every measure against the metre in force.
- musescore: "not a valid MusicXML file" (by its own older schema) and notes whose type and duration disagree.

music21 takes about a second for 4,000 notes; what it says about a text is remembered, as references come again.
"""

from __future__ import annotations

import importlib.util
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lxml import etree

from tests.support.judges import sums, tools
from tests.support.judges.complaint import Complaint, line_span

_MUSESCORE_FILES = 40
_CALCULATED = re.compile(r"^Error at line (\d+) col (\d+): (calculated duration .*)$", re.MULTILINE)
_CHARACTERS = re.compile(r"encoding=(['\"]).*?\1", re.DOTALL)
_PARSER = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False, huge_tree=True)


def complaints(texts: Sequence[str], judges: Sequence[str]) -> list[list[Complaint]]:
    """What the judges say about each text.

    Raises:
        tools.MissingJudgeError: one of them is not installed.
    """
    tools.check(judges)
    found: list[list[Complaint]] = [[] for _ in texts]
    for index, text in enumerate(texts):
        if "xsd" in judges:
            found[index].extend(_xsd(text))
        if "music21" in judges:
            found[index].extend(_music21(text))
    if "musescore" in judges:
        for mine, more in zip(found, _musescore(texts), strict=True):
            mine.extend(more)
    return found


class _Packaged(etree.Resolver):
    """Finds the schemas that the MusicXML schema imports in an installed package: nothing is fetched."""

    def resolve(self, system_url: str, _public_id: str, context: object) -> object:
        folder = _package("xmlschema") / "schemas"
        for end, path in (("/xlink.xsd", "XLINK/xlink.xsd"), ("/xml.xsd", "XML/xml.xsd")):
            if system_url.endswith(end):
                return self.resolve_filename(str(folder / path), context)
        return None


@lru_cache
def _schema() -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Packaged())
    path = _package("musicxml") / "generate_classes" / "musicxml_4_0.xsd"
    return etree.XMLSchema(etree.parse(str(path), parser))


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise tools.MissingJudgeError(f"the Python package {name} is not installed: pip install {name}")
    return Path(spec.submodule_search_locations[0])


def _xsd(text: str) -> Iterator[Complaint]:
    try:
        tree = etree.fromstring(_bytes(text), _PARSER)
    except etree.XMLSyntaxError as error:
        start, end = line_span(text, error.lineno or 0)
        yield Complaint("xsd", f"not well-formed: {error.msg}", start, end, f"line {error.lineno}")
        return
    schema = _schema()
    if not schema.validate(tree):
        for error in schema.error_log:
            start, end = line_span(text, error.line)
            yield Complaint("xsd", error.message, start, end, f"line {error.line}")


@lru_cache(maxsize=512)
def _music21(text: str) -> tuple[Complaint, ...]:
    import music21

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score = music21.converter.parseData(_CHARACTERS.sub('encoding="UTF-8"', text, count=1), format="musicxml")
        except Exception as error:
            return (Complaint("music21", f"cannot read it: {type(error).__name__}: {error}"),)
        streams = iter(score.parts)
        found = []
        for part in etree.fromstring(_bytes(text), _PARSER).iterfind("part"):
            staves = list(islice(streams, max([1, *(int(one.text or 1) for one in part.iter("staves"))])))
            found.extend(_wrong_sums(part.get("id", ""), staves, _crossing(part)))
    return tuple(found)


def _crossing(part: etree._Element) -> set[int]:
    """Indices of the measures in which a voice of a part wanders between staves: music21 tears it apart there."""
    found = set()
    for index, measure in enumerate(part.iterfind("measure")):
        homes: dict[str | None, set[str | None]] = {}
        for note in measure.iterfind("note"):
            homes.setdefault(note.findtext("voice"), set()).add(note.findtext("staff"))
        if any(len(home) > 1 for home in homes.values()):
            found.add(index)
    return found


def _wrong_sums(name: str, staves: Sequence[Any], crossing: set[int]) -> Iterator[Complaint]:
    """Complaints about the longest voice of each measure, then about voices that end before it.

    Args:
        name: the part's id.
        staves: music21's streams of it, one a staff.
        crossing: measures whose voices are not compared with each other.
    """
    import music21

    full: Fraction | None = None
    longest, shorter = [], []
    rows = zip(*(staff.getElementsByClass(music21.stream.Measure) for staff in staves), strict=False)
    for index, measures in enumerate(rows):
        for time in measures[0].getElementsByClass(music21.meter.base.TimeSignatureBase):
            lasts = getattr(time, "barDuration", None)
            full = _whole_notes(lasts.quarterLength) if lasts is not None else None
        voices = [voice for measure in measures for voice in (list(measure.voices) or [measure])]
        lengths = [_whole_notes(voice.highestTime) for voice in voices]
        place = f"part {name} measure {measures[0].number}{measures[0].numberSuffix or ''}"
        longest.append(_sum(measures[0], max(lengths), full, place))
        if index not in crossing:
            shorter.extend((place, length, max(lengths)) for length in lengths if 0 < length < max(lengths))
    for one in sums.wrong(longest):
        yield Complaint("music21", f"measure of {one.length} where {one.full} is due", place=one.place)
    for place, length, other in shorter:
        yield Complaint("music21", f"voice of {length} beside one of {other}", place=place)


def _whole_notes(quarters: float | Fraction) -> Fraction:
    return Fraction(quarters).limit_denominator(9999) / 4


def _sum(measure: Any, length: Fraction, full: Fraction | None, place: str) -> sums.Sum:
    barline = measure.rightBarline
    return sums.Sum(
        length=length,
        full=full,
        ends_section=barline is not None and barline.type not in ("regular", "dotted", "dashed", "none"),
        place=place,
    )


def _musescore(texts: Sequence[str]) -> Iterator[list[Complaint]]:
    for start in range(0, len(texts), _MUSESCORE_FILES):
        some = texts[start : start + _MUSESCORE_FILES]
        answers = _convert(some)
        for index, text in enumerate(some):
            answer = answers.get(index) or _convert([text]).get(0)
            yield _of_musescore(text, answer)


def _convert(texts: Sequence[str]) -> dict[int, str]:
    """What MuseScore says while it reads texts in one process; a text that it fell over is not in the answer."""
    with TemporaryDirectory(prefix="judge") as name:
        folder = Path(name)
        jobs = []
        for index, text in enumerate(texts):
            (folder / f"{index}.musicxml").write_bytes(_bytes(text))
            jobs.append({"in": f"{index}.musicxml", "out": f"{index}.mscx"})
        (folder / "job.json").write_text(json.dumps(jobs), encoding="utf-8")
        program = tools.musescore()
        assert program is not None
        _, output = tools.run([program, "-j", "job.json"], folder=folder)
        answers = re.split(r"^convert <(\d+)\.musicxml>\.\.\.$", output, flags=re.MULTILINE)[1:]
        return {
            int(index): answer
            for index, answer in zip(answers[::2], answers[1::2], strict=True)
            if (folder / f"{index}.mscx").exists()
        }


def _of_musescore(text: str, answer: str | None) -> list[Complaint]:
    if answer is None:
        return [Complaint("musescore", "it fell over")]
    found = []
    if "is not a valid MusicXML file" in answer:
        found.append(Complaint("musescore", "not a valid MusicXML file"))
    for line, column, message in dict.fromkeys(match.groups() for match in _CALCULATED.finditer(answer)):
        start, end = line_span(text, int(line))
        found.append(Complaint("musescore", message, start, end, f"{line}:{column}"))
    return found


def _bytes(text: str) -> bytes:
    """The text as UTF-8 that says so: a declaration of another encoding would not be true any more."""
    return _CHARACTERS.sub('encoding="UTF-8"', text, count=1).encode()
