"""What score does a MusicXML text hold, and what is wrong with it?

Never fails. The text is cut into measures (`skeleton`), each of which is read by itself (`measure`). Measures of the
last few texts are remembered, so that reading a text again after an edit costs little more than the edit.

Spans count code points; durations are Fractions of a whole note. Source: MusicXML 4.0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from notation.diagnostic import Diagnostic, Severity
from notation.language import Document
from notation.musicxml.header import Header, PartHeader, guess_instrument, read_header
from notation.musicxml.measure import PartState, ReadMeasure, read_measure
from notation.musicxml.skeleton import MAX_TAGS, PartSkeleton, Skeleton, Stretch, read_skeleton
from notation.musicxml.wellformed import check
from notation.score import Event, Measure, Note, Part, Score, Voice
from notation.source import Span

MAX_CHARACTERS = 32_000_000
"""A longer text is not read; the largest real scores have about half as many characters."""

_Key = tuple[str, PartState, bool, str, bool]
_Memo = dict[_Key, tuple[int, ReadMeasure]]
_recent: deque[_Memo] = deque(maxlen=4)


@dataclass(frozen=True, slots=True)
class Tree:
    """What `site`, `render` and `tables` need to know of a text beside its score.

    Attributes:
        skeleton: its outline.
        states: what is in force before each measure of each part, and behind the last.
    """

    skeleton: Skeleton
    states: tuple[tuple[PartState, ...], ...]


def parse(text: str) -> Document:
    """Parse any text whatever into a document with one score."""
    if len(text) > MAX_CHARACTERS:
        message = (
            f"The text has {len(text)} characters, more than the {MAX_CHARACTERS} that are read; "
            "split the piece into movements."
        )
        problem = Diagnostic("too-large", Severity.ERROR, Span(0, 0), message)
        return Document(text, (Score(),), (problem,), Tree(Skeleton(), ()))
    skeleton = read_skeleton(text)
    header = read_header(text, skeleton.header_start, skeleton.header_end)
    diagnostics = check(text)
    if not skeleton.has_root:
        diagnostics.append(_no_root(text))
    if skeleton.cut_at is not None:
        diagnostics.append(_too_many(skeleton.cut_at, len(text)))
    memo: _Memo = {}
    remembered = tuple(_recent)
    known = {part.id: part for part in header.parts}
    parts: list[Part] = []
    states: list[tuple[PartState, ...]] = []
    for outline in skeleton.parts:
        part, part_states = _read_part(text, outline, known.get(outline.id), memo, remembered, diagnostics)
        parts.append(part)
        states.append(part_states)
    _recent.appendleft(memo)
    score = _score(header, parts, len(text))
    diagnostics.sort(key=lambda one: (one.span.start, one.span.end))
    return Document(text, (score,), tuple(diagnostics), Tree(skeleton, tuple(states)))


def _no_root(text: str) -> Diagnostic:
    message = "There is no <score-partwise> or <score-timewise>; a MusicXML document begins with one of them."
    return Diagnostic("not-musicxml", Severity.ERROR, Span(0, min(1, len(text))), message, "MusicXML 4.0")


def _too_many(start: int, end: int) -> Diagnostic:
    message = f"There are more than {MAX_TAGS // 2} measures; what follows is not read. Split the piece into movements."
    return Diagnostic("too-large", Severity.ERROR, Span(start, end), message)


def _score(header: Header, parts: Iterable[Part], length: int) -> Score:
    return Score(tuple(parts), header.title, header.composer, header.rhythm, header.fields, Span(0, length))


def _read_part(
    text: str,
    outline: PartSkeleton,
    header: PartHeader | None,
    memo: _Memo,
    remembered: tuple[_Memo, ...],
    diagnostics: list[Diagnostic],
) -> tuple[Part, tuple[PartState, ...]]:
    state = PartState()
    states = [state]
    measures: list[Measure] = []
    for stretch in outline.measures:
        read = _recall(text, stretch, state, memo, remembered)
        measures.append(read.measure)
        diagnostics.extend(read.diagnostics)
        state = read.state
        states.append(state)
    diagnostics.extend(_length_diagnostics(measures, states))
    name = header.name if header else ""
    instrument = header.instrument if header else guess_instrument(outline.id)
    return Part(outline.id, tuple(measures), name, instrument, state.staves), tuple(states)


def _recall(text: str, stretch: Stretch, state: PartState, memo: _Memo, remembered: tuple[_Memo, ...]) -> ReadMeasure:
    content = text[stretch.inner : stretch.inner_end]
    key = (content, state, stretch.closed, stretch.number, stretch.implicit)
    base = stretch.inner
    for known in (memo, *remembered):
        if key in known:
            old_base, read = known[key]
            break
    else:
        old_base, read = (
            base,
            read_measure(content, state, base, closed=stretch.closed, number=stretch.number, implicit=stretch.implicit),
        )
    if old_base != base:
        read = _moved(read, base - old_base)
    memo[key] = (base, read)
    return read


def _moved(read: ReadMeasure, by: int) -> ReadMeasure:
    """The same measure, `by` characters further on."""
    measure = read.measure
    return ReadMeasure(
        Measure(
            tuple(Voice(tuple(_moved_event(e, by) for e in v.events), v.staff, v.number) for v in measure.voices),
            measure.time,
            measure.key,
            measure.barline,
            measure.repeat_start,
            measure.ending,
            measure.transpose,
            measure.clefs,
            measure.number,
            measure.implicit,
            _moved_span(measure.span, by),
        ),
        tuple(replace(diagnostic, span=_moved_span(diagnostic.span, by)) for diagnostic in read.diagnostics),
        read.state,
        read.position,
        read.current,
        read.after_backup,
    )


def _moved_event(event: Event, by: int) -> Event:
    return Event(
        event.onset,
        event.duration,
        tuple(Note(note.pitch, note.tie, note.accidental, _moved_span(note.span, by)) for note in event.notes),
        event.tuplet,
        event.grace,
        event.hidden,
        event.whole_measure,
        event.chord_symbol,
        event.marks,
        _moved_span(event.span, by),
    )


def _moved_span(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _length_diagnostics(measures: list[Measure], states: list[PartState]) -> Iterable[Diagnostic]:
    """Measures that are longer than their metre, or shorter without being a pickup or a piece of a split measure."""
    for index, measure in enumerate(measures):
        full = measure.time.duration
        if full is None or not measure.voices or measure.barline is None or not states[index + 1].has_time:
            continue
        length = measure.duration
        if length == full or measure.implicit:
            continue
        if length < full and _may_be_short(measures, index):
            continue
        code, word = ("measure-too-long", "more") if length > full else ("measure-too-short", "less")
        message = (
            f"Measure {measure.number or index + 1} lasts {length} of a whole note, {word} than the {full} of its "
            'metre; correct it, or say implicit="yes".'
        )
        yield Diagnostic(code, Severity.WARNING, measure.span, message, "MusicXML 4.0, measure")


def _may_be_short(measures: list[Measure], index: int) -> bool:
    measure = measures[index]
    if index in (0, len(measures) - 1) or measure.repeat_start:
        return True
    before, after = measures[index - 1].barline, measures[index + 1]
    ends_here = measure.barline is not None and measure.barline.ends_section
    return ends_here or bool(before and before.ends_section) or bool(after.repeat_start) or bool(measure.ending)
