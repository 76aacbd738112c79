"""What score does a MusicXML text hold, and what is wrong with it?

Never fails. The text is cut into measures (`skeleton`), each of which is read by itself (`measure`). The last few
documents are remembered: a text that differs from one of them by an edit among its measures is read there alone
(`edits`), and of any other text the measures that have been read before are not read again. What is remembered never
shows.

Spans count code points; durations are Fractions of a whole note. Source: MusicXML 4.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from notation.diagnostic import Diagnostic, Severity, place_of
from notation.language import Document
from notation.moving import moved_diagnostic, moved_measure
from notation.musicxml import lengths
from notation.musicxml.edits import reread
from notation.musicxml.header import Header, PartHeader, guess_instrument, read_header
from notation.musicxml.measure import PartState, ReadMeasure, read_measure
from notation.musicxml.skeleton import MAX_TAGS, PartSkeleton, Skeleton, Stretch, read_skeleton
from notation.musicxml.tree import Tree
from notation.musicxml.wellformed import check
from notation.recent import Recent
from notation.score import Measure, Part, Score
from notation.source import Span

MAX_CHARACTERS = 32_000_000
"""A longer text is not read; the largest real scores have about half as many characters."""
N_REMEMBERED = 4
"""Of how many texts the measures are remembered: an edit and the suggestions that are verified after it."""

_Memo = dict[tuple[str, str], tuple[str, Stretch, PartState, ReadMeasure]]
"""By its part and number: what a measure said, where it stood, what was in force before it, and how it was read."""
DOCUMENTS: Recent[Document] = Recent(N_REMEMBERED, 2)
MEMOS: Recent[_Memo] = Recent(N_REMEMBERED, 1)
"""The measures of texts that were read as a whole. None is ever changed."""


def parse(text: str, near: Document | None = None) -> Document:
    """Parse any text whatever into a document with one score.

    Only what differs from `near`, or from a text read of late, is read, if that is little.
    """
    if len(text) > MAX_CHARACTERS:
        return _too_large(text)
    if near is not None:
        DOCUMENTS.keep(near, len(near.text))
    edited = (reread(old, text) for old in DOCUMENTS.items)
    document = next((one for one in edited if one is not None), None) or _parse_whole(text)
    DOCUMENTS.keep(document, len(text))
    return document


def _too_large(text: str) -> Document:
    message = (
        f"The text has {len(text)} characters, more than the {MAX_CHARACTERS} that are read; "
        "split the piece into movements."
    )
    problem = Diagnostic("too-large", Severity.ERROR, Span(0, 0), message)
    return Document(text, (Score(),), (problem,), Tree(Skeleton(), ()))


def _parse_whole(text: str) -> Document:
    skeleton = read_skeleton(text)
    header = read_header(text, skeleton.header_start, skeleton.header_end)
    diagnostics = check(text)
    if not skeleton.has_root:
        diagnostics.append(_no_root(text))
    if skeleton.cut_at is not None:
        diagnostics.append(_too_many(skeleton.cut_at, len(text)))
    memo: _Memo = {}
    remembered = MEMOS.items
    known = {part.id: part for part in header.parts}
    parts: list[Part] = []
    states: list[tuple[PartState, ...]] = []
    for outline in skeleton.parts:
        part, part_states = _read_part(text, outline, known.get(outline.id), memo, remembered, diagnostics)
        parts.append(part)
        states.append(part_states)
    MEMOS.keep(memo, len(text))
    score = _score(header, parts, len(text))
    diagnostics.sort(key=place_of)
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
    not_full: list[int] = []
    for stretch in outline.measures:
        read = _recall(text, outline.id, stretch, state, memo, remembered)
        if read.length != read.measure.time.duration:
            not_full.append(len(measures))
        measures.append(read.measure)
        diagnostics.extend(read.diagnostics)
        state = read.state
        states.append(state)
    diagnostics.extend(lengths.check(measures, states, not_full))
    name = header.name if header else ""
    instrument = header.instrument if header else guess_instrument(outline.id)
    return Part(outline.id, tuple(measures), name, instrument, state.staves), tuple(states)


def _recall(
    text: str, part: str, stretch: Stretch, state: PartState, memo: _Memo, remembered: tuple[_Memo, ...]
) -> ReadMeasure:
    content = text[stretch.inner : stretch.inner_end]
    key = (part, stretch.number)
    for known in remembered:
        if key in known:
            old_content, old, old_state, read = known[key]
            is_same = old_content == content and old.closed == stretch.closed and old.implicit == stretch.implicit
            if is_same and old_state == state:
                read = _moved(read, stretch.inner - old.inner)
                break
    else:
        read = read_measure(
            content,
            state,
            stretch.inner,
            closed=stretch.closed,
            number=stretch.number,
            implicit=stretch.implicit,
        )
    memo[key] = (content, stretch, state, read)
    return read


def _moved(read: ReadMeasure, by: int) -> ReadMeasure:
    """The same measure, `by` characters further on."""
    if not by:
        return read
    diagnostics = tuple(moved_diagnostic(one, by) for one in read.diagnostics)
    return replace(read, measure=moved_measure(read.measure, by), diagnostics=diagnostics)
