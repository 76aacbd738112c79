"""What does one note say, wherever it stands?

Source: MusicXML 4.0, the element note.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from notation.makers import make_marks, maker
from notation.musicxml import names
from notation.musicxml.tags import Element, plain_elements
from notation.musicxml.values import lyric_text, read_decimal, read_integer
from notation.score import ACCIACCATURA, NO_MARKS, STEPS, Marks, Pitch

_VERSES = 16
"""More verses are not read."""
Lyrics = tuple[tuple[int, str], ...]
"""Syllables with the number of their verse, which is 0 where the document gives none."""


@dataclass(frozen=True, slots=True)
class SaidNote:
    """What the content of a note says, wherever it stands.

    Attributes:
        chord, cue, grace, rest: whether there is such an element.
        slash: whether a grace note is short.
        whole_measure: whether a rest lasts its measure.
        fills_measure: whether it does, or says that it is a whole note, which means the same.
        duration: in divisions; None if it says nothing.
        timed, typed: whether there is a duration, a type.
        kind, dots, tuplet, written: the note type, and how long it is, in whole notes; None if it is not known.
        pitch: what sounds, unless it is read by itself (`known_note`).
        marks: what it puts on an event of its own.
        lyrics: its syllables, as they are, for the event of a chord.
    """

    chord: bool
    cue: bool
    grace: bool
    rest: bool
    slash: bool
    whole_measure: bool
    fills_measure: bool
    duration: Fraction | int | None
    timed: bool
    typed: bool
    kind: str
    dots: int
    tuplet: tuple[int, int] | None
    written: Fraction | None
    pitch: Pitch | None
    tie: bool
    accidental: bool
    voice: str
    staff: int
    marks: Marks
    lyrics: Lyrics


KnownNote = tuple[SaidNote, Pitch | None, Marks, Lyrics]
"""What a note says, what sounds, what it puts on an event of its own, and its syllables as they are."""

_make_said = maker(SaidNote)


@lru_cache(maxsize=4096)
def known_note(content: str) -> KnownNote | None:
    """What the text of a note between its tags says; None if it is not well-formed, or has a comment in it.

    Its pitch, its lyrics and all else are read by themselves, because in each of them there are few different texts.
    """
    before, _, rest = content.partition("<pitch>")
    spelled, has_pitch, after = rest.partition("</pitch>")
    pitch = None
    if has_pitch:
        pitch = _known_pitch(spelled)
        if pitch is None:
            return _read_whole(content)
    else:
        before, after = "", content
    main, lyric, syllables = after.partition("<lyric")
    said = _known_rest(before, main)
    if said is None:
        return _read_whole(content)
    if not lyric:
        return said, pitch or said.pitch, said.marks, said.lyrics
    sung = _known_lyrics(lyric + syllables)
    if sung is None:
        return _read_whole(content)
    lyrics, marks = sung
    return said, pitch or said.pitch, marks if said.marks is NO_MARKS else with_lyrics(said.marks, lyrics), lyrics


@lru_cache(maxsize=512)
def _known_pitch(text: str) -> Pitch | None:
    children = plain_elements(text)
    return _pitch_in(_by_tag(children)) if children is not None else None


@lru_cache(maxsize=4096)
def _known_rest(before: str, behind: str) -> SaidNote | None:
    """What a note says before and behind its pitch."""
    first, last = plain_elements(before), plain_elements(behind)
    if first is None or last is None or any(one.tag == "pitch" for one in first):
        return None
    return _read(first + last)


@lru_cache(maxsize=4096)
def _known_lyrics(text: str) -> tuple[Lyrics, Marks] | None:
    """The syllables of a text that has nothing but lyrics in it, and the marks that they are by themselves."""
    elements = plain_elements(text)
    if elements is None or any(one.tag != "lyric" for one in elements):
        return None
    lyrics = _lyrics(elements)
    return lyrics, with_lyrics(NO_MARKS, lyrics)


def _read_whole(content: str) -> KnownNote | None:
    children = plain_elements(content)
    return read_note(children) if children is not None else None


def read_note(children: Sequence[Element]) -> KnownNote:
    """What a `note` with these children says."""
    said = _read(children)
    return said, said.pitch, said.marks, said.lyrics


def _read(elements: Sequence[Element]) -> SaidNote:
    children = _by_tag(elements)
    rest, grace = children.get("rest"), children.get("grace")
    is_whole = rest is not None and rest.attribute("measure") == "yes"
    slash = grace is not None and grace.attribute("slash") == "yes"
    kind = _text(children, "type")
    dots = sum(child.tag == "dot" for child in elements) if "dot" in children else 0
    tuplet = _tuplet(children.get("time-modification"))
    marks = Marks((ACCIACCATURA,)) if slash else NO_MARKS
    if "notations" in children:
        marks = _with_notations(marks, elements)
    lyrics = _lyrics(one for one in elements if one.tag == "lyric") if "lyric" in children else ()
    return _make_said(
        "chord" in children,
        "cue" in children,
        grace is not None,
        rest is not None,
        slash,
        is_whole,
        is_whole or (rest is not None and kind == "whole"),
        _duration(_text(children, "duration")),
        "duration" in children,
        "type" in children,
        kind,
        dots,
        tuplet,
        _written(kind, dots, tuplet),
        _pitch_of(children),
        _is_tied(elements, children),
        "accidental" in children,
        _text(children, "voice") or "1",
        read_integer(_text(children, "staff"), 1),
        with_lyrics(marks, lyrics),
        lyrics,
    )


def _by_tag(elements: Iterable[Element]) -> dict[str, Element]:
    """The first element of each name."""
    found: dict[str, Element] = {}
    for element in elements:
        found.setdefault(element.tag, element)
    return found


def join_marks(marks: Marks, said: SaidNote, more: Marks, lyrics: Lyrics) -> Marks:
    """The marks of a chord, and those of one more note of it."""
    decorations = more.decorations[1:] if said.slash else more.decorations
    joined = Marks(
        tuple(dict.fromkeys((*marks.decorations, *decorations))),
        marks.annotations,
        marks.slur_starts + more.slur_starts,
        marks.slur_ends + more.slur_ends,
        marks.lyrics,
    )
    return with_lyrics(joined, lyrics)


def with_lyrics(marks: Marks, lyrics: Lyrics) -> Marks:
    """The marks with more syllables; of several for one verse the first counts."""
    verses = {verse: text for verse, text in enumerate(marks.lyrics, 1) if text}
    n_before = len(verses)
    for number, text in lyrics:
        verse = number or len(verses) + 1
        if verse <= _VERSES:
            verses.setdefault(verse, text)
    if len(verses) == n_before:
        return marks
    texts = tuple([verses.get(verse, "") for verse in range(1, max(verses) + 1)])
    return make_marks(marks.decorations, marks.annotations, marks.slur_starts, marks.slur_ends, texts)


def _lyrics(elements: Iterable[Element]) -> Lyrics:
    found = []
    for element in elements:
        number = read_integer(element.attribute("number"), 0)
        text = _syllable(element)
        if text:
            found.append((number if 0 < number <= _VERSES else 0, text))
    return tuple(found)


def _syllable(element: Element) -> str:
    texts = [child.text for child in element.children if child.tag == "text"]
    if not texts:
        return "_" if element.find("extend") is not None else ""
    goes_on = "-" if element.text_of("syllabic") in ("begin", "middle") else ""
    return lyric_text("~".join(texts) + goes_on)


def _with_notations(marks: Marks, elements: Iterable[Element]) -> Marks:
    decorations = list(marks.decorations)
    starts = ends = 0
    for notations in elements:
        for one in notations.children if notations.tag == "notations" else ():
            if one.tag == "slur":
                kind = one.attribute("type")
                starts += kind == "start"
                ends += kind == "stop"
            else:
                decorations += _decorations(one)
    if not (decorations or starts or ends):
        return NO_MARKS
    return Marks(tuple(dict.fromkeys(decorations)), (), starts, ends)


def _decorations(notation: Element) -> Iterator[str]:
    if notation.tag in ("articulations", "ornaments", "technical", "dynamics"):
        for child in notation.children:
            if child.tag == "fingering" and child.text in ("0", "1", "2", "3", "4", "5"):
                yield child.text
            elif child.tag in names.DECORATION_NAMES:
                yield names.DECORATION_NAMES[child.tag]
    elif notation.tag in ("fermata", "arpeggiate"):
        yield names.DECORATION_NAMES[notation.tag]
    elif notation.tag == "other-notation" and notation.text:
        yield " ".join(notation.text.split())


def read_duration(element: Element) -> Fraction | int | None:
    """The duration in divisions that an element has; None if it is none."""
    return _duration(element.text_of("duration"))


def _duration(text: str) -> Fraction | int | None:
    value = int(text) if text.isdecimal() and len(text) < 10 else read_decimal(text)
    return None if value is None or value < 0 else value


def _pitch_of(children: dict[str, Element]) -> Pitch | None:
    if (spelled := children.get("pitch")) is not None:
        return _pitch_in(_by_tag(spelled.children))
    if (unpitched := children.get("unpitched")) is not None:
        step, octave = unpitched.text_of("display-step"), unpitched.text_of("display-octave")
        return _pitch(step or "B", octave or "4", "")
    return None


def _pitch_in(children: dict[str, Element]) -> Pitch | None:
    return _pitch(_text(children, "step"), _text(children, "octave"), _text(children, "alter"))


def _is_tied(elements: Iterable[Element], children: dict[str, Element]) -> bool:
    if "tie" in children and any("start" in child.raw_attributes for child in elements if child.tag == "tie"):
        return True
    notations = children.get("notations")
    return notations is not None and any(child.attribute("type") == "start" for child in notations.all("tied"))


def _text(children: dict[str, Element], tag: str) -> str:
    return children[tag].text if tag in children else ""


def _pitch(step: str, octave: str, alter: str) -> Pitch | None:
    if step not in STEPS or len(step) != 1 or not octave.isdecimal() or len(octave) > 2:
        return None
    return _made_pitch(step, int(octave), alter)


@lru_cache(maxsize=512)
def _made_pitch(step: str, octave: int, alter: str) -> Pitch:
    semitones = read_decimal(alter)
    return Pitch(step, octave, max(-3, min(3, round(semitones))) if semitones is not None else 0)


def _tuplet(element: Element | None) -> tuple[int, int] | None:
    if element is None:
        return None
    actual = read_integer(element.text_of("actual-notes"), 0)
    normal = read_integer(element.text_of("normal-notes"), 0)
    if actual < 1 or normal < 1 or actual == normal:
        return None
    divisor = math.gcd(actual, normal)
    return actual // divisor, normal // divisor


@lru_cache(maxsize=512)
def _written(kind: str, dots: int, tuplet: tuple[int, int] | None) -> Fraction | None:
    if kind not in names.TYPES or dots > 8:
        return None
    duration = names.TYPES[kind] * (2 - Fraction(1, 2**dots))
    return whole_notes(duration * tuplet[1] / tuplet[0] if tuplet else duration)


def whole_notes(value: Fraction) -> Fraction:
    """The same value, and mostly the same object for all that are equal: there are few lengths, and many notes."""
    return _whole_notes(value.numerator, value.denominator)


_whole_notes = lru_cache(maxsize=4096)(Fraction)
