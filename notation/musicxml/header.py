"""What does the text before the first part say: title, composer, parts and their instruments?

Source: MusicXML 4.0, the elements work, identification, part-list and score-part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from notation.musicxml.tags import Element, read_elements

INSTRUMENTS: Final = (
    "melody", "voice", "soprano", "alto", "tenor", "bass-voice", "piano", "organ", "harpsichord", "guitar", "violin",
    "viola", "cello", "double-bass", "flute", "oboe", "clarinet", "bassoon", "saxophone", "horn", "trumpet", "trombone",
    "tuba", "timpani", "percussion", "harp",
)  # fmt: skip
"""The instruments a part may be known by."""

_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"sax", "saxophone"),
        (r"harpsi|cembal|clavecin|clavicembalo", "harpsichord"),
        (r"pian|klavier|clavier|fortep|celest|keyboard", "piano"),
        (r"glocken|xylo|marimb|vibra|drum|perc|cymb|triang|tambour|tamburo", "percussion"),
        (r"becken|gran cassa|crotal|bell", "percussion"),
        (r"timp|pauke|kettle", "timpani"),
        (r"violonc|'?cello|vcl|\bvc\b", "cello"),
        (r"contrabass(?!o?on)|double.?bass|kontrab|contreb|string bass|bass guitar|\bcb\b", "double-bass"),
        (r"viola|bratsche|\bvla\b|\balto \(viola", "viola"),
        (r"violi?n|geige|fiddle|\bvln?\b|vno\b", "violin"),
        (r"guit|gitarr|chitarr|\blutes?\b|ukulele|banjo|mandol", "guitar"),
        (r"org[ae]|orgel|harmonium|accordion", "organ"),
        (r"harp|harfe|arpa", "harp"),
        (r"bassoo|fagot|basson|contrafag", "bassoon"),
        (r"oboe|oboi|haut.?b|cor anglais|english horn|corno inglese", "oboe"),
        (r"clarin|klarin", "clarinet"),
        (r"flute|flöt|flaut|flûte|piccolo|recorder|blockf|whistle", "flute"),
        (r"tromb(?!a|e)|posaun", "trombone"),
        (r"trump|tromp|tromb[ae]|cornet|clarion", "trumpet"),
        (r"tuba|ophicl|euphon|sousaph", "tuba"),
        (r"\bhorns?\b|corn[oi]|\bcors?\b", "horn"),
        (r"melody|lead", "melody"),
        (r"sopran|\bcantus\b|treble|discant", "soprano"),
        (r"\balt(?:o|us)?s?\b|contralto", "alto"),
        (r"tenor", "tenor"),
        (r"\bbass(?:o|us|e)?s?\b|bariton|bar[iy]tono", "bass-voice"),
        (r"voi[cx]|voce|sing|gesang|stimme|chant|canto|vocal|choir|chor", "voice"),
    )
)
_PROGRAMS: Final = (
    (range(1, 7), "piano"), (range(7, 8), "harpsichord"), (range(17, 25), "organ"), (range(25, 33), "guitar"),
    (range(33, 40), "double-bass"), (range(41, 42), "violin"), (range(42, 43), "viola"), (range(43, 44), "cello"),
    (range(44, 45), "double-bass"), (range(47, 48), "harp"), (range(48, 49), "timpani"), (range(53, 56), "voice"),
    (range(57, 58), "trumpet"), (range(58, 59), "trombone"), (range(59, 60), "tuba"), (range(61, 62), "horn"),
    (range(65, 69), "saxophone"), (range(69, 71), "oboe"), (range(71, 72), "bassoon"), (range(72, 73), "clarinet"),
    (range(73, 81), "flute"),
)  # fmt: skip

SINGLE_FIELDS: Final = ("work/work-number", "movement-number", "movement-title")
"""Header elements that appear once and are kept as fields under their path."""


@dataclass(frozen=True, slots=True)
class PartHeader:
    """What the part list says of a part."""

    id: str
    name: str
    instrument: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says; see `notation.score.Score` for the fields."""

    title: str = ""
    composer: str = ""
    rhythm: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    parts: tuple[PartHeader, ...] = ()


@lru_cache(maxsize=512)
def guess_instrument(name: str) -> str:
    """The instrument that a name in one of the usual languages means; empty if none."""
    folded = name.strip().lower()
    if folded in INSTRUMENTS:
        return folded
    return next((instrument for pattern, instrument in _PATTERNS if pattern.search(name)), "")


def read_header(text: str, start: int, end: int) -> Header:
    """Read `text[start:end]`, the content of the root before its first part."""
    title = composer = rhythm = ""
    fields: list[tuple[str, str]] = []
    parts: list[PartHeader] = []
    for element in read_elements(text, start, end):
        if element.tag == "work":
            title = _line(element.text_of("work-title"))
            _add(fields, "work/work-number", element.text_of("work-number"))
        elif element.tag in ("movement-number", "movement-title"):
            _add(fields, element.tag, element.text)
        elif element.tag == "identification":
            composer, rhythm = _identification(element, fields)
        elif element.tag == "part-list":
            parts += [_part(part) for part in element.all("score-part")]
    if not title:
        title = next((value for name, value in fields if name == "movement-title"), "")
        fields = [pair for pair in fields if pair != ("movement-title", title)]
    return Header(title, composer, rhythm, tuple(fields), tuple(parts))


def _identification(element: Element, fields: list[tuple[str, str]]) -> tuple[str, str]:
    composer = rhythm = ""
    for child in element.children:
        if child.tag == "creator" and child.attribute("type") == "composer" and not composer:
            composer = _line(child.text)
        elif child.tag == "creator":
            _add(fields, f"identification/creator[{child.attribute('type')}]", child.text)
        elif child.tag == "rights":
            _add(fields, "identification/rights", child.text)
        elif child.tag == "miscellaneous":
            for item in child.all("miscellaneous-field"):
                if item.attribute("name") == "rhythm":
                    rhythm = _line(item.text)
                else:
                    _add(fields, item.attribute("name"), item.text)
    return composer, rhythm


def _part(element: Element) -> PartHeader:
    name = _line(element.text_of("part-name"))
    said = [child.text_of("instrument-name") for child in element.all("score-instrument")]
    programs = [midi.text_of("midi-program") for midi in element.all("midi-instrument")]
    instrument = next((text for text in said if text in INSTRUMENTS), "") or guess_instrument(name)
    instrument = instrument or next((guess for text in said if (guess := guess_instrument(text))), "")
    if not instrument and programs and programs[0].isdecimal() and len(programs[0]) < 4:
        program = int(programs[0])
        instrument = next((word for numbers, word in _PROGRAMS if program in numbers), "")
    return PartHeader(element.attribute("id"), name, instrument, element.start, element.end)


def _add(fields: list[tuple[str, str]], name: str, text: str) -> None:
    if name and _line(text):
        fields.append((name, _line(text)))


def _line(text: str) -> str:
    return " ".join(text.split())
