"""How is a score written as a whole MusicXML document?

As score-partwise 4.0, valid against the schema, one element a line. Reading it gives `normal_form(score)` again.

Source: MusicXML 4.0, score-partwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from notation.musicxml.header import SINGLE_FIELDS
from notation.musicxml.normal_form import normal_form, xml_text
from notation.musicxml.writer import (
    Line,
    Options,
    PartWriter,
    attributes_lines,
    clef_lines,
    divisions_for,
    indent,
    key_lines,
    left_barline_lines,
    right_barline_lines,
    time_lines,
    transpose_lines,
)
from notation.score import Measure, Part, Score

_PROLOGUE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_CREATOR = re.compile(r"identification/creator\[(.*)\]")
_RIGHTS = "identification/rights"
_UNIT = "  "


def print_score(score: Score) -> str:
    """A whole document."""
    score = normal_form(score)
    lines: list[Line] = [(0, '<score-partwise version="4.0">'), *_header_lines(score), (1, "<part-list>")]
    for part in score.parts:
        lines += _score_part_lines(part)
    lines.append((1, "</part-list>"))
    for part in score.parts:
        lines += [(1, f"<part id={quoteattr(part.id)}>"), *part_lines(part), (1, "</part>")]
    lines.append((0, "</score-partwise>"))
    return xml_text(f"{_PROLOGUE}{indent(lines, '', _UNIT, chr(10))}\n")


def _header_lines(score: Score) -> list[Line]:
    single = {name: text for name, text in reversed(score.fields) if name in SINGLE_FIELDS}
    work = _leaf("work-number", single.get("work/work-number", ""), 2) + _leaf("work-title", score.title, 2)
    lines: list[Line] = [(1, "<work>"), *work, (1, "</work>")] if work else []
    lines += _leaf("movement-number", single.get("movement-number", ""), 1)
    lines += _leaf("movement-title", single.get("movement-title", ""), 1)
    creators: list[Line] = []
    rights: list[Line] = []
    others: list[Line] = []
    if score.composer:
        creators.append((2, f'<creator type="composer">{escape(score.composer)}</creator>'))
    if score.rhythm:
        others.append((3, f'<miscellaneous-field name="rhythm">{escape(score.rhythm)}</miscellaneous-field>'))
    for name, text in score.fields:
        if (creator := _CREATOR.fullmatch(name)) is not None:
            kind = f" type={quoteattr(creator[1])}" if creator[1] else ""
            creators.append((2, f"<creator{kind}>{escape(text)}</creator>"))
        elif name == _RIGHTS:
            rights += _leaf("rights", text, 2)
        elif name not in SINGLE_FIELDS:
            others.append((3, f"<miscellaneous-field name={quoteattr(name)}>{escape(text)}</miscellaneous-field>"))
    if others:
        others = [(2, "<miscellaneous>"), *others, (2, "</miscellaneous>")]
    if creators or rights or others:
        lines += [(1, "<identification>"), *creators, *rights, *others, (1, "</identification>")]
    return lines


def _leaf(tag: str, text: str, depth: int) -> list[Line]:
    return [(depth, f"<{tag}>{escape(text)}</{tag}>")] if text else []


def _score_part_lines(part: Part) -> list[Line]:
    lines: list[Line] = [(2, f"<score-part id={quoteattr(part.id)}>")]
    lines.append((3, f"<part-name>{escape(part.name)}</part-name>"))
    if part.instrument:
        lines += [
            (3, f'<score-instrument id="{part.id}-I1">'),
            (4, f"<instrument-name>{escape(part.instrument)}</instrument-name>"),
            (3, "</score-instrument>"),
        ]
    return [*lines, (2, "</score-part>")]


def part_lines(part: Part) -> list[Line]:
    """The measures of a part, at depth 2."""
    writer = PartWriter(Options(divisions_for(part.measures), part.staves))
    lines: list[Line] = []
    ending: tuple[int, ...] = ()
    for index, measure in enumerate(part.measures):
        before = part.measures[index - 1] if index else None
        after = part.measures[index + 1] if index + 1 < len(part.measures) else None
        ending = measure.ending or ending
        content = attributes_lines(_changes(measure, before, part, writer.options.divisions))
        content += left_barline_lines(measure) + writer.voices(measure)
        barline = measure.barline
        if barline is not None:
            stops = ending if barline.ends_section or after is None or after.ending else ()
            content += right_barline_lines(barline, stops)
            ending = () if stops else ending
        number = quoteattr(measure.number or str(index + 1))
        implicit = ' implicit="yes"' if measure.implicit else ""
        lines.append((2, f"<measure number={number}{implicit}>"))
        lines += [(depth + 3, text) for depth, text in content]
        lines.append((2, "</measure>"))
    return lines


def _changes(measure: Measure, before: Measure | None, part: Part, divisions: int) -> list[Line]:
    """What of the attributes is not in force yet."""
    lines: list[Line] = [(1, f"<divisions>{divisions}</divisions>")] if before is None else []
    if before is None or measure.key != before.key:
        lines += key_lines(measure.key)
    if before is None or measure.time != before.time:
        lines += time_lines(measure.time)
    if before is None and part.staves > 1:
        lines.append((1, f"<staves>{part.staves}</staves>"))
    old_clefs = before.clefs if before is not None else ()
    for staff, clef in enumerate(measure.clefs, 1):
        if clef and clef != (old_clefs[staff - 1] if staff <= len(old_clefs) else ""):
            lines += clef_lines(clef, staff, part.staves)
    if measure.transpose != (before.transpose if before is not None else 0):
        lines += transpose_lines(measure.transpose)
    return lines


def print_scores(scores: Sequence[Score]) -> str:
    """A document of one score, as MusicXML documents are.

    Raises:
        ValueError: there is not exactly one score: a fault of the caller, who writes one document a score.
    """
    if len(scores) != 1:
        raise ValueError(f"a MusicXML document holds one score, not {len(scores)}; write one document for each")
    return print_score(scores[0])
