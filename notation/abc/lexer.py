"""Which lines and which signs is an ABC text made of?

Lines end at `\\n`, `\\r\\n` or `\\r` alone. A line of music is cut into tokens by one regular expression whose
alternatives never overlap in two ways, so the cost is linear and no text whatever fails: what is not ABC becomes
an `other` token.

Source: ABC 2.1, sections 2.2 (file structure), 3 (fields) and 4 (the tune body).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

HEADER_FIELDS = frozenset("ABCDFGHIKLMmNOPQRrSsTUVWwXZ")
"""Letters that begin a field before `K:`; others are reserved and kept."""

BODY_FIELDS = frozenset("IKLMmNPQRrsTUVWw")
"""Letters that begin a field after `K:`."""

NOTE_LETTERS = frozenset("ABCDEFGabcdefgzxyZX")

_LENGTH = r"(?:\d{1,4}(?:/{1,8}\d{0,4})?|/{1,8}\d{0,4})"

TOKEN = re.compile(
    rf"""
    (?P<note>(?P<accidental>(?:\^\^?|__?)(?:\d{{0,2}}/\d{{0,2}})?|=)?
        (?P<step>[A-Ga-g])(?P<octave>[,']{{0,12}})(?P<length>{_LENGTH})?)
  | (?P<space>[\ \t\f\v]+)
  | (?P<bar>\.?(?::*(?:\|+\]?|\[\|\]?)\|*:*|::+)(?P<bar_ending>[1-9][\d,\-]{{0,20}})?)
  | (?P<rest>(?P<rest_kind>[zxZX])(?P<rest_length>{_LENGTH})?)
  | (?P<broken>>{{1,6}}|<{{1,6}})
  | (?P<inline>\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\])
  | (?P<open_inline>\[[A-Za-z]:[^\]]*$)
  | (?P<ending>\[[ ]?(?P<numbers>[1-9][\d,\-]{{0,20}})|\["(?P<label>[^"\]|]{{0,40}})"(?=[^\]|]{{0,200}}\|))
  | (?P<chord>\[)
  | (?P<chord_end>\](?P<chord_length>{_LENGTH})?)
  | (?P<overlay>\(&|&+\)?)
  | (?P<tuplet>\((?P<p>[1-9]\d?)(?::(?P<q>\d{{0,2}}))?(?::(?P<r>\d{{0,2}}))?)
  | (?P<slur>\.?\()
  | (?P<slur_end>\))
  | (?P<tie>\.?-)
  | (?P<grace>\{{/?)
  | (?P<grace_end>\}})
  | (?P<string>"(?P<text>[^"]*)")
  | (?P<open_string>"[^"]*$)
  | (?P<decoration>!(?P<name>[^!|\s"\[\]]{{1,40}})!|\+(?P<plus_name>[^+|\s"\[\]]{{1,40}})\+)
  | (?P<open_decoration>!(?P<half_name>[A-Za-z0-9.<>()]{{0,20}})$)
  | (?P<accidental_only>\^\^?|__?|=)
  | (?P<spacer>y\d{{0,4}})
  | (?P<symbol>[.~H-Wh-w])
  | (?P<comment>%.*)
  | (?P<ignored>[`$\\*!])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""One token of a line of music; its `lastgroup` is its kind."""

_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")
_FIELD = re.compile(r"([A-Za-z+]):")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text without the line end, and the offset of its first character."""

    start: int
    text: str

    @property
    def end(self) -> int:
        """The offset of the line end."""
        return self.start + len(self.text)

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing but white space: such a line ends a tune."""
        return not self.text.strip()


def split_lines(text: str, start: int = 0) -> list[Line]:
    """The lines of a text that begins at an offset, the empty one after a final line end included; never empty."""
    return list(lines_from(text, 0, start))


def lines_from(text: str, position: int, start: int = 0) -> Iterator[Line]:
    """The lines of a text that begins at the offset `start`, from the one that begins at `position` of it on."""
    while True:
        match = _LINE.match(text, position)
        assert match is not None
        yield Line(start + position, match[1])
        if not match[2]:
            return
        position = match.end()


def tokens(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """The tokens of a line of music from `start` on, without gaps."""
    return TOKEN.finditer(text, start)


def field_letter(line: str, in_body: bool) -> str:
    """The letter of the field that a line is, `+` for a continuation, or empty if it is none.

    In the body `A:|` is music, and so is `G:`: only letters that may begin a field there count, or letters that are
    no notes.
    """
    match = _FIELD.match(line)
    if match is None:
        return ""
    letter = match[1]
    if not in_body:
        return letter
    if letter in BODY_FIELDS or letter == "+":
        return letter
    after = line[2:3]
    if letter in NOTE_LETTERS:
        return letter if letter in "BCDFG" and after == " " and line[3:4].isalpha() and "|" not in line else ""
    return "" if after in (":", "|") else letter


def strip_comment(value: str) -> str:
    """A field's text without its comment and outer spaces; `\\%` becomes a per cent sign."""
    cut = value.find("%")
    while cut > 0 and value[cut - 1] == "\\":
        cut = value.find("%", cut + 1)
    return (value if cut < 0 else value[:cut]).replace("\\%", "%").strip()
