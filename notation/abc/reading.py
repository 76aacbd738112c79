"""How does one tune read, and how does it read after an edit?

`reread` reads only the lines that an edit touches, from the last seam (`notation.abc.seams`) before it to the first
seam behind it at which the same is in force as was there before; where a changed line says something of the music above
it, from one seam further up. What stands before is kept, what stands behind is moved (`notation.moving`): the cost is
that of the edit, not of the tune. It gives exactly what reading the whole tune would give, or None where it cannot tell
without doing so.

Offsets count code points.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from notation.abc.checks import Fault, find_faults
from notation.abc.drafts import SealedError, VoiceState
from notation.abc.lexer import Line, is_music, lines_from, split_lines
from notation.abc.seams import Opening, Seam, moved_seam
from notation.abc.tune import MAX_DIAGNOSTICS, MAX_EVENTS, Report, TuneParser
from notation.diagnostic import Diagnostic, start_of
from notation.moving import index_at, moved_diagnostic, moved_measure, spliced, unmoved
from notation.score import Barline, Measure, Part, Score
from notation.source import Span, difference

LINE_END = re.compile(r"\r\n?|\n|\Z")


@dataclass(frozen=True, slots=True)
class ReadTune:
    """A tune as it was read.

    Attributes:
        base: the offset at which it began then; all offsets below count from the same place as this one.
        text: of the tune.
        header: the lines of the file header before it.
        score: the music.
        found: what is wrong with its lines, line by line.
        faults: what is wrong with the measures of each part, in order.
        n_events: how many notes and rests were read.
        opening: what its header says.
        seams: where it can be taken up.
        head: all before the first seam: what an edit must leave as it is, or the tune is read as a whole.
    """

    base: int
    text: str
    header: tuple[str, ...]
    score: Score
    found: tuple[Diagnostic, ...]
    faults: tuple[tuple[Fault, ...], ...]
    n_events: int
    opening: Opening
    seams: tuple[Seam, ...]
    head: str

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything that is wrong, up to a bound."""
        faults = (one for part in self.faults for _, one in part)
        return (*self.found, *faults)[:MAX_DIAGNOSTICS]


def begin_tune(header: Sequence[str], lines: Sequence[Line], report: Report, is_in_order: bool = False) -> TuneParser:
    """A parser that is about to read the lines of a tune.

    Args:
        header: the lines of the file header.
        lines: of the tune.
        report: takes what is wrong with the tune.
        is_in_order: whether the `X:` of the tune is its place in the file: then it says nothing and is not kept.
    """
    has_key = any(line.text.startswith("K:") for line in lines)
    parser = TuneParser((Line(0, text) for text in header), Report(), is_in_order, has_key)
    parser.report = report
    return parser


def read(text: str, base: int, header: tuple[str, ...], is_in_order: bool) -> ReadTune:
    """Read a whole tune that begins at the offset `base`; see `begin_tune`."""
    report = Report()
    lines = split_lines(text, base)
    parser = begin_tune(header, lines, report, is_in_order)
    for line in lines:
        parser.feed(line)
    score = parser.finish(Span(base, base + len(text)))
    faults = tuple(
        tuple(islice(find_faults(part.measures, voice.doubtful()), MAX_DIAGNOSTICS))
        for part, voice in zip(score.parts, parser.voices.values(), strict=True)
    )
    head = text[: parser.seams[0].place - base] if parser.seams else ""
    return ReadTune(
        base,
        text,
        header,
        score,
        tuple(report.found),
        faults,
        report.n_events,
        parser.opening(),
        tuple(parser.seams),
        head,
    )


def changed_lines(old: str, new: str) -> tuple[int, int, int] | None:
    """Where the lines begin that differ between two texts, and where they end in each, line ends included.

    Returns:
        None if the texts do not differ.
    """
    replaced, put = difference(old, new)
    if not replaced and not put:
        return None
    start = replaced.start - old.endswith("\r", 0, replaced.start)
    start = max(old.rfind("\n", 0, start), old.rfind("\r", 0, start)) + 1
    end = LINE_END.search(old, replaced.end)
    assert end is not None
    return start, end.end(), end.end() + len(new) - len(old)


def resumed(known: ReadTune, seam: Seam, score: Score, report: Report) -> TuneParser:
    """A parser that has read a tune up to a seam.

    Args:
        known: the tune.
        seam: one of its seams, where the tune stands now.
        score: the score of the tune, where the tune stands now.
        report: takes the diagnostics of what is read from there on.
    """
    return TuneParser.resumed(known.opening, seam, _n_before(score, seam), report)


def _n_before(score: Score, seam: Seam) -> list[int]:
    """How many measures of each voice stand before a seam."""
    return [index_at(part.measures, seam.place, _measure_place) for part in score.parts[: len(seam.state.voices)]]


def _measure_place(measure: Measure) -> int:
    return measure.span.start


def last_seam(seams: tuple[Seam, ...], place: int) -> Seam | None:
    """The last seam that stands at an offset or before it."""
    index = index_at(seams, place + 1, _seam_place)
    return seams[index - 1] if index else None


def _seam_place(seam: Seam) -> int:
    return seam.place


def reread(old: ReadTune, text: str) -> ReadTune | None:
    """How a tune reads whose text was changed to `text`; None if it must be read as a whole.

    The file header and whether its number is its place in the file must be what they were.
    """
    if not old.opening.has_key or not text.startswith(old.head):
        return None
    changed = changed_lines(old.text, text)
    if changed is None:
        return None
    for seam in _seams_before(old, text, changed[0]):
        try:
            return _Rereading(old, text, seam, *changed[1:]).read()
        except SealedError:
            continue
    return None


def _seams_before(old: ReadTune, text: str, start: int) -> Iterator[Seam]:
    """Where reading may begin after an edit of the line that begins at a place of the text, the nearest seam first.

    A line of music may be read alone. What is written under one belongs to the line before it, and so may signs that
    it begins with.
    """
    index = index_at(old.seams, old.base + start, _seam_place)
    if index < len(old.seams) and old.seams[index].place == old.base + start and is_music(_line_at(text, start)):
        yield old.seams[index]
    if index:
        yield old.seams[index - 1]


def _line_at(text: str, start: int) -> str:
    return next(lines_from(text, start)).text


class _Rereading:
    """Reads a tune from a seam to where it goes on as before."""

    def __init__(self, old: ReadTune, text: str, seam: Seam, old_end: int, new_end: int) -> None:
        self.old = old
        self.text = text
        self.seam = seam
        self.by = new_end - old_end
        self.changed_until = old.base + new_end
        self.report = Report()
        self.parser = resumed(old, seam, old.score, self.report)
        self.meeting: Seam | None = None

    def read(self) -> ReadTune | None:
        old = self.old
        self._read_lines()
        parts, faults = self._parts()
        n_events = old.n_events + self.report.n_events - self._n_replaced()
        found = (*self._found_before(), *self.report.found, *self._found_behind())
        fields = tuple(self.parser.fields) if self.meeting is None else old.score.fields
        score = replace(old.score, parts=parts, fields=fields, span=Span(old.base, old.base + len(self.text)))
        first = index_at(old.seams, self.seam.place, _seam_place)
        last = len(old.seams) if self.meeting is None else index_at(old.seams, self.meeting.place, _seam_place)
        seams = spliced(old.seams, first, last, self.parser.seams, self.by, moved_seam)
        if n_events > MAX_EVENTS // 2 or len(found) + sum(map(len, faults)) >= MAX_DIAGNOSTICS:
            return None
        return ReadTune(old.base, self.text, old.header, score, found, faults, n_events, old.opening, seams, old.head)

    def _read_lines(self) -> None:
        for line in lines_from(self.text, self.seam.place - self.old.base, self.old.base):
            if line.start >= self.changed_until:
                self.meeting = self._meeting(line.start)
                if self.meeting is not None:
                    return
            self.parser.feed(line)

    def _meeting(self, place: int) -> Seam | None:
        """The seam of the old tune from which on nothing is different; None if there is none at `place`."""
        seams = self.old.seams
        index = index_at(seams, place - self.by, _seam_place)
        if index == len(seams) or seams[index].place != place - self.by:
            return None
        here = self.parser.seam(place)
        return seams[index] if here is not None and here.state == seams[index].state else None

    def _parts(self) -> tuple[tuple[Part, ...], tuple[tuple[Fault, ...], ...]]:
        voices = list(self.parser.voices.values())
        known = self.old.score.parts
        n = len(voices) if self.meeting is None else len(known)
        found = [
            self._part(
                known[index] if index < len(known) else None,
                self.old.faults[index] if index < len(known) else (),
                voices[index] if index < len(voices) else None,
                index,
            )
            for index in range(n)
        ]
        return tuple(part for part, _ in found), tuple(faults for _, faults in found)

    def _part(
        self, old: Part | None, faults: tuple[Fault, ...], voice: VoiceState | None, index: int
    ) -> tuple[Part, tuple[Fault, ...]]:
        """A part from what it was and what was read of its voice, and what is wrong with its measures."""
        measures = old.measures if old is not None else ()
        first, last = self._replaced(measures, index)
        n_before = max(0, first - 1)  # the last measure before the seam may have another barline now
        middle = self._middle(measures, first, voice)
        if self.meeting is not None and last and middle:
            middle[-1] = self._as_met(middle[-1], measures[last - 1])
        joined = spliced(measures, n_before, last, middle, self.by, moved_measure)
        n_read = n_before + len(middle)
        judged = self._faults(faults, joined, (max(0, n_before - 1), min(len(joined), n_read + 1)), n_read - last)
        if self.meeting is not None and old is not None:
            return replace(old, measures=joined), judged
        assert voice is not None
        return Part(voice.id, joined, voice.name, last_fields=tuple(voice.fields)), judged

    def _replaced(self, measures: tuple[Measure, ...], index: int) -> tuple[int, int]:
        """Which measures of an old part were read again: from the first up to but not including the last."""
        first = index_at(measures, self.seam.place, _measure_place) if index < len(self.seam.state.voices) else 0
        if self.meeting is None:
            return first, len(measures)
        return first, index_at(measures, self.meeting.place, _measure_place)

    def _middle(self, measures: tuple[Measure, ...], first: int, voice: VoiceState | None) -> list[Measure]:
        """The last measure before the seam and those that were read."""
        if voice is None:
            return []
        new = voice.freeze(first)
        if not first:
            return list(new)
        draft, old = voice.measures[first - 1], measures[first - 1]
        return [_closed(old, draft.barline, draft.end or self._end_before(old, new)), *new]

    def _end_before(self, old: Measure, new: Sequence[Measure]) -> int:
        """Where the last measure before the seam ends if what was read adds nothing to it."""
        is_met = self.meeting is not None and not new and old.span.end > self.meeting.place
        if old.span.end > self.seam.place and not is_met:
            raise SealedError("where the measure ended before the seam is not known")
        return old.span.end

    def _as_met(self, measure: Measure, old: Measure) -> Measure:
        """The last measure that was read, with what the signs behind the meeting add to it, as they did before."""
        assert self.meeting is not None
        end = old.span.end + self.by if old.span.end > self.meeting.place else measure.span.end
        return _closed(measure, old.barline, end)

    def _faults(
        self, old: tuple[Fault, ...], measures: tuple[Measure, ...], again: tuple[int, int], shift: int
    ) -> tuple[Fault, ...]:
        """What is wrong with the measures of a part, of which those in the range `again` must be looked at."""
        start, end = again
        before = [fault for fault in old if fault[0] < start]
        behind = [fault for fault in old if fault[0] + shift >= end and self.meeting is not None]
        if shift:
            moved = list(find_faults(measures, dict.fromkeys(index + shift for index, _ in behind)))
        else:
            moved = [(index, moved_diagnostic(one, self.by)) for index, one in behind]
        return (*before, *find_faults(measures, range(start, end)), *moved)

    def _n_replaced(self) -> int:
        """How many events the measures had that were read again."""
        total = 0
        for index, part in enumerate(self.old.score.parts):
            first, last = self._replaced(part.measures, index)
            total += sum(len(voice.events) for one in unmoved(part.measures[first:last]) for voice in one.voices)
        return total

    def _found_before(self) -> tuple[Diagnostic, ...]:
        found = self.old.found
        return found[: bisect_left(found, self.seam.place, key=start_of)]

    def _found_behind(self) -> list[Diagnostic]:
        if self.meeting is None:
            return []
        found = self.old.found
        return [moved_diagnostic(one, self.by) for one in found[bisect_left(found, self.meeting.place, key=start_of) :]]


def _closed(measure: Measure, barline: Barline | None, end: int) -> Measure:
    if measure.barline == barline and measure.span.end == end:
        return measure
    return replace(measure, barline=barline, span=Span(measure.span.start, end))
