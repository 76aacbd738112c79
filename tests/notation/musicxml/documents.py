"""Small documents to test with, laid out like those of notation programs."""

from __future__ import annotations

CURSOR = "‸"

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
<score-partwise version="4.0">
  <work><work-title>Air</work-title></work>
  <part-list>
    <score-part id="P1"><part-name>Violin</part-name></score-part>
    <score-part id="P2"><part-name>Piano</part-name></score-part>
  </part-list>
"""

ATTRIBUTES = """      <attributes>
        <divisions>2</divisions>
        <key>
          <fifths>1</fifths>
          <mode>major</mode>
        </key>
        <time>
          <beats>3</beats>
          <beat-type>4</beat-type>
        </time>
        <clef>
          <sign>G</sign>
          <line>2</line>
        </clef>
      </attributes>
"""


def note(pitch: str, duration: int, extra: str = "", voice: str = "1", staff: str = "") -> str:
    """A note such as `F#4`, or a rest for an empty pitch, as one indented element."""
    lines = ["      <note>"]
    lines += [f"        {extra}"] if extra.startswith(("<chord", "<grace", "<cue")) else []
    if pitch:
        alter = {"#": 1, "b": -1}.get(pitch[1:2], 0)
        sounding = f"<alter>{alter}</alter>" if alter else ""
        lines.append(f"        <pitch><step>{pitch[0]}</step>{sounding}<octave>{pitch[-1]}</octave></pitch>")
    else:
        lines.append("        <rest/>")
    if duration:
        lines.append(f"        <duration>{duration}</duration>")
    lines.append(f"        <voice>{voice}</voice>")
    lines += [f"        {extra}"] if extra and not extra.startswith(("<chord", "<grace", "<cue")) else []
    lines += [f"        <staff>{staff}</staff>"] if staff else []
    return "\n".join([*lines, "      </note>"]) + "\n"


def measure(number: int, content: str, attributes: str = "") -> str:
    """A measure around its content."""
    return f'    <measure number="{number}">\n{content}    </measure>\n'


def part(part_id: str, *measures: str) -> str:
    """A part around its measures."""
    return f'  <part id="{part_id}">\n{"".join(measures)}  </part>\n'


def document(*parts: str) -> str:
    """A whole document."""
    return f"{HEAD}{''.join(parts)}</score-partwise>\n"


def cut(text: str) -> tuple[str, int]:
    """A text without its cursor, and the offset at which the cursor stood."""
    offset = text.index(CURSOR)
    return text.replace(CURSOR, ""), offset


QUARTERS = note("G4", 2) + note("A4", 2) + note("B4", 2)
FIRST = measure(1, ATTRIBUTES + QUARTERS)
