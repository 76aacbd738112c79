"""How does this document write its music?

Learnt from the tune around the cursor by counting, so that what is inserted looks like what is there: spaces between
beats and around barlines, measures a line, prefixes of lines, broken rhythm or written lengths, `/` or `/2`, signs of
repeats and endings. Where the document says nothing, the usual way is taken.

Offsets are code points; onsets are Fractions of a whole note.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from notation.abc.fields import read_length
from notation.abc.lexer import Line, cut, is_music, read_sign
from notation.abc.signs import read_bar, read_note
from notation.moving import origin
from notation.score import Event, Measure, TimeSignature


@dataclass(frozen=True, slots=True)
class Style:
    """What a document's own way of writing is.

    Attributes:
        space_before_bar, space_after_bar: whether barlines stand free.
        gaps: onset in the measure -> whether a space stands before an event there; onsets that were not seen follow
            the beat if `is_spaced`.
        measures_per_line: None if the lines have no usual length.
        line_ending: what stands before a line end inside the music: ` \\` or nothing.
        indent: white space that lines begin with.
        is_broken: whether dotted pairs are written `A>B`.
        half: how half a unit is written: `/` or `/2`.
        repeat_end: the sign of a repeat's end.
        both: the sign of an end and a start of repeats: `::` or `:|:`.
        is_ending_joined: whether endings are written `|1` and not `| [1`.
    """

    space_before_bar: bool = False
    space_after_bar: bool = False
    gaps: Mapping[Fraction, bool] = field(default_factory=dict)
    is_spaced: bool = True
    measures_per_line: int | None = None
    line_ending: str = ""
    indent: str = ""
    is_broken: bool = True
    half: str = "/"
    repeat_end: str = ":|"
    both: str = "::"
    is_ending_joined: bool = False

    def has_gap(self, onset: Fraction, time: TimeSignature) -> bool:
        """Whether a space stands before an event at an onset (not the first of its measure)."""
        seen = self.gaps.get(onset)
        if seen is not None:
            return seen
        return self.is_spaced and is_beat(onset, time)


def is_beat(onset: Fraction, time: TimeSignature) -> bool:
    """Whether a beat begins at an onset: dotted ones in compound metres, summand by summand in additive ones."""
    if not time.beats:
        return (onset / Fraction(1, 4)).denominator == 1
    if len(time.beats) > 1:
        edges, total = [], 0
        for beats in time.beats:
            edges.append(Fraction(total, time.unit))
            total += beats
        return onset in edges
    is_compound = time.unit >= 8 and time.beats[0] % 3 == 0
    beat = Fraction(3, time.unit) if is_compound else max(Fraction(1, 4), Fraction(1, time.unit))
    return (onset / beat).denominator == 1


def learn(text: str, lines: Sequence[Line], measures: Sequence[Measure]) -> Style:
    """The style of a tune.

    Args:
        text: the document.
        lines: the tune's lines around the cursor, headers included.
        measures: those of the part being written, around the cursor.
    """
    counts: Counter[str] = Counter()
    endings: Counter[str] = Counter()
    indents: Counter[str] = Counter()
    music = [line for line in lines if is_music(line.text)]
    for line in music:
        counts.update(_line_counts(line.text))
        endings[line.text[len(line.text.rstrip("\\ ")) :].rstrip()] += 1
        indents[line.text[: len(line.text) - len(line.text.lstrip())]] += 1
    gaps, is_spaced = _gaps(text, measures)
    return Style(
        space_before_bar=2 * counts["space before"] > counts["bar"],
        space_after_bar=2 * counts["space after"] > counts["bar inside"],
        gaps=gaps,
        is_spaced=is_spaced,
        measures_per_line=_measures_per_line(text, measures),
        line_ending=" \\" if 2 * sum(n for sign, n in endings.items() if sign) > len(music) else "",
        indent=indents.most_common(1)[0][0] if indents else "",
        is_broken=counts["broken"] >= counts["dotted"],
        half="/2" if counts["/2"] > counts["/"] else "/",
        repeat_end=_most(counts, (":|", ":||", ":|]")),
        both=_most(counts, ("::", ":|:", ":||:")),
        is_ending_joined=counts["joined"] > counts["bracketed"],
    )


def _most(counts: Mapping[str, int], signs: Sequence[str]) -> str:
    return max(signs, key=lambda sign: counts[sign])


@lru_cache(maxsize=1024)
def _line_counts(text: str) -> Counter[str]:
    """How often a line of music does what a style is made of; not to be changed."""
    counts: Counter[str] = Counter()
    previous = "0"
    end = 0
    for sign in cut(text):
        start, end = end, end + len(sign)
        match = read_sign(sign)
        kind = match.lastgroup
        if kind == "bar":
            _count_bar(sign, text[:start], text[end:], counts)
        elif kind == "broken":
            counts["broken"] += 1
        elif kind == "ending":
            counts["bracketed"] += 1
        elif kind in ("note", "chord_end"):
            length = read_note(sign)[-1] if kind == "note" else match["chord_length"]
            if length in ("/", "/2"):
                counts[length] += 1
            counts["dotted"] += _are_dotted(previous, length)
            previous = length
    return counts


@lru_cache(maxsize=4096)
def _are_dotted(one: str, other: str) -> bool:
    """Whether one of two written lengths is three times the other."""
    first, second = read_length(one), read_length(other)
    return first == 3 * second or second == 3 * first


def _count_bar(text: str, before: str, behind: str, counts: Counter[str]) -> None:
    numbers = read_bar(text)[-1]
    counts["joined"] += bool(numbers)
    counts[text.removesuffix(numbers)] += 1
    if before.strip():
        counts["bar"] += 1
        counts["space before"] += before[-1].isspace()
    if behind.strip(" \t\\"):
        counts["bar inside"] += 1
        counts["space after"] += behind[0].isspace()


def _gaps(text: str, measures: Sequence[Measure]) -> tuple[dict[Fraction, bool], bool]:
    with_space: dict[tuple[int, int], int] = {}
    seen: dict[tuple[int, int], int] = {}
    for measure in measures:
        as_read = origin(measure)  # the same music, and nothing need be moved to look at it
        by = measure.span.start - as_read.span.start
        for voice in as_read.voices[:1]:
            previous: Event | None = None
            for event in voice.events:
                if previous is not None and not previous.grace and event.span.start >= previous.span.end:
                    onset = event.onset.as_integer_ratio()
                    end = min(event.span.start, previous.span.end + 80) + by
                    seen[onset] = seen.get(onset, 0) + 1
                    with_space[onset] = with_space.get(onset, 0) + (" " in text[previous.span.end + by : end])
                previous = event
    if not seen:
        return {}, True
    gaps = {Fraction(*onset): 2 * with_space[onset] > count for onset, count in seen.items()}
    return gaps, bool(with_space)


def _measures_per_line(text: str, measures: Sequence[Measure]) -> int | None:
    """The usual number of measures that begin on a line, if at least two lines or one line break show it."""
    if not measures:
        return None
    per_line: list[int] = []
    last_end = None
    for measure in measures:
        if measure.span.start == measure.span.end:
            continue
        if last_end is None or re.search(r"[\r\n]", text[last_end : measure.span.start]):
            per_line.append(0)
        per_line[-1] += 1
        last_end = measure.span.end - 1
    if len(per_line) < 2:
        return None
    return Counter(per_line[:-1]).most_common(1)[0][0]
