"""What does the cursor stand on?

The tune's text before the cursor is read by the same parser that reads documents; its state is the site: the voice,
the measure so far, what is half typed. What follows the cursor comes from the document as parsed.

None where no music can be written: in fields, comments, directives, text blocks, lyrics, strings, decorations, inline
fields, chords and grace notes that are still open, inside a sign, where a measure is complete already, between a
note and what belongs to it, and at the very end of a finished tune's last line.

Offsets are code points; durations are Fractions of a whole note.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from notation.abc import checks
from notation.abc.drafts import Draft, SealedError, VoiceState, freeze_layer
from notation.abc.fields import ALTERS
from notation.abc.lengths import ONE, times
from notation.abc.lexer import Line, cut, field_letter, is_music, kinds, read_sign
from notation.abc.parser import Tree, parser_before
from notation.abc.style import Style, learn
from notation.abc.tune import MAX_LINE, TuneParser
from notation.language import Document
from notation.score import Event, Measure, Part, Score
from notation.site import CompletionSite, Pending

_ZERO = Fraction(0)
_TYPED_ACCIDENTAL = re.compile(r"(\^\^?|__?|=)$")
_VOICE_PREFIX = re.compile(r"\[V:[^\]]*\]\s*")
_FINISHED = re.compile(r"\|\]\s*$")
N_STYLE_LINES = 16
"""How many lines, and how many measures, on each side of the cursor the style is learnt from."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What printing needs to know of a site.

    Attributes:
        style: the document's way of writing.
        unit: the unit note length in force.
        accidentals: position -> alter of the accidentals in force in the measure.
        tied: position -> alter of the notes tied to what comes.
        broken: the factor that a typed broken rhythm puts on the next event.
        tuplet_left: how many events belong to the tuplet that is open.
        glued: something typed belongs to the next note: no space before it.
        before: the character before the cursor, empty at a line's start.
        after: the character after it, empty at a line's end.
        measures_on_line: how many complete measures stand on the line so far.
        may_break: whether a new line may be begun.
        prefix: what a new line begins with, such as `[V:2] `.
        has_prefix: whether the cursor's line has it already.
        repeat_start, has_ending: a repeat or an ending that begins here is typed already.
        newline: the document's line end.
        repeats: whether accidentals hold for their note alone (`%%propagate-accidentals not`).
    """

    style: Style
    unit: Fraction
    accidentals: dict[int, int]
    tied: dict[int, int]
    broken: Fraction | None
    tuplet_left: int
    glued: bool
    before: str
    after: str
    measures_on_line: int
    may_break: bool
    prefix: str
    has_prefix: bool
    repeat_start: bool
    has_ending: bool
    newline: str
    repeats: bool = False


def completion_site(document: Document, offset: int) -> CompletionSite | None:
    """The site at an offset of a document, or None where no music can be written."""
    tree = document.tree
    if not isinstance(tree, Tree) or not 0 <= offset <= len(document.text):
        return None
    found = tree.tune_at(offset)
    if found is None:
        return None
    index, lines = found
    number = bisect_right(lines, offset, key=lambda one: one.start) - 1
    line = lines[number]
    column = offset - line.start
    if column > len(line.text) or len(line.text) > MAX_LINE or not _is_music_column(line.text, column):
        return None
    score = document.scores[index]
    try:
        parser = parser_before(tree, index, score, lines, number, resume=True)
        return _Finder(document, score, lines, parser, number, offset).find()
    except SealedError:
        parser = parser_before(tree, index, score, lines, number, resume=False)
        return _Finder(document, score, lines, parser, number, offset).find()


def _is_music_column(text: str, column: int) -> bool:
    """Whether a column of a line is between two signs of music, or at an end of it."""
    if text.startswith("%"):
        return False
    if text[:column].rstrip().endswith("\\"):
        return False
    end = 0
    for sign in cut(text):
        start, end = end, end + len(sign)
        kind = read_sign(sign).lastgroup
        if start < column and kind == "comment":
            return False
        if start < column < end:
            halves = sign[: column - start], sign[column - start :]
            is_staccato = halves[0] == "." and kind == "bar"
            return kind == "space" or is_staccato or (kind == "bar" and _are_two_barlines(*halves))
        if start >= column:
            return not (column and kind in ("broken", "tie"))
    return True


def _are_two_barlines(left: str, right: str) -> bool:
    """Whether the cursor in `|‸|` stands in an empty measure."""
    return (left[-2:] in ("|", "||", ":|", "|:") and right[0] == "|") or (left[-1] == "|" and right[:2] == ":|")


class _Finder:
    """Finds one site, given the parser at the start of the cursor's line."""

    def __init__(
        self,
        document: Document,
        score: Score,
        lines: Sequence[Line],
        parser: TuneParser,
        number: int,
        offset: int,
    ) -> None:
        self.document = document
        self.score = score
        self.lines = lines
        self.parser = parser
        self.number = number
        self.line = lines[number]
        self.offset = offset
        self.typed = self.line.text[: offset - self.line.start]
        self.rest = self.line.text[offset - self.line.start :]
        self.prefix = ""
        self.has_prefix = True

    def find(self) -> CompletionSite | None:
        parser = self.parser
        if parser.block is not None or field_letter(self.line.text, parser.in_body):
            return None
        if not parser.in_body:
            if parser.has_key or self.line.is_blank:
                return None
            parser.begin_body()
        self._read_line()
        if parser.open in ("comment", "string", "decoration", "inline", "chord", "grace"):
            return None
        voice = parser.writing()
        part_index = next((index for index, part in enumerate(self.score.parts) if part.id == voice.id), None)
        if part_index is None:
            return None
        if not voice.current() and not self.line.is_blank and self._is_finished(part_index):
            return None
        return self._site(voice, part_index)

    def _read_line(self) -> None:
        if self.typed.strip():
            self.parser.feed(Line(self.line.start, self.typed))
        else:
            self.parser.open = ""
            self._choose_voice()

    def _choose_voice(self) -> None:
        """On an empty line of a score whose lines begin `[V:...]`, the voice that lags is written next."""
        parser = self.parser
        before = [line.text for line in self.lines[: self.number]]
        music = [text for text in before if is_music(text)]
        if len(parser.voices) < 2 or not self.line.is_blank:
            return
        prefixes = [match[0] for text in music if (match := _VOICE_PREFIX.match(text))]
        if not music or 2 * len(prefixes) <= len(music):
            return
        voice = min(parser.voices.values(), key=lambda one: len(one.measures))
        parser.voice = voice
        own = [text for text in prefixes if text[3 : text.index("]")].split()[:1] == [voice.id]]
        self.prefix = own[-1] if own else f"[V:{voice.id}] "
        self.prefix = re.sub(r"^(\[V:\s*)(\S+?)[^\]]*\]", rf"\g<1>{re.escape(voice.id)}]", self.prefix)
        self.has_prefix = False

    def _is_finished(self, part_index: int) -> bool:
        """Whether the tune ends before the cursor on its line, with `|]`."""
        has_more = self.parser.writing().index < len(self.score.parts[part_index].measures)
        return _FINISHED.search(self.typed) is not None and not has_more

    def _site(self, voice: VoiceState, part_index: int) -> CompletionSite | None:
        part = self.score.parts[part_index]
        existing = part.measures[voice.index] if voice.index < len(part.measures) else None
        if existing is not None and _is_inside_event(existing, self.offset):
            return None
        time = voice.measures[voice.index].time if voice.index < len(voice.measures) else voice.time
        after = _events_after(existing, voice.number, self.offset)
        pending = self._pending(voice)
        if pending is None or (after and self._is_pending(voice) and not self._is_mark_alone(voice)):
            return None
        before = freeze_layer(voice.current())[0]
        gap = _find_gap(before, after, existing, part, voice, time.duration, self._next_kind() == "bar")
        if gap is None:
            return None
        needed = (pending.duration or _ZERO) * max(1, pending.tuplet_left)
        if gap.remaining is not None and needed > gap.remaining:
            return None
        return CompletionSite(
            language="abc",
            offset=self.offset,
            score=self.score,
            part=part_index,
            measure=voice.index,
            time=time,
            key=voice.key,
            inserted=gap.inserted,
            voice=voice.number,
            before=before,
            after=gap.after,
            remaining=gap.remaining,
            barline_follows=gap.barline_follows,
            max_measures=gap.max_measures,
            pending=pending,
            repeat_start=self._begins_repeat(voice),
            ending=bool(voice.ending),
            detail=self._detail(voice, part),
        )

    def _next_kind(self) -> str:
        """The kind of the next sign on the line, white space apart."""
        return next((kind for kind, _ in kinds(self.rest) if kind != "space"), "")

    def _typed_alter(self) -> int | None:
        match = _TYPED_ACCIDENTAL.search(self.typed)
        return ALTERS[match[1]] if match else None

    def _is_pending(self, voice: VoiceState) -> bool:
        return bool(
            self._is_glued(voice) or voice.broken is not None or voice.tuplet_left or (voice.ties and voice.current())
        )

    def _is_mark_alone(self, voice: VoiceState) -> bool:
        """Whether a slur, staccato or bowing stands apart from what follows and nothing else is typed."""
        is_apart = not self.rest[:1].strip()
        is_more = (
            self._typed_alter() is not None
            or voice.chord_symbol is not None
            or voice.annotations
            or voice.broken is not None
            or voice.tuplet_left
            or voice.ties
            or _ends_with_grace(voice)
        )
        return is_apart and not is_more

    def _is_glued(self, voice: VoiceState) -> bool:
        """Whether something typed belongs to the next note."""
        return bool(
            self._typed_alter() is not None
            or voice.chord_symbol is not None
            or voice.decorations
            or voice.annotations
            or voice.slur_starts
            or _ends_with_grace(voice)
            or (voice.tuplet_left and not voice.tuplet_events)
            or voice.broken is not None
        )

    def _pending(self, voice: VoiceState) -> Pending | None:
        """What is half typed, or None if it cannot be gone on with."""
        alter = self._typed_alter()
        is_note = bool(
            alter is not None
            or voice.ties
            or voice.chord_symbol is not None
            or voice.decorations
            or voice.slur_starts
            or _ends_with_grace(voice)
        )
        broken = voice.broken or ONE
        if voice.tuplet_left and voice.tuplet is not None:
            length = _tuplet_length(voice)
            duration = length * voice.tuplet[1] / voice.tuplet[0] * broken.fraction
            if voice.broken is not None and voice.tuplet_left > 1:
                return None
            return Pending(alter, duration, voice.tuplet, voice.tuplet_left, is_note)
        if voice.broken is not None and voice.last is not None:
            return Pending(alter, times(voice.written, broken).fraction, None, 0, is_note)
        return Pending(alter, None, None, 0, is_note)

    def _detail(self, voice: VoiceState, part: Part) -> Detail:
        lines = self.lines[max(0, self.number - N_STYLE_LINES) : self.number + N_STYLE_LINES]
        near = part.measures[max(0, voice.index - N_STYLE_LINES) : voice.index + N_STYLE_LINES]
        style = learn(self.document.text, lines, near)
        following = self.lines[self.number + 1].text if self.number + 1 < len(self.lines) else ""
        ends = [measure.span.end for measure in part.measures[max(0, voice.n_sealed - 1) : voice.index]]
        on_line = sum(self.line.start < end <= self.offset for end in ends)
        prefix = self.prefix
        typed_prefix = _VOICE_PREFIX.match(self.typed.lstrip())
        if not prefix and typed_prefix and len(self.score.parts) > 1:
            prefix = typed_prefix[0]
        is_end = not self.rest.strip(" \t\\")
        return Detail(
            style=style,
            unit=voice.unit,
            accidentals=dict(voice.accidentals),
            tied=dict(voice.ties),
            broken=None if voice.broken is None else voice.broken.fraction,
            tuplet_left=voice.tuplet_left,
            glued=self._is_glued(voice),
            before=self.typed[-1:],
            after=self.rest[:1],
            measures_on_line=on_line,
            may_break=is_end and not self.rest and not following.startswith("w:") and not typed_prefix,
            prefix=prefix,
            has_prefix=self.has_prefix,
            repeat_start=self._begins_repeat(voice),
            has_ending=bool(voice.ending),
            newline="\r\n" if "\r\n" in self.document.text else "\n",
            repeats=self.parser.propagates == "not",
        )

    def _begins_repeat(self, voice: VoiceState) -> bool:
        typed = voice.index < len(voice.measures) and voice.measures[voice.index].repeat_start
        return voice.repeat_start or (typed and not voice.current())


@dataclass(frozen=True, slots=True)
class _Gap:
    remaining: Fraction | None
    inserted: bool = False
    after: tuple[Event, ...] = ()
    barline_follows: bool = False
    max_measures: int | None = None


def _is_inside_event(measure: Measure, offset: int) -> bool:
    """Whether an offset is inside the text of an event, such as a macro that is read as several."""
    return any(event.span.start < offset < event.span.end for voice in measure.voices for event in voice.events)


def _events_after(existing: Measure | None, number: int, offset: int) -> tuple[Event, ...]:
    if existing is None:
        return ()
    voices = [voice for voice in existing.voices if voice.number == number]
    return tuple(event for voice in voices for event in voice.events if event.span.start >= offset)


def _find_gap(
    before: Sequence[Event],
    after: tuple[Event, ...],
    existing: Measure | None,
    part: Part,
    voice: VoiceState,
    full: Fraction | None,
    bar_is_next: bool,
) -> _Gap | None:
    """What is to be filled between what is before and after the cursor, or None if nothing lacks."""
    filled = before[-1].end if before else _ZERO
    is_closed = existing is not None and existing.barline is not None
    if not before and voice.layer == 0:
        if bar_is_next and voice.index:
            return _Gap(full, inserted=existing is not None, barline_follows=True, max_measures=1)
        if existing is None:
            return _Gap(full)
        lacking = None if full is None else full - existing.duration
        if lacking is None or lacking <= 0 or (checks.may_be_short(part.measures, voice.index) and is_closed):
            return _Gap(full, inserted=True)
        return _Gap(lacking, after=after, barline_follows=is_closed, max_measures=1)
    if full is None:
        return _Gap(None, after=after, barline_follows=is_closed, max_measures=1 if after or is_closed else None)
    if not after:
        remaining = max(full - filled, _ZERO)
        if is_closed or bar_is_next:
            return _Gap(remaining, barline_follows=True, max_measures=1) if remaining else None
        return _Gap(remaining)
    lasting = sum((event.duration for event in after), _ZERO)
    lacking = full - filled - lasting
    if lacking > 0:
        return _Gap(lacking, after=after, barline_follows=is_closed, max_measures=1)
    return _Gap(_ZERO, max_measures=1) if filled >= full else None


def _tuplet_length(voice: VoiceState) -> Fraction:
    """The written length of each event that an open tuplet still takes."""
    assert voice.tuplet is not None
    written = [_written(draft) for draft in voice.tuplet_events]
    if not written:
        return voice.unit
    total = sum(written, _ZERO)
    is_usual = len(written) + voice.tuplet_left == voice.tuplet[0]
    units = (written[0], min(written), voice.unit, max(written), 2 * voice.unit)
    for unit in units if is_usual else sorted(units):
        length = (unit * voice.tuplet[0] - total) / voice.tuplet_left
        if length > 0 and length.denominator & (length.denominator - 1) == 0 and length.numerator in (1, 3):
            return length
    return written[-1]


def _written(draft: Draft) -> Fraction:
    actual, normal = draft.tuplet or (1, 1)
    return draft.duration.fraction * actual / normal


def _ends_with_grace(voice: VoiceState) -> bool:
    events = voice.current()
    return bool(events) and events[-1].grace
