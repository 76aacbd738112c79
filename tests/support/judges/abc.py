"""Four programs that read ABC, asked what is wrong with a text.

- abcm2ps: strict about syntax; says line and column. How full a line is does not count, nor do missing lyrics.
- abc2midi: broken syntax, chords and ties that do not fit; its errors count, its warnings do not.
- abc2abc: the length of every bar but the first, as `Bar 2 is 3/4 not 4/4`. It knows no customs of short bars and
  adds one before a repeat to the bar after it; so a bar is excused if it, or what it is too long, is as long as a
  short measure that `sums` excuses. It adds a bar that goes on in its voice's next line to
  the other voice's: where there is such a bar, the lengths are left to abcjs.
- abcjs: warnings of its parser, and the sum of each measure's notes with its place in the text.

Offsets are code points.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.judges import sums, tools
from tests.support.judges.complaint import Complaint, line_span

_ABCM2PS = re.compile(r"^[^\n:]+:(\d+):(\d+): error: (.*)$", re.MULTILINE)
_ABC2MIDI = re.compile(r"^Error in line-char (\d+)-(\d+) : (.*)$", re.MULTILINE)
_ABC2ABC = re.compile(r"^%Error : (?:Bar (\d+) is (\d+)/(\d+) not (\d+)/(\d+)|(.*))$", re.MULTILINE)
_MARKUP = re.compile(r"<[^>]*>")
_ABCJS = re.compile(r"^Music Line:(\d+):(\d+): (.*?)(?::  .*)?$", re.DOTALL)
_NOT_ABOUT_MUSIC = ("Line too much shrunk", "Not enough words for lyric line", "Too many words in lyric line")
"""What abcm2ps says of the page and of lyrics: new notes have no words yet."""
_SECTION_BARS = frozenset(
    f"bar_{name}" for name in ("left_repeat", "right_repeat", "dbl_repeat", "thin_thin", "thin_thick", "thick_thin")
)


def complaints(texts: Sequence[str], judges: Sequence[str]) -> list[list[Complaint]]:
    """What the judges say about each text.

    Raises:
        tools.MissingJudgeError: one of them is not installed.
    """
    tools.check(judges)
    read = _abcjs(texts) if {"abcjs", "abc2abc"} & set(judges) and tools.available()["abcjs"] else [None] * len(texts)
    return [
        [one for judge in judges for one in _JUDGES[judge](text, abcjs)]
        for text, abcjs in zip(texts, read, strict=True)
    ]


def _abcm2ps(text: str, _abcjs: dict | None) -> Iterator[Complaint]:
    status, output = _on_file(["abcm2ps", "-c", "-O", "/dev/null"], text)
    found = list(_ABCM2PS.finditer(output))
    for match in found:
        if match[3].startswith(_NOT_ABOUT_MUSIC):
            continue
        start, _ = line_span(text, int(match[1]))
        column = start + int(match[2])
        yield Complaint("abcm2ps", match[3], column, column + 1, f"{match[1]}:{match[2]}")
    if status and not found:
        yield Complaint("abcm2ps", f"exit status {status}: {output.strip()[-200:]}")


def _abc2midi(text: str, _abcjs: dict | None) -> Iterator[Complaint]:
    status, output = _on_file(["abc2midi"], text, "-c")
    for match in _ABC2MIDI.finditer(output):
        start, _ = line_span(text, int(match[1]))
        yield Complaint(
            "abc2midi", match[3], start + int(match[2]), start + int(match[2]) + 1, f"{match[1]}-{match[2]}"
        )
    if status:
        yield Complaint("abc2midi", f"exit status {status}")


def _abc2abc(text: str, abcjs: dict | None) -> Iterator[Complaint]:
    status, output = _on_file(["abc2abc"], text)
    right = [one for voice in _sums(text, abcjs) for one in set(voice) - set(sums.wrong(voice))]
    excused = {one.length for one in right if one.full is not None and one.length < one.full}
    torn = any("V:" in text[one.start : one.end] for one in right)
    for match in _ABC2ABC.finditer(output):
        if match[1] is None:
            yield Complaint("abc2abc", match[6])
            continue
        length, full = Fraction(int(match[2]), int(match[3])), Fraction(int(match[4]), int(match[5]))
        if not torn and not {length, length - full} & excused:
            yield Complaint("abc2abc", f"bar of {length} where {full} is due", place=f"bar {match[1]}")
    if status:
        yield Complaint("abc2abc", f"exit status {status}")


def _of_abcjs(text: str, abcjs: dict | None) -> Iterator[Complaint]:
    for warning in abcjs["warnings"] if abcjs else ():
        yield _warning(text, _MARKUP.sub("", warning))
    for voice in _sums(text, abcjs):
        for one in sums.wrong(voice):
            yield Complaint("abcjs", f"measure of {one.length} where {one.full} is due", one.start, one.end, one.place)


def _warning(text: str, warning: str) -> Complaint:
    match = _ABCJS.match(warning)
    if match is None:
        return Complaint("abcjs", warning)
    start, _ = line_span(text, int(match[1]))
    if start < 0:
        return Complaint("abcjs", match[3])
    column = start + int(match[2]) - 1
    return Complaint("abcjs", match[3], column, column + 1, f"{match[1]}:{match[2]}")


def _sums(text: str, abcjs: dict | None) -> list[list[sums.Sum]]:
    """The measures of each voice as abcjs heard them."""
    return [[_sum(text, measure) for measure in voice] for voice in abcjs["voices"]] if abcjs else []


def _sum(text: str, measure: dict) -> sums.Sum:
    metre = Fraction(measure["metre"]).limit_denominator(9999)
    start, end = (_code_points(text, measure[name]) for name in ("start", "end"))
    return sums.Sum(
        length=Fraction(measure["length"]).limit_denominator(9999),
        full=metre or None,
        ends_section=measure["bar"] in _SECTION_BARS,
        start=start,
        end=end,
        place=repr(text[start:end]),
    )


def _code_points(text: str, utf16: int) -> int:
    """The offset in code points of an offset in UTF-16 units."""
    return len(text.encode("utf-16-le")[: 2 * utf16].decode("utf-16-le", errors="ignore"))


def _on_file(command: list[str], text: str, *options: str) -> tuple[int, str]:
    with TemporaryDirectory(prefix="judge") as folder:
        path = Path(folder) / "tune.abc"
        path.write_text(text, encoding="utf-8", newline="")
        return tools.run([*command, path.name, *options], timeout=60, folder=Path(folder))


def _abcjs(texts: Sequence[str]) -> list[dict]:
    """What `node/parse.mjs` says about each text; one process for all."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    status, output = tools.run(["node", tools.NODE_FOLDER / "parse.mjs"], stdin=lines)
    answers = output.splitlines()
    if status or len(answers) != len(texts):
        raise RuntimeError(
            f"abcjs answered {len(answers)} of {len(texts)} texts, exit status {status}: {output[-500:]}"
        )
    return [json.loads(answer) for answer in answers]


_JUDGES: dict[str, Callable[[str, dict | None], Iterator[Complaint]]] = {
    "abcm2ps": _abcm2ps,
    "abc2midi": _abc2midi,
    "abc2abc": _abc2abc,
    "abcjs": _of_abcjs,
}
