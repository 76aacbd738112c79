"""What does one note say, wherever it stands?

Source: MusicXML 4.0, the element note.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from notation.musicxml import names
from notation.musicxml.tags import Element
from notation.musicxml.values import read_decimal, read_integer
from notation.score import STEPS, Pitch


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
        marked: whether there are notations or lyrics.
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
    marked: bool


def read_note(element: Element) -> SaidNote:
    """What a `note` says."""
    children: dict[str, Element] = {}
    for child in element.children:
        children.setdefault(child.tag, child)
    rest, grace = children.get("rest"), children.get("grace")
    is_whole = rest is not None and rest.attribute("measure") == "yes"
    kind = _text(children, "type")
    dots = sum(child.tag == "dot" for child in element.children)
    tuplet = _tuplet(children.get("time-modification"))
    return SaidNote(
        chord="chord" in children,
        cue="cue" in children,
        grace=grace is not None,
        rest=rest is not None,
        slash=grace is not None and grace.attribute("slash") == "yes",
        whole_measure=is_whole,
        fills_measure=is_whole or (rest is not None and kind == "whole"),
        duration=read_duration(element),
        timed="duration" in children,
        typed="type" in children,
        kind=kind,
        dots=dots,
        tuplet=tuplet,
        written=_written(kind, dots, tuplet),
        pitch=_pitch_of(children),
        tie=_is_tied(element, children.get("notations")),
        accidental="accidental" in children,
        voice=_text(children, "voice") or "1",
        staff=read_integer(_text(children, "staff"), 1),
        marked="notations" in children or "lyric" in children,
    )


known_note = lru_cache(maxsize=4096)(read_note)
"""The same, of notes that are the same element each time (`Element.content`)."""


def read_duration(element: Element) -> Fraction | int | None:
    """The duration in divisions; None if it is none."""
    text = element.text_of("duration")
    value = int(text) if text.isdecimal() and len(text) < 10 else read_decimal(text)
    return None if value is None or value < 0 else value


def _pitch_of(children: dict[str, Element]) -> Pitch | None:
    if (spelled := children.get("pitch")) is not None:
        return _pitch(spelled.text_of("step"), spelled.text_of("octave"), spelled.text_of("alter"))
    if (unpitched := children.get("unpitched")) is not None:
        step, octave = unpitched.text_of("display-step"), unpitched.text_of("display-octave")
        return _pitch(step or "B", octave or "4", "")
    return None


def _is_tied(element: Element, notations: Element | None) -> bool:
    if any("start" in child.raw_attributes for child in element.children if child.tag == "tie"):
        return True
    return notations is not None and any(child.attribute("type") == "start" for child in notations.all("tied"))


def _text(children: dict[str, Element], tag: str) -> str:
    return children[tag].text if tag in children else ""


def _pitch(step: str, octave: str, alter: str) -> Pitch | None:
    if step not in STEPS or len(step) != 1 or not octave.isdecimal() or len(octave) > 2:
        return None
    return _known_pitch(step, int(octave), alter)


@lru_cache(maxsize=512)
def _known_pitch(step: str, octave: int, alter: str) -> Pitch:
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
    return duration * tuplet[1] / tuplet[0] if tuplet else duration
