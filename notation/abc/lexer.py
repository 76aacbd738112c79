"""Which lines and which signs is an ABC text made of?

Lines end at `\\n`, `\\r\\n` or `\\r` alone. A line of music is cut into signs by one regular expression whose
alternatives never overlap in two ways, so the cost is linear and no text whatever fails: what is not ABC becomes
an `other` sign. What a sign is, `read_sign` tells from its text alone, and remembers it: music is made of few.

Source: ABC 2.1, sections 2.2 (file structure), 3 (fields) and 4 (the tune body).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from notation.makers import maker

HEADER_FIELDS = frozenset("ABCDFGHIKLMmNOPQRrSsTUVWwXZ")
"""Letters that begin a field before `K:`; others are reserved and kept."""

BODY_FIELDS = frozenset("IKLMmNPQRrsTUVWw")
"""Letters that begin a field after `K:`."""

NOTE_LETTERS = frozenset("ABCDEFGabcdefgzxyZX")

_STEP = "[A-Ga-g]"
_ACCIDENTAL = r"(?:\^\^?|__?)(?:\d{0,2}/\d{0,2})?"
_LENGTH = r"\d{0,4}(?:/[/]{0,7}\d{0,4}|)"
_BEFORE_BAR = r"(?=[^\]|]{0,200}\|)"
_SIGNS = rf"""
    (?P<note>(?:{_STEP}|{_ACCIDENTAL}{_STEP}|={_STEP})[,']{{0,12}}{_LENGTH})
  | (?P<space>[\ \t\f\v]+)
  | (?P<bar>\.?(?::*(?:\|+\]?|\[\|\]?)\|*:*|::+)(?P<bar_ending>[1-9][\d,\-]{{0,20}})?)
  | (?P<rest>(?P<rest_kind>[zxZX])(?P<rest_length>{_LENGTH}))
  | (?P<broken>>{{1,6}}|<{{1,6}})
  | (?P<inline>\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\])
  | (?P<open_inline>\[[A-Za-z]:[^\]]*$)
  | (?P<ending>\[[ ]?(?P<numbers>[1-9][\d,\-]{{0,20}})|\["(?P<label>[^"\]|]{{0,40}})"{_BEFORE_BAR})
  | (?P<chord>\[)
  | (?P<chord_end>\](?P<chord_length>{_LENGTH}))
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
"""
_FLAGS = re.VERBOSE | re.DOTALL
_CUT = re.compile(re.sub(r"\?P<\w+>", "?:", _SIGNS), _FLAGS)
"""The next sign of a line, with no groups: most of the time goes into cutting lines."""
_SIGN = re.compile(_SIGNS.replace(_BEFORE_BAR, ""), _FLAGS)

_LINE_END = re.compile(r"\r\n|\n|\r")


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


make_line = maker(Line)


def split_lines(text: str, start: int = 0) -> list[Line]:
    """The lines of a text that begins at an offset, the empty one after a final line end included; never empty."""
    return list(lines_from(text, 0, start))


def lines_from(text: str, position: int, start: int = 0) -> Iterator[Line]:
    """The lines of a text that begins at the offset `start`, from the one that begins at `position` of it on."""
    for match in _LINE_END.finditer(text, position):
        end, following = match.span()
        yield make_line(start + position, text[position:end])
        position = following
    yield make_line(start + position, text[position:])


def cut(text: str) -> list[str]:
    """The signs of a line of music, without gaps."""
    return _CUT.findall(text)


def first_sign(text: str, place: int) -> str:
    """The sign that begins at a place of a line of music."""
    match = _CUT.match(text, place)
    assert match is not None
    return match[0]


@lru_cache(maxsize=2048)
def read_sign(text: str) -> re.Match[str]:
    """What a sign is: its `lastgroup` is its kind. `!` is an `open_decoration`, which is true at a line's end only."""
    match = _SIGN.fullmatch(text)
    assert match is not None
    return match


def kinds(text: str) -> Iterator[tuple[str, str]]:
    """The kind and the text of each sign of a line of music, without gaps."""
    return ((read_sign(sign).lastgroup or "", sign) for sign in cut(text))


def field_letter(line: str, in_body: bool) -> str:
    """The letter of the field that a line is, `+` for a continuation, or empty if it is none.

    In the body `A:|` is music, and so is `G:`: only letters that may begin a field there count, or letters that are
    no notes.
    """
    letter = line[:1]
    if line[1:2] != ":" or not (letter == "+" or (letter.isascii() and letter.isalpha())):
        return ""
    if not in_body or letter in BODY_FIELDS or letter == "+":
        return letter
    after = line[2:3]
    if letter in NOTE_LETTERS:
        return letter if letter in "BCDFG" and after == " " and line[3:4].isalpha() and "|" not in line else ""
    return "" if after in (":", "|") else letter


def is_music(line: str) -> bool:
    """Whether a line of the body is music: neither blank nor a field, comment or directive."""
    return bool(line) and line[0] != "%" and not line.isspace() and not field_letter(line, True)


def strip_comment(value: str) -> str:
    """A field's text without its comment and outer spaces; `\\%` becomes a per cent sign."""
    cut = value.find("%")
    while cut > 0 and value[cut - 1] == "\\":
        cut = value.find("%", cut + 1)
    return (value if cut < 0 else value[:cut]).replace("\\%", "%").strip()
