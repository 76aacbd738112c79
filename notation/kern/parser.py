"""From a **kern text to a score.

Promises: never raises, for any text whatever; measure i of every part is the same measure; every voice of a measure is
filled with hidden rests up to the measure's end; a tie is kept only if the next note of its voice has that pitch.
Pitches and keys are as written for the player: *ITr transpositions are applied. Lyrics, dynamics, fingerings, section
labels and layout are left out.
"""

from __future__ import annotations

import re

from notation.diagnostic import Diagnostic, Severity
from notation.kern.build import build_parts
from notation.kern.timeline import TICKS, TicksTooCoarseError, Timeline
from notation.language import Document
from notation.score import Score
from notation.source import NOWHERE

_REFERENCE = re.compile(r"^!!!([^:\n]{1,40}):[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_MAX_FINER = 8
_GENRE_WORDS = ("sacred", "secular", "mass", "opera", "song", "")


def parse(text: str) -> Document:
    """The document of a **kern text: one score, with no parts if there is no **kern spine in it."""
    ticks = TICKS
    for _ in range(_MAX_FINER):
        try:
            timeline = _read(text, ticks)
        except TicksTooCoarseError as error:
            ticks *= error.factor
        else:
            return _document(text, timeline)
    message = "the durations of this text need too fine a grid; it is not read"
    return Document(text, (Score(),), (Diagnostic("too-many-durations", Severity.ERROR, NOWHERE, message),))


def _read(text: str, ticks: int) -> Timeline:
    timeline = Timeline(ticks)
    offset = 0
    for line in text.split("\n"):
        length = len(line) + 1
        line = line.rstrip("\r")
        if line and line[0] != "!" and (timeline.is_open or line.startswith("**")) and line.strip("*.\t"):
            timeline.read(line, offset)
        offset += length
    timeline.finish()
    return timeline


def _document(text: str, timeline: Timeline) -> Document:
    records = [(match[1], match[2]) for match in _REFERENCE.finditer(text) if match[2]]
    first = dict(reversed(records))
    score = Score(
        parts=build_parts(timeline),
        title=" ".join(filter(None, (first.get("OPR", ""), first.get("OTL", "")))),
        composer=first.get("COM", ""),
        rhythm=_rhythm(first.get("AGN", "")),
        fields=tuple(records),
    )
    diagnostics = timeline.diagnostics
    if not score.parts:
        message = "there is no **kern spine in this text; one line must begin with **kern"
        diagnostics = [Diagnostic("no-kern", Severity.ERROR, NOWHERE, message), *diagnostics]
    return Document(text, (score,), tuple(diagnostics))


def _rhythm(genre: str) -> str:
    words = [word.strip().lower() for word in genre.split(";")]
    return words[-1] if words[-1] not in _GENRE_WORDS else ""
