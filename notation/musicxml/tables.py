"""Which elements, attributes and values fit at a place of a MusicXML document?

The common ones, in the order of the schema; not every one of MusicXML's four hundred elements.
Source: MusicXML 4.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from notation.language import Document, TableItem
from notation.musicxml import names
from notation.musicxml.tags import TOKEN
from notation.musicxml.tree import Tree
from notation.source import Span

_Children = Mapping[str, str]

CHILDREN: Final[Mapping[str, _Children]] = {
    "score-partwise": {
        "work": "title and number of the work",
        "movement-number": "number of the movement",
        "movement-title": "title of the movement",
        "identification": "composer, rights, software",
        "defaults": "page layout",
        "credit": "text on a page",
        "part-list": "the parts and their instruments",
        "part": "the music of one part",
    },
    "score-timewise": {
        "work": "title and number of the work",
        "identification": "composer, rights, software",
        "part-list": "the parts and their instruments",
        "measure": "one measure of every part",
    },
    "work": {"work-number": "such as Op. 18", "work-title": "the title"},
    "identification": {
        "creator": "composer, lyricist, arranger",
        "rights": "copyright",
        "encoding": "software and date",
        "source": "what it was taken from",
        "miscellaneous": "fields of your own",
    },
    "part-list": {"part-group": "a bracket or brace", "score-part": "one part"},
    "score-part": {
        "part-name": "the printed name",
        "part-abbreviation": "the printed short name",
        "score-instrument": "an instrument of the part",
        "midi-instrument": "its sound",
    },
    "score-instrument": {"instrument-name": "the name of the instrument"},
    "midi-instrument": {
        "midi-channel": "1 to 16",
        "midi-program": "1 to 128",
        "volume": "0 to 100",
        "pan": "-180 to 180",
    },
    "part": {"measure": "one measure"},
    "measure": {
        "note": "a note, rest or note of a chord",
        "backup": "go back in the measure, to write another voice",
        "forward": "go on in the measure without a note",
        "direction": "words, dynamics, tempo, pedal",
        "attributes": "key, time, clef, divisions",
        "harmony": "a chord symbol",
        "figured-bass": "figures of a thorough bass",
        "print": "layout of the page from here",
        "sound": "playback",
        "barline": "a barline other than the plain one, repeats, endings",
    },
    "attributes": {
        "divisions": "how many durations a quarter note has",
        "key": "the key signature",
        "time": "the time signature",
        "staves": "how many staves the part has",
        "clef": "the clef",
        "transpose": "from written to sounding pitch",
        "measure-style": "rests of several measures, slashes",
    },
    "key": {"fifths": "sharps, or flats if negative", "mode": "major, minor, ..."},
    "time": {"beats": "the upper number", "beat-type": "the lower number", "senza-misura": "no metre"},
    "clef": {"sign": "G, F, C, ...", "line": "counted from the bottom", "clef-octave-change": "-1 for an octave lower"},
    "transpose": {"diatonic": "steps", "chromatic": "semitones", "octave-change": "octaves"},
    "note": {
        "grace": "a grace note",
        "cue": "a cue note",
        "chord": "sounds with the note before",
        "pitch": "what sounds",
        "unpitched": "a note of percussion",
        "rest": "silence",
        "duration": "in divisions of a quarter note",
        "tie": "sounds on from or into a note",
        "voice": "the voice it belongs to",
        "type": "quarter, eighth, ...",
        "dot": "half as long again",
        "accidental": "the printed accidental",
        "time-modification": "the ratio of a tuplet",
        "stem": "up or down",
        "notehead": "its shape",
        "staff": "counted from the top",
        "beam": "begin, continue, end",
        "notations": "ties, slurs, tuplets, articulations",
        "lyric": "a syllable",
    },
    "pitch": {"step": "A to G", "alter": "semitones: 1 is sharp, -1 is flat", "octave": "middle C begins octave 4"},
    "unpitched": {"display-step": "where it is printed", "display-octave": "where it is printed"},
    "time-modification": {
        "actual-notes": "as many notes",
        "normal-notes": "in the time of as many",
        "normal-type": "of this type",
    },
    "backup": {"duration": "in divisions of a quarter note"},
    "forward": {"duration": "in divisions of a quarter note", "voice": "the voice", "staff": "the staff"},
    "notations": {
        "tied": "the printed tie",
        "slur": "a slur",
        "tuplet": "the bracket of a tuplet",
        "glissando": "a glissando",
        "ornaments": "trill, turn, mordent",
        "technical": "fingering, bowing",
        "articulations": "staccato, accent",
        "dynamics": "p, f, ...",
        "fermata": "a pause",
        "arpeggiate": "a broken chord",
    },
    "articulations": {
        "accent": "an accent",
        "strong-accent": "marcato",
        "staccato": "short",
        "tenuto": "held",
        "staccatissimo": "very short",
        "breath-mark": "a breath",
    },
    "ornaments": {
        "trill-mark": "a trill",
        "turn": "a turn",
        "inverted-turn": "a turn from below",
        "mordent": "a lower mordent",
        "inverted-mordent": "an upper mordent",
        "tremolo": "a tremolo",
    },
    "technical": {
        "up-bow": "up bow",
        "down-bow": "down bow",
        "open-string": "open string",
        "fingering": "a finger",
        "string": "a string",
        "fret": "a fret",
    },
    "direction": {
        "direction-type": "what is printed",
        "offset": "from where it stands, in divisions",
        "voice": "the voice",
        "staff": "the staff",
        "sound": "how it is played",
    },
    "direction-type": {
        "words": "text",
        "dynamics": "p, f, ...",
        "wedge": "a hairpin",
        "metronome": "a tempo in beats a minute",
        "pedal": "a pedal mark",
        "rehearsal": "a rehearsal mark",
        "segno": "a segno",
        "coda": "a coda",
    },
    "dynamics": dict.fromkeys(("pp", "p", "mp", "mf", "f", "ff", "sfz"), "a dynamic mark"),
    "metronome": {"beat-unit": "the note", "beat-unit-dot": "it is dotted", "per-minute": "how many a minute"},
    "harmony": {
        "root": "the root of the chord",
        "kind": "major, minor, dominant, ...",
        "bass": "its bass",
        "degree": "an added or altered note",
        "offset": "from where it stands, in divisions",
        "staff": "the staff",
    },
    "root": {"root-step": "A to G", "root-alter": "1 is sharp, -1 is flat"},
    "bass": {"bass-step": "A to G", "bass-alter": "1 is sharp, -1 is flat"},
    "barline": {
        "bar-style": "how it looks",
        "fermata": "a pause on it",
        "ending": "a variant ending",
        "repeat": "a repeat",
    },
    "lyric": {"syllabic": "single, begin, middle, end", "text": "the syllable", "extend": "a held syllable"},
}

_EMPTY: Final = frozenset(
    (
        "chord", "grace", "cue", "dot", "rest", "tie", "tied", "slur", "tuplet", "fermata", "arpeggiate", "repeat",
        "senza-misura", "extend", "beat-unit-dot", "segno", "coda", "wedge", "pedal",
        *CHILDREN["articulations"], *CHILDREN["ornaments"], *CHILDREN["dynamics"],
        "up-bow", "down-bow", "open-string",
    )
)  # fmt: skip
"""Elements that are usually written without content."""

_STEPS = tuple("CDEFGAB")
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "type": tuple(names.TYPES),
    "beat-unit": tuple(names.TYPES),
    "normal-type": tuple(names.TYPES),
    "step": _STEPS,
    "root-step": _STEPS,
    "bass-step": _STEPS,
    "display-step": _STEPS,
    "octave": tuple("0123456789"),
    "alter": ("-1", "1", "-2", "2"),
    "mode": ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "ionian", "locrian", "none"),
    "fifths": tuple(str(fifths) for fifths in range(-7, 8)),
    "beat-type": ("1", "2", "4", "8", "16", "32"),
    "sign": ("G", "F", "C", "percussion", "TAB", "none"),
    "line": tuple("12345"),
    "stem": ("up", "down", "none", "double"),
    "beam": ("begin", "continue", "end", "forward hook", "backward hook"),
    "accidental": ("sharp", "natural", "flat", "double-sharp", "sharp-sharp", "flat-flat"),
    "kind": tuple(sorted(names.CHORD_KINDS)),
    "bar-style": ("regular", "light-light", "light-heavy", "heavy-light", "dotted", "dashed", "heavy", "none"),
    "syllabic": ("single", "begin", "middle", "end"),
}

_START_STOP = ("start", "stop")
ATTRIBUTE_VALUES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "tie": {"type": _START_STOP},
    "tied": {"type": (*_START_STOP, "continue", "let-ring"), "orientation": ("over", "under")},
    "slur": {"type": (*_START_STOP, "continue"), "number": tuple("123456"), "placement": ("above", "below")},
    "tuplet": {"type": _START_STOP, "number": tuple("123456"), "bracket": ("yes", "no")},
    "beam": {"number": tuple("12345678")},
    "barline": {"location": ("right", "left", "middle")},
    "repeat": {"direction": ("forward", "backward"), "times": ()},
    "ending": {"number": ("1", "2", "1, 2"), "type": ("start", "stop", "discontinue")},
    "clef": {"number": ("1", "2")},
    "time": {"symbol": ("common", "cut", "single-number")},
    "note": {"print-object": ("yes", "no"), "default-x": ()},
    "rest": {"measure": ("yes", "no")},
    "grace": {"slash": ("yes", "no")},
    "measure": {"number": (), "implicit": ("yes", "no"), "width": ()},
    "part": {"id": ()},
    "score-part": {"id": ()},
    "score-instrument": {"id": ()},
    "midi-instrument": {"id": ()},
    "score-partwise": {"version": ("4.0", "3.1")},
    "score-timewise": {"version": ("4.0", "3.1")},
    "creator": {"type": ("composer", "lyricist", "arranger")},
    "direction": {"placement": ("above", "below")},
    "wedge": {"type": ("crescendo", "diminuendo", "stop")},
    "pedal": {"type": ("start", "stop", "change"), "line": ("yes", "no")},
    "lyric": {"number": tuple("1234")},
    "kind": {"text": ()},
    "fermata": {"type": ("upright", "inverted")},
}

_NAME_TYPED = re.compile(r"<(/?)([A-Za-z-]*)")
_ATTRIBUTE_TYPED = re.compile(
    r"""<([A-Za-z-]+)\s(?:[^"'<>]|"[^"<]*"|'[^'<]*')*?(?:(?<=\s)([\w-]*)|([\w-]+)\s*=\s*["']([^"'<]*))"""
)


def table_items(document: Document, offset: int) -> list[TableItem]:
    """The elements, attributes and values that fit at an offset."""
    tree, text = document.tree, document.text
    if not isinstance(tree, Tree) or not 0 <= offset <= len(text):
        return []
    opening = text.rfind("<", max(0, offset - 400), offset)
    typed = text[opening:offset] if opening >= 0 else ""
    stack = _open_elements(text, tree, offset)
    if stack is None:
        return []
    if (name := _NAME_TYPED.fullmatch(typed)) is not None:
        return _elements(stack, Span(opening, offset), closing_only=bool(name[1]), prefix=name[2])
    if (attribute := _ATTRIBUTE_TYPED.fullmatch(typed)) is not None:
        return _attributes(attribute, offset)
    if ">" not in typed or not stack:
        return []
    content = typed[typed.rfind(">") + 1 :]
    if stack[-1] in VALUES:
        return _values(VALUES[stack[-1]], content.strip(), offset)
    if content.strip():
        return []
    return _elements(stack, Span(offset, offset), closing_only=False, prefix="")


def _open_elements(text: str, tree: Tree, offset: int) -> list[str] | None:
    """The names of the elements that are open at an offset; None inside a comment or section."""
    stack: list[str] = []
    start = 0
    for part in tree.skeleton.parts:
        for measure in part.measures:
            if measure.inner <= offset <= measure.inner_end:
                order = ["measure", "part"] if tree.skeleton.timewise else ["part", "measure"]
                stack = ["score-timewise" if tree.skeleton.timewise else "score-partwise", *order]
                start = measure.inner
    for match in TOKEN.finditer(text, start, offset):
        if match["leaf"] is not None:
            continue
        name = match["name"]
        if name is None:
            if match.end() == offset and match.group().startswith(("<!--", "<![CDATA[")):
                return stack if match.group().endswith(("-->", "]]>")) else None
        elif match["slash"]:
            if name in stack:
                while stack.pop() != name:
                    pass
        elif not match["attributes"].endswith("/"):
            stack.append(name)
    return stack


def _elements(stack: list[str], replaces: Span, *, closing_only: bool, prefix: str) -> list[TableItem]:
    items: list[TableItem] = []
    if not closing_only:
        children = CHILDREN.get(stack[-1], {}) if stack else {"score-partwise": "a score, part by part"}
        for name, detail in children.items():
            if name.startswith(prefix):
                text = f"<{name}/>" if name in _EMPTY else f"<{name}></{name}>"
                items.append(TableItem(name, text, replaces, "element", detail))
    if stack and (closing_only or not prefix) and stack[-1].startswith(prefix):
        items.append(TableItem(f"/{stack[-1]}", f"</{stack[-1]}>", replaces, "element", f"close <{stack[-1]}>"))
    return items


def _attributes(typed: re.Match[str], offset: int) -> list[TableItem]:
    tag, name, valued, value = typed.groups()
    known = ATTRIBUTE_VALUES.get(tag, {})
    if valued is not None:
        return _values(known.get(valued, ()), value, offset)
    replaces = Span(offset - len(name), offset)
    return [
        TableItem(one, f'{one}=""', replaces, "attribute", f"attribute of <{tag}>")
        for one in known
        if one.startswith(name)
    ]


def _values(values: Iterable[str], typed: str, offset: int) -> list[TableItem]:
    replaces = Span(offset - len(typed), offset)
    return [TableItem(value, value, replaces, "value") for value in values if value.startswith(typed)]
