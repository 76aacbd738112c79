"""What music does an ABC text say?

`parse` reads any text whatever and never fails: what it does not understand stays in the text and gets a diagnostic.
A document is cut into a file header and tunes; `notation.abc.tune` reads each. Music without an `X:` anywhere is a tune
too, so that a half-typed document already says something. Text longer than `MAX_LENGTH` code points, and text with a
NUL, which no editor writes, is not read.

The last few texts are remembered. After an edit in the music of one tune, nothing else is even looked at; after any
other edit the text is cut again, but only tunes that changed are read again, of these only the lines that changed
(`notation.abc.reading`). Tunes that only moved are given their new spans when somebody looks at them
(`notation.moving`). What is remembered never shows: a text gives the same document every time, whatever was read
before it and on any thread.

Source: ABC 2.1, section 2.2 (file structure).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from notation.abc.lexer import Line, field_letter, kinds, split_lines, strip_comment
from notation.abc.reading import LINE_END, ReadTune, begin_tune, changed_lines, last_seam, read, reread, resumed
from notation.abc.seams import moved_seam
from notation.abc.tune import MAX_DIAGNOSTICS, Report, TuneParser
from notation.diagnostic import Diagnostic, Severity, place_of, start_of
from notation.language import Document
from notation.moving import moved_diagnostic, moved_score, spliced
from notation.recent import Recent
from notation.score import Score
from notation.source import Span

MAX_LENGTH = 2_000_000
"""Code points of a document that are read; the rest is kept as text."""
MAX_EVENTS = 500_000
"""Notes and rests of a document after which no further tune is read."""
N_REMEMBERED = 8
"""Of how many texts the tunes are remembered: an edit and the suggestions that are verified after it."""
N_TRIED = 2
"""From how many of them, at most, a text is tried to be reached by an edit."""

_BLANK_LINES = r"(?:[^\S\r\n]*(?:\r\n?|\n|\Z))+"
_LEADING = re.compile(_BLANK_LINES)
_SEPARATOR = re.compile(rf"(?:\n|\r(?!\n)){_BLANK_LINES}")
"""A line end and the blank lines that follow it."""
_NEXT_LINE = re.compile(r"(?:\r\n?|\n)([^\r\n]*)")
_TO_LINE_END = re.compile(r"[^\r\n]*")
_NUMBER = re.compile(r"[\r\n]X:")
"""A line end and the line that begins a tune."""


@dataclass(frozen=True, slots=True)
class Tune:
    """Where a tune stands in its text, and the how manieth it is, from 1. `end` is the end of its last line."""

    start: int
    end: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The part of a text that is read, its file header and its tunes.

    `reads` says how each tune was read, None for one that was not, and `n_events` how many notes and rests they have.
    `head` is what stands before the first seam of the first tune: an edit there is none of music alone.
    """

    text: str
    header: tuple[Line, ...]
    tunes: tuple[Tune, ...]
    reads: tuple[ReadTune | None, ...] = field(default=(), repr=False, compare=False)
    n_events: int = field(default=0, repr=False, compare=False)
    head: str = field(default="", repr=False, compare=False)

    def lines(self, tune: Tune) -> list[Line]:
        """The lines of a tune."""
        return split_lines(self.text[tune.start : tune.end], tune.start)

    def tune_at(self, offset: int) -> tuple[int, list[Line]] | None:
        """The index of the tune that an offset is in and its lines, with the line that follows it as one more."""
        index = bisect_right(self.tunes, offset, key=lambda tune: tune.start) - 1
        if index < 0:
            return None
        tune = self.tunes[index]
        lines = self.lines(tune)
        if next_line := _NEXT_LINE.match(self.text, tune.end):
            lines.append(Line(next_line.start(1), next_line[1]))
        return (index, lines) if offset <= lines[-1].end else None


_Key = tuple[str, tuple[str, ...], bool]
_Memo = dict[_Key, tuple[ReadTune, int, Score]]

DOCUMENTS: Recent[Document] = Recent(N_REMEMBERED, 2)
MEMOS: Recent[_Memo] = Recent(N_REMEMBERED, 1)
"""The tunes of texts that were cut: how each was read, and where it stood last. None of them is ever changed."""


def cut(text: str) -> Tree:
    """Cut a text into a file header and tunes."""
    text = "" if "\0" in text[:MAX_LENGTH] else text[:MAX_LENGTH]
    numbers = [0] if text.startswith("X:") else []
    numbers.extend(match.start() + 1 for match in _NUMBER.finditer(text))
    tunes: list[Tune] = []
    header: tuple[Line, ...] = ()
    place = 0
    for start, end in _blocks(text):
        until = place
        while until < len(numbers) and numbers[until] < end:
            until += 1
        starts = numbers[place:until]
        place = until
        if not numbers and _is_music(split_lines(text[start:end])):
            starts = [start]
        elif not tunes and not header and (not starts or starts[0] > start):
            header = tuple(split_lines(text[start : _line_end(text, starts[0]) if starts else end], start))
        ends = [_line_end(text, following) for following in starts[1:]]
        for first, last in zip(starts, [*ends, end], strict=False):
            tunes.append(Tune(first, last, len(tunes) + 1))
    return Tree(text, header, tuple(tunes))


def _line_end(text: str, line_start: int) -> int:
    """Where the line before the one that begins at an offset ends."""
    return line_start - (2 if text.endswith("\r\n", 0, line_start) else 1)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of each run of lines without a blank line."""
    leading = _LEADING.match(text)
    start = leading.end() if leading else 0
    for match in _SEPARATOR.finditer(text, start):
        yield start, match.start() - text.startswith("\r\n", match.start() - 1)
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _is_music(lines: Sequence[Line]) -> bool:
    """Whether lines without `X:` are a tune: one has a key, or looks like notes."""
    return any(line.text.startswith("K:") or _looks_like_notes(line.text) for line in lines)


def _looks_like_notes(text: str) -> bool:
    if text.startswith("%") or field_letter(text, True):
        return False
    found = [kind for kind, _ in kinds(text[:200])]
    unknown = sum(kind in ("other", "symbol", "ignored") for kind in found)
    return "note" in found and 4 * unknown < len(found)


def parse(text: str, near: Document | None = None) -> Document:
    """Parse any text whatever; only what differs from `near`, or from a text read of late, is read, if little."""
    if near is not None:
        DOCUMENTS.keep(near, len(near.text))
    places = ((old, _edited_tune(old, text)) for old in DOCUMENTS.items)
    candidates = islice(((old, index) for old, index in places if index is not None), N_TRIED)
    edited = (_after_edit(old, text, index) for old, index in candidates)
    document = next((one for one in edited if one is not None), None) or _parse_whole(text)
    DOCUMENTS.keep(document, len(text))
    return document


def _after_edit(old: Document, text: str, index: int) -> Document | None:
    """The document of a text that differs from an old one by an edit in one tune; None if the tune cannot be reread."""
    tree = old.tree
    assert isinstance(tree, Tree)
    tune, known = tree.tunes[index], tree.reads[index]
    by = len(text) - len(old.text)
    new = reread(known, text[tune.start : tune.end + by]) if known is not None else None
    if known is None or new is None or len(old.diagnostics) + len(new.diagnostics) >= MAX_DIAGNOSTICS:
        return None
    n_events = tree.n_events + new.n_events - known.n_events
    if n_events > MAX_EVENTS:
        return None
    tunes = spliced(tree.tunes, index, index + 1, (Tune(tune.start, tune.end + by, tune.ordinal),), by, _moved_tune)
    scores = spliced(old.scores, index, index + 1, (_score_at(new, tune.start),), by, moved_score)
    reads = (*tree.reads[:index], new, *tree.reads[index + 1 :])
    return Document(
        text, scores, _diagnostics_after(old, tune, new, by), Tree(text, tree.header, tunes, reads, n_events, tree.head)
    )


def _edited_tune(old: Document, text: str) -> int | None:
    """The index of the one tune whose music an edit changes; None if it may change anything else."""
    tree = old.tree
    assert isinstance(tree, Tree)
    if not text.startswith(tree.head):
        return None
    changed = changed_lines(old.text, text)
    if changed is None or tree.text is not old.text or len(text) > MAX_LENGTH:
        return None
    start, old_end, new_end = changed
    index = bisect_right(tree.tunes, start, key=_tune_start) - 1
    if index < 0 or start == tree.tunes[index].start:
        return None
    tune = tree.tunes[index]
    behind = LINE_END.match(old.text, tune.end)
    if behind is None or old_end > behind.end() or not old.text.startswith("X:", tune.start):
        return None
    end = tune.end + len(text) - len(old.text)
    if text[end : end + len(behind[0])] != behind[0] or text[end - 1] in "\r\n":
        return None  # the end of its last line is another now
    lines = split_lines(text[start:new_end].removesuffix("\n").removesuffix("\r"))
    is_music = not any(line.is_blank or "\0" in line.text or line.text.startswith("X:") for line in lines)
    return index if is_music else None


def _diagnostics_after(old: Document, tune: Tune, new: ReadTune, by: int) -> tuple[Diagnostic, ...]:
    """What is wrong with a document one tune of which reads as `new` now."""
    found = sorted((moved_diagnostic(one, tune.start - new.base) for one in new.diagnostics), key=place_of)
    first = bisect_left(old.diagnostics, tune.start, key=start_of)
    last = bisect_right(old.diagnostics, tune.end, key=start_of)
    return spliced(old.diagnostics, first, last, found, by, moved_diagnostic)


def _tune_start(tune: Tune) -> int:
    return tune.start


def _moved_tune(tune: Tune, by: int) -> Tune:
    return Tune(tune.start + by, tune.end + by, tune.ordinal)


def _score_at(known: ReadTune, start: int) -> Score:
    """The score of a tune where it stands now."""
    return known.score if known.base == start else moved_score(known.score, start - known.base)


def _parse_whole(text: str) -> Document:
    tree = cut(text)
    report = Report()
    if tree.tunes and tree.header:
        TuneParser(tree.header, report)
    tree, scores, found = _read_tunes(tree)
    report.found = [*report.found, *found][:MAX_DIAGNOSTICS]
    if "\0" in text[:MAX_LENGTH]:
        place = text.index("\0")
        message = f"there is a NUL character at {place}: this is no text and is not read; open an ABC file"
        report.add("not-text", Severity.ERROR, place, place + 1, message, "2.1")
    elif len(text) > MAX_LENGTH:
        message = f"the text has {len(text)} characters and only the first {MAX_LENGTH} are read; split the file"
        report.add("text-too-long", Severity.WARNING, MAX_LENGTH, len(text), message, "")
    report.found.sort(key=place_of)
    return Document(text, tuple(scores), tuple(report.found), tree)


def _read_tunes(tree: Tree) -> tuple[Tree, list[Score], list[Diagnostic]]:
    """The scores of a document and what was found in them; what was read before is not read again."""
    remembered = MEMOS.items
    memo: _Memo = {}
    header = tuple(line.text for line in tree.header)
    scores: list[Score] = []
    found: list[Diagnostic] = []
    reads: list[ReadTune | None] = []
    n_events = 0
    for tune in tree.tunes:
        if n_events > MAX_EVENTS:
            scores.append(Score(span=Span(tune.start, tune.end)))
            reads.append(None)
            continue
        text = tree.text[tune.start : tune.end]
        key = (text, header, _is_in_order(text, tune.ordinal))
        one, score = _recall(key, tune, (memo, *remembered))
        memo[key] = (one, tune.start, score)
        scores.append(score)
        reads.append(one)
        n_events += one.n_events
        if one.diagnostics and len(found) < MAX_DIAGNOSTICS:
            by = tune.start - one.base
            found.extend(moved_diagnostic(each, by) for each in one.diagnostics)
    if n_events > MAX_EVENTS:
        found.insert(0, _too_many_events(tree, n_events))
    MEMOS.keep(memo, len(tree.text))
    head = tree.text[: tree.tunes[0].start] + reads[0].head if reads and reads[0] is not None else ""
    return Tree(tree.text, tree.header, tree.tunes, tuple(reads), n_events, head), scores, found


def _is_in_order(text: str, ordinal: int) -> bool:
    """Whether the number of a tune is its place in the file: then it says nothing and is not kept."""
    line = _TO_LINE_END.match(text, 2)
    return line is not None and strip_comment(line[0]) == str(ordinal)


def _recall(key: _Key, tune: Tune, memos: Iterable[_Memo]) -> tuple[ReadTune, Score]:
    """How a tune reads, remembered or read now, and its score at the place where it stands."""
    for memo in memos:
        known = memo.get(key)
        if known is not None:
            one, base, score = known
            return one, score if base == tune.start else _score_at(one, tune.start)
    one = _read_edited(key, tune) or read(key[0], tune.start, *key[1:])
    return one, _score_at(one, tune.start)


def _read_edited(key: _Key, tune: Tune) -> ReadTune | None:
    """How a tune reads that differs by an edit from the one that stood at its place in a document before, else None."""
    text, header, is_in_order = key
    trees = (document.tree for document in DOCUMENTS.items if isinstance(document.tree, Tree))
    stood_here = (one for tree in trees for one in tree.reads[tune.ordinal - 1 : tune.ordinal] if one is not None)
    alike = (one for one in stood_here if text.startswith(one.head))
    candidates = (one for one in alike if (one.header, one.opening.is_in_order) == (header, is_in_order))
    edited = (reread(one, text) for one in islice(candidates, N_TRIED))
    return next((one for one in edited if one is not None), None)


def parser_before(tree: Tree, index: int, score: Score, lines: Sequence[Line], number: int, resume: bool) -> TuneParser:
    """A parser that has read a tune up to one of its lines.

    Args:
        tree: of the document.
        index: of the tune.
        score: of the tune, where it stands now.
        lines: of the tune.
        number: of the line.
        resume: whether to begin near the line, not at the beginning of the tune: then less is known of what stands
            before, and this or what is read next may raise SealedError.
    """
    known = tree.reads[index]
    by = tree.tunes[index].start - known.base if known is not None else 0
    seam = last_seam(known.seams, lines[number].start - by) if known is not None and resume else None
    first = 0
    if known is not None and seam is not None:
        here = moved_seam(seam, by)
        first = bisect_left(lines, here.place, key=lambda line: line.start)
        parser = resumed(known, here, score, Report())
    else:
        parser = begin_tune([line.text for line in tree.header], lines, Report())
    for line in lines[first:number]:
        parser.feed(line)
    return parser


def _too_many_events(tree: Tree, n_events: int) -> Diagnostic:
    message = (
        f"the document has more than {MAX_EVENTS} notes and rests: the tunes after the first {n_events} are not read; "
        "split the file"
    )
    place = len(tree.text)
    return Diagnostic("too-much-music", Severity.WARNING, Span(place, place), message)
