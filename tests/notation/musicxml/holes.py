"""Holes punched into real scores: what is removed is rendered back, and must be read as it was.

A hole is a place in a document from which music of one part was cut; filling it is the proof of `completion_site`
and `render` together.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from notation.language import Document
from notation.musicxml import LANGUAGE
from notation.musicxml.normal_form import normal_voices
from notation.musicxml.skeleton import Stretch
from notation.musicxml.tree import Tree
from notation.score import Event, Measure, Voice

KINDS = ("measures", "tail", "content", "voice", "rest", "open")
_VOICE_END = re.compile(r"\n?[ \t]*<(?:backup|barline)")


@dataclass(frozen=True, slots=True)
class Hole:
    """A document with a hole at `offset`, and the measures that were there.

    Attributes:
        kind: `measures` between others, `tail` all to the end, `content` of one measure, `voice` the rest of a voice,
            `rest` the rest of a measure, `open` the rest of the document.
        voice: the (staff, number) that is cut off; None where whole measures are.
        expected: the events of that voice in the completed measure.
    """

    kind: str
    text: str
    offset: int
    part: int
    measure: int
    measures: tuple[Measure, ...]
    voice: tuple[int, int] | None = None
    expected: tuple[Event, ...] = ()


def holes(document: Document, rng: random.Random, count: int) -> Iterator[Hole]:
    """Up to `count` holes in a document, of all kinds."""
    tree = document.tree
    assert isinstance(tree, Tree)
    parts = document.scores[0].parts
    for _ in range(count):
        number = rng.randrange(len(parts))
        stretches = tree.skeleton.parts[number].measures
        index = rng.randrange(1, len(stretches)) if len(stretches) > 1 else 0
        kind = rng.choice(KINDS)
        if index == 0 or not parts[number].measures[index].voices:
            continue
        if kind in ("measures", "tail", "content"):
            yield _measures_hole(document, number, index, stretches, kind)
        elif (hole := _voice_hole(document, number, index, stretches[index], kind, rng)) is not None:
            yield hole


def _measures_hole(document: Document, number: int, index: int, stretches: list[Stretch], kind: str) -> Hole:
    text, measure = document.text, document.scores[0].parts[number].measures[index]
    if kind == "content":
        stretch = stretches[index]
        rest = text[: stretch.inner] + text[stretch.inner_end :]
        return Hole(kind, rest, stretch.inner, number, index, (replace(measure, barline=None),))
    start = stretches[index - 1].end
    end = stretches[index].end if kind == "measures" else stretches[-1].end
    return Hole(kind, text[:start] + text[end:], start, number, index, (measure,))


def _voice_hole(
    document: Document, number: int, index: int, stretch: Stretch, kind: str, rng: random.Random
) -> Hole | None:
    text, measure = document.text, document.scores[0].parts[number].measures[index]
    voice = rng.choice(measure.voices)
    real = [event for event in voice.events if len(event.span) and not event.whole_measure]
    if len(real) < 2:
        return None
    last = rng.choice(real[:-1])
    start = last.span.end
    behind = voice.events[voice.events.index(last) + 1 :]
    content_end = start + len(text[start : stretch.inner_end].rstrip())
    end = {"rest": content_end, "open": len(text)}.get(kind, content_end)
    if kind == "voice":
        found = _VOICE_END.search(text, start, content_end)
        end = found.start() if found else content_end
        others = [event for other in measure.voices if other is not voice for event in other.events]
        torn = any(event.span.start > end for event in behind) or any(
            start < event.span.start < end for event in others
        )
        if torn:
            return None
        behind = behind[:-1] if behind and not len(behind[-1].span) else behind  # the filling comes by itself
        if not behind:
            return None
    new = replace(measure, voices=(Voice(behind, voice.staff, voice.number),))
    whole = normal_voices(replace(measure, voices=(voice,))).voices[0].events
    place = (voice.staff, voice.number)
    return Hole(kind, text[:start] + text[end:], start, number, index, (new,), place, whole)


def fill(hole: Hole, known: Counter[str]) -> str:
    """Render what was cut into the hole, and read it again.

    Args:
        hole: what to fill.
        known: the diagnostics of the whole document, by code.

    Returns:
        What is wrong; empty if the music is as it was and no diagnostic is new.
    """
    document = LANGUAGE.parse(hole.text)
    site = LANGUAGE.completion_site(document, hole.offset)
    if site is None:
        return "no site"
    if (site.part, site.measure) != (hole.part, hole.measure):
        return f"the site is in part {site.part}, measure {site.measure}"
    measures = hole.measures
    if site.barline_follows:
        measures = (replace(measures[0], barline=None),)
    text = LANGUAGE.render(site, measures)
    filled = LANGUAGE.parse(hole.text[: hole.offset] + text + hole.text[hole.offset :])
    read = filled.scores[0].parts[hole.part].measures[hole.measure]
    if hole.voice is None:
        if _voices(read) != _voices(normal_voices(hole.measures[0])):
            return f"read other voices from {text!r}"
    elif hole.expected not in [voice.events for voice in read.voices if (voice.staff, voice.number) == hole.voice]:
        return f"read other events from {text!r}"
    new = Counter(one.code for one in filled.diagnostics) - known
    if hole.kind == "open":
        del new["not-well-formed"]
    if hole.kind in ("rest", "open", "voice", "content", "tail"):
        del new["measure-too-short"]  # the barline of a split measure may have been cut as well
    return f"new diagnostics {dict(new)}" if new else ""


def _voices(measure: Measure) -> list[Voice]:
    return list(measure.voices)
