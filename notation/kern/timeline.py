"""When does every token of a **kern text sound, and in which measure?

A `Timeline` takes a text line by line and keeps a clock for every sub-spine. Tokens on one line begin together; where
clocks disagree (a mistake in the file, or a sub-spine that fell silent) the line wins. Barlines close measures: what
sounds across one is cut in two tied pieces, which happens in mensural music and in rests of several measures.

Times are integers, `ticks` to a whole note; a duration that is no whole number of ticks raises `TicksTooCoarseError`,
and the text is read again with more. Sub-spines are voices of their spine, numbered from 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from notation.diagnostic import Diagnostic, Severity
from notation.kern import tokens
from notation.kern.tokens import NO_TRANSPOSITION, BarlineToken, NoteToken, Transposition
from notation.score import FREE_METRE, NO_MARKS, KeySignature, TimeSignature
from notation.source import Span

TICKS = 2**12 * 3**4 * 5**2 * 7 * 11 * 13
"""Ticks to a whole note that most texts get along with."""

_MAX_DIAGNOSTICS = 100
_DEFAULT_KEY = KeySignature()

Piece = tuple[int, int, NoteToken, bool]
"""(onset, duration, token, whether it is cut and goes on after the barline)."""


class TicksTooCoarseError(Exception):
    """A duration is no whole number of ticks; `factor` times as many are needed."""

    def __init__(self, factor: int) -> None:
        super().__init__(factor)
        self.factor = factor


@dataclass(slots=True)
class RawMeasure:
    """One measure of one spine: pieces by voice, and what is in force at its start."""

    start: int
    end: int
    voices: dict[int, list[Piece]]
    time: TimeSignature
    key: KeySignature
    clef: str


@dataclass(slots=True)
class Frame:
    """What the measures of all spines share: its number and barlines."""

    number: str
    repeat_start: bool
    barline: BarlineToken | None = None


@dataclass(slots=True)
class Spine:
    """One **kern spine: a staff."""

    index: int
    name: str = ""
    code: str = ""
    part: str = ""
    has_text: bool = False
    transposition: Transposition = NO_TRANSPOSITION
    key: KeySignature = _DEFAULT_KEY
    time: TimeSignature = FREE_METRE
    clef: str = ""
    first_clef: str = ""
    voices: dict[int, list[Piece]] = field(default_factory=dict)
    at_start: tuple[TimeSignature, KeySignature, str] = (FREE_METRE, _DEFAULT_KEY, "")
    measures: list[RawMeasure] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Field:
    """One column of the text: a sub-spine of a **kern spine, or of some other one.

    Attributes:
        origin: the column of its exclusive interpretation.
        spine: None for what is not **kern.
        voice: its number in the spine.
        clock: when its next token begins, in ticks.
        sustains: whether what it plays was cut by the last barline.
    """

    origin: int
    spine: Spine | None = None
    voice: int = 1
    clock: int = 0
    sustains: bool = False


class Timeline:
    """Reads lines; see the module. `spines` and `frames` are complete after `finish`."""

    def __init__(self, ticks: int = TICKS) -> None:
        self.ticks = ticks
        self.spines: list[Spine] = []
        self.frames: list[Frame] = [Frame("", False)]
        self.diagnostics: list[Diagnostic] = []
        self._fields: list[_Field] = []
        self._kern: list[tuple[int, _Field, Spine]] = []
        self._start = 0
        self._now = -1
        self._is_empty = True
        self._note_tokens: dict[str, tuple[int, NoteToken] | None] = {}
        self._barline_tokens: dict[str, BarlineToken] = {}
        self._span = Span(0, 0)

    @property
    def is_open(self) -> bool:
        """Whether spines are open, so that lines can be read."""
        return bool(self._fields)

    def read(self, line: str, offset: int) -> None:
        """Read the line that begins at an offset; reference records and global comments are not for here."""
        self._span = Span(offset, offset + len(line))
        cells = line.split("\t")
        if line.startswith("**") and not self._fields:
            if self.spines:
                self._report("second-piece", "another piece begins after all spines have ended; it is left out")
            else:
                self._open(cells)
            return
        if len(cells) != len(self._fields):
            self._report("column-count", f"the line has {len(cells)} columns, but {len(self._fields)} spines are open;"
                         " split, merge or end them with *^, *v and *-")  # fmt: skip
            cells = (cells + ["."] * len(self._fields))[: len(self._fields)]
        first = line[0]
        if first == "*":
            self._interpret(cells)
        elif first == "=":
            self._barline(cells)
        else:
            self._data(cells)

    def finish(self) -> None:
        """Close the last measure, which has no barline."""
        if not self._is_empty:
            self._close(None)
        self.frames.pop()

    def _report(self, code: str, message: str) -> None:
        if len(self.diagnostics) < _MAX_DIAGNOSTICS:
            self.diagnostics.append(Diagnostic(code, Severity.WARNING, self._span, message))

    def _open(self, cells: list[str]) -> None:
        for column, cell in enumerate(cells):
            if cell == "**kern":
                self.spines.append(Spine(len(self.spines)))
                self._fields.append(_Field(column, self.spines[-1]))
                self.spines[-1].voices[1] = []
            else:
                if cell == "**text" and self.spines:
                    self.spines[-1].has_text = True
                self._fields.append(_Field(column))
        self._list_kern()

    def _list_kern(self) -> None:
        self._kern = [(i, one, one.spine) for i, one in enumerate(self._fields) if one.spine is not None]

    # Interpretations

    def _interpret(self, cells: list[str]) -> None:
        if any(cell in ("*^", "*v", "*-", "*x", "*+") for cell in cells):
            self._manipulate(cells)
            return
        for column, _, spine in self._kern:
            cell = cells[column]
            if len(cell) > 1:
                self._set(spine, cell)
        if self._is_empty:
            for spine in self.spines:
                spine.at_start = (spine.time, spine.key, spine.clef)

    def _set(self, spine: Spine, cell: str) -> None:
        kind = cell[1]
        if kind == "M" and (time := tokens.time_signature(cell)):
            spine.time = time
        elif kind == "k" and (key := tokens.key_signature(cell)):
            spine.key = replace(key, mode=spine.key.mode if key.fifths == spine.key.fifths else "")
        elif kind == "c" and (clef := tokens.clef(cell)) is not None:
            spine.clef = clef
            spine.first_clef = spine.first_clef or clef
        elif kind == "m" and (symbol := tokens.mensuration_symbol(cell, spine.time)):
            spine.time = replace(spine.time, symbol=symbol)
        elif kind == "I":
            self._set_instrument(spine, cell)
        elif kind == "p" and cell.startswith("*part"):
            spine.part = cell
        elif (mode := tokens.key_mode(cell, spine.key)) is not None:
            spine.key = replace(spine.key, mode=mode)

    def _set_instrument(self, spine: Spine, cell: str) -> None:
        if cell.startswith('*I"'):
            spine.name = spine.name or cell[3:].strip('" ')
        elif (interval := tokens.transposition(cell)) is not None:
            spine.transposition = interval
        elif cell[2:3].islower() and cell != "*Iempty":
            spine.code = spine.code or cell[2:]

    def _manipulate(self, cells: list[str]) -> None:
        after: list[_Field] = []
        swap_at = -1
        for one, cell, target in zip(self._fields, cells, self._merge_targets(cells), strict=True):
            if target is not None:
                self._merge(target, one)
            elif cell != "*-":
                after.append(one)
            if cell == "*^":
                after.append(self._split(one))
            elif cell == "*+":
                after.append(_Field(-len(after) - 1))
            elif cell == "*x" and swap_at >= 0:
                after[swap_at], after[-1] = after[-1], after[swap_at]
                swap_at = -1
            elif cell == "*x":
                swap_at = len(after) - 1
        self._fields = after
        self._list_kern()

    def _merge_targets(self, cells: list[str]) -> list[_Field | None]:
        """The field that each field merges into: its left neighbour's of one spine, or of another if it has none."""
        targets: list[_Field | None] = [None] * len(cells)
        for index in range(1, len(cells)):
            if cells[index] != "*v" or cells[index - 1] != "*v":
                continue
            left, one = self._fields[index - 1], self._fields[index]
            goes_right = cells[index + 1 : index + 2] == ["*v"] and self._fields[index + 1].origin == one.origin
            is_left_alone = targets[index - 1] is None
            if left.origin == one.origin or (is_left_alone and not goes_right):
                targets[index] = targets[index - 1] or left
        return targets

    def _split(self, one: _Field) -> _Field:
        spine = one.spine
        if spine is None:
            return _Field(one.origin)
        taken = {other.voice for _, other, owner in self._kern if owner is spine}
        taken |= {other.voice for other in self._fields if other.spine is spine}
        voice = next(number for number in range(1, len(taken) + 2) if number not in taken)
        new = _Field(one.origin, spine, voice, one.clock)
        spine.voices.setdefault(voice, [])
        self._kern.append((-1, new, spine))
        return new

    @staticmethod
    def _merge(target: _Field, one: _Field) -> None:
        if one.clock > target.clock or (one.clock == target.clock and not one.sustains):
            target.sustains = one.sustains
        target.clock = max(target.clock, one.clock)
        target.voice = min(target.voice, one.voice)

    # Data

    def _data(self, cells: list[str]) -> None:
        starting: list[tuple[_Field, Spine, int, NoteToken]] = []
        known = self._note_tokens
        for column, one, spine in self._kern:
            cell = cells[column]
            if cell == ".":
                continue
            value = known[cell] if cell in known else self._learn(cell)
            if value is None:
                continue
            duration, token = value
            if duration:
                starting.append((one, spine, duration, token))
            else:
                spine.voices[one.voice].append((one.clock, 0, token, False))
                self._is_empty = False
        if starting:
            self._start_together(starting)

    def _learn(self, cell: str) -> tuple[int, NoteToken] | None:
        """Read a token that was not met before; grace rests are passed over in silence."""
        token = tokens.note_token(cell)
        value = None
        if token is None and not re.search("q.*r|r.*q", cell):
            self._report("unreadable-token", f"'{cell[:40]}' is no **kern note, chord or rest; it is left out")
        if token is not None:
            ticks, rest = divmod(token.duration.numerator * self.ticks, token.duration.denominator)
            if rest:
                raise TicksTooCoarseError(token.duration.denominator)
            value = (ticks, token)
        self._note_tokens[cell] = value
        return value

    def _start_together(self, starting: list[tuple[_Field, Spine, int, NoteToken]]) -> None:
        self._is_empty = False
        when = starting[0][0].clock
        if len(starting) > 1 or starting[0][0].sustains or when <= self._now:
            when = self._line_onset([one for one, *_ in starting])
        for one, spine, duration, token in starting:
            if one.clock > when:
                self._cut_short(spine.voices[one.voice], when)
            spine.voices[one.voice].append((when, duration, token, False))
            one.clock = when + duration
            one.sustains = False
        self._now = when

    def _line_onset(self, starting: list[_Field]) -> int:
        clocks = [one.clock for one in starting if not one.sustains] or [one.clock for one in starting]
        when = max(clocks)
        if when > self._now:
            return when
        return min((one.clock for _, one, _ in self._kern if one.clock > self._now), default=self._now + 1)

    def _cut_short(self, pieces: list[Piece], when: int) -> None:
        self._report("overlapping-notes", "a token begins before the one above it has ended; that one is cut short")
        while pieces and pieces[-1][0] >= when:
            pieces.pop()
        if pieces and pieces[-1][0] + pieces[-1][1] > when:
            onset, _, token, _ = pieces[-1]
            pieces[-1] = (onset, when - onset, token, False)

    # Barlines

    def _barline(self, cells: list[str]) -> None:
        texts = {cells[column] for column, _, _ in self._kern}
        for text in texts:
            if text not in self._barline_tokens:
                self._barline_tokens[text] = tokens.barline_token(text)
        signs = [self._barline_tokens[text] for text in texts]
        if not signs:
            return
        sign = signs[0] if len(signs) == 1 else _strongest(signs)
        if self._is_empty:
            self._reopen(sign)
        else:
            self._close(sign)

    def _reopen(self, sign: BarlineToken) -> None:
        frame = self.frames[-1]
        frame.repeat_start = frame.repeat_start or sign.repeat_start
        frame.number = sign.number or frame.number
        previous = self.frames[-2] if len(self.frames) > 1 else None
        if previous is not None and previous.barline is not None:
            previous.barline = _strongest([previous.barline, sign])

    def _close(self, sign: BarlineToken | None) -> None:
        end = self._measure_end()
        for spine in self.spines:
            self._close_spine(spine, end)
        for _, one, spine in self._kern:
            spine.voices.setdefault(one.voice, [])
            one.sustains = one.clock > end
            one.clock = max(one.clock, end)
        self.frames[-1].barline = sign
        self.frames.append(Frame(sign.number if sign else "", sign is not None and sign.repeat_start))
        self._start = end
        self._is_empty = not any(one.sustains for _, one, _ in self._kern)

    def _measure_end(self) -> int:
        """Where the measure ends: at the one clock, else where the metre says, else at the first clock.

        The metre is believed only if some clock is there, or all are beyond it.
        """
        clocks = {one.clock for _, one, _ in self._kern if one.clock > self._now and one.clock > self._start}
        if len(clocks) == 1:
            return clocks.pop()
        for spine in self.spines:
            length = spine.time.duration
            full = None if length is None else self._start + int(length * self.ticks)
            if full is not None and (full in clocks or self._now < full < min(clocks, default=full)):
                return full
        last = max((piece[0] + piece[1] for spine in self.spines for pieces in spine.voices.values()
                    for piece in pieces), default=self._start)  # fmt: skip
        return min(clocks, default=max(last, self._start))

    def _close_spine(self, spine: Spine, end: int) -> None:
        here: dict[int, list[Piece]] = {}
        later: dict[int, list[Piece]] = {}
        for voice, pieces in spine.voices.items():
            later[voice] = []
            if pieces and pieces[-1][0] + pieces[-1][1] > end:
                pieces, later[voice] = _cut(pieces, end)
            if pieces:
                here[voice] = pieces
        time, key, clef = spine.at_start
        spine.measures.append(RawMeasure(self._start, end, here, time, key, clef))
        spine.voices = later
        spine.at_start = (spine.time, spine.key, spine.clef)


def _cut(pieces: list[Piece], end: int) -> tuple[list[Piece], list[Piece]]:
    """The pieces before and after a barline; what sounds across it is in both."""
    here = [piece for piece in pieces if piece[0] < end or (piece[0] == end and not piece[1])]
    later = [piece for piece in pieces if piece[0] >= end and piece[1]]
    if here and here[-1][0] + here[-1][1] > end:
        onset, duration, token, _ = here[-1]
        here[-1] = (onset, end - onset, token, True)
        later.insert(0, (end, onset + duration - end, replace(token, marks=NO_MARKS), False))
    return here, later


def _strongest(signs: list[BarlineToken]) -> BarlineToken:
    """One sign for all staves: every repeat dot, and the heaviest line."""
    weight = ("none", "regular", "dotted", "double", "initial", "final")
    return BarlineToken(
        style=max((sign.style for sign in signs), key=weight.index),
        repeat_end=any(sign.repeat_end for sign in signs),
        repeat_start=any(sign.repeat_start for sign in signs),
        number=next((sign.number for sign in signs if sign.number), ""),
    )
