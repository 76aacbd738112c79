"""What does a text say after an edit, given what it said before?

Most edits stand among the measures of one part. Then the measures that the edit touches are read, those behind it are
moved (`notation.moving`), and the rest is what it was: the cost is that of the edit, and next to nothing for each other
measure. `reread` gives exactly the document that reading the whole text would give, or None where it cannot tell
without doing so: an edit outside the measures of a part, a text that holds measures in parts in another way, a change
(of key, metre, divisions, voices) that the measures behind it must know of.

Why this is sound: tags are found from left to right, and none is looked for beyond the next `<`, so that the tags
before the edit are as they were, and from the first old tag on that is found again behind it all are. A text is still
well-formed if balanced content was replaced by balanced content.

Offsets count code points.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from notation.diagnostic import Diagnostic, place_of, start_of
from notation.language import Document
from notation.moving import moved_all, moved_diagnostic, moved_measure, moved_part, spliced
from notation.musicxml import lengths
from notation.musicxml.measure import PartState, ReadMeasure, read_measure
from notation.musicxml.skeleton import MAX_TAGS, PartSkeleton, Skeleton, Stretch, read_measures
from notation.musicxml.tree import Tree
from notation.musicxml.wellformed import BROKEN, check
from notation.score import Measure, Part, Score
from notation.source import Span, difference


@dataclass(frozen=True, slots=True)
class _Edit:
    """What an edit replaces, widened to whole measures of one part.

    Attributes:
        part: index of the part.
        first, last: the measures of the old text from `first` up to but not including `last` are read again.
        start: where they start, in both texts.
        old_end, new_end: where they end in the old and the new text.
    """

    part: int
    first: int
    last: int
    start: int
    old_end: int
    new_end: int

    @property
    def by(self) -> int:
        """How many characters further on the rest stands."""
        return self.new_end - self.old_end


def reread(old: Document, text: str) -> Document | None:
    """The document of a text that differs from an old one by an edit; None if it must be read as a whole."""
    tree = old.tree
    if not isinstance(tree, Tree) or tree.skeleton.timewise or tree.skeleton.cut_at is not None:
        return None
    edit = _find_edit(old.text, tree.skeleton, text)
    if edit is None:
        return None
    stretches = read_measures(text, edit.start, edit.new_end)
    if stretches is None or 4 * sum(len(part.measures) for part in tree.skeleton.parts) > MAX_TAGS:
        return None
    outline = tree.skeleton.parts[edit.part]
    renumbered = len(stretches) != edit.last - edit.first
    if renumbered and not all(stretch.number for stretch in outline.measures[edit.last :]):
        return None  # what is said of a measure without a number counts those before it
    read = _read(text, stretches, tree.states[edit.part][edit.first])
    states = [one.state for one in read]
    if (states or [tree.states[edit.part][edit.first]])[-1] != tree.states[edit.part][edit.last]:
        return None
    old_states = tree.states[edit.part]
    part_states = (*old_states[: edit.first + 1], *states, *old_states[edit.last + 1 :])
    part = old.scores[0].parts[edit.part]
    measures = spliced(part.measures, edit.first, edit.last, [one.measure for one in read], edit.by, moved_measure)
    return Document(
        text,
        (_score(old.scores[0], edit, measures, len(text)),),
        _diagnostics(old, text, edit, tree.skeleton, read, measures, part_states),
        Tree(
            _skeleton(tree.skeleton, edit, stretches),
            (*tree.states[: edit.part], part_states, *tree.states[edit.part + 1 :]),
        ),
    )


def _find_edit(old: str, skeleton: Skeleton, new: str) -> _Edit | None:
    replaced, _ = difference(old, new)
    start, end = replaced.start, replaced.end
    for number, part in enumerate(skeleton.parts):
        if part.closed and part.inner <= start and end <= part.inner_end:
            first = bisect_right(part.measures, start, key=lambda one: one.end)
            last = max(first, bisect_left(part.measures, end, key=lambda one: one.start))
            while first and not part.measures[first - 1].closed:
                first -= 1
            old_end = part.measures[last].start if last < len(part.measures) else part.inner_end
            start = part.measures[first - 1].end if first else part.inner
            return _Edit(number, first, last, start, old_end, old_end + len(new) - len(old))
    return None


def _read(text: str, stretches: Sequence[Stretch], state: PartState) -> list[ReadMeasure]:
    found = []
    for stretch in stretches:
        content = text[stretch.inner : stretch.inner_end]
        read = read_measure(
            content, state, stretch.inner, closed=stretch.closed, number=stretch.number, implicit=stretch.implicit
        )
        found.append(read)
        state = read.state
    return found


def _score(old: Score, edit: _Edit, measures: tuple[Measure, ...], length: int) -> Score:
    parts: list[Part] = list(old.parts)
    parts[edit.part] = replace(parts[edit.part], measures=measures)
    if edit.by:
        for number in range(edit.part + 1, len(parts)):
            parts[number] = moved_part(parts[number], edit.by)
    return replace(old, parts=tuple(parts), span=Span(0, length))


def _skeleton(old: Skeleton, edit: _Edit, stretches: Sequence[Stretch]) -> Skeleton:
    by = edit.by
    part = old.parts[edit.part]
    measures = spliced(part.measures, edit.first, edit.last, stretches, by, _later)
    edited = PartSkeleton(part.id, part.start, part.inner, part.inner_end + by, part.end + by, part.closed, measures)
    after = [_later_part(one, by) for one in old.parts[edit.part + 1 :]]
    return replace(old, parts=[*old.parts[: edit.part], edited, *after])


def _later_part(part: PartSkeleton, by: int) -> PartSkeleton:
    if not by:
        return part
    measures = moved_all(part.measures, by, _later)
    return PartSkeleton(
        part.id, part.start + by, part.inner + by, part.inner_end + by, part.end + by, part.closed, measures
    )


def _later(one: Stretch, by: int) -> Stretch:
    return Stretch(
        one.start + by, one.inner + by, one.inner_end + by, one.end + by, one.closed, one.number, one.implicit
    )


def _diagnostics(
    old: Document,
    text: str,
    edit: _Edit,
    skeleton: Skeleton,
    read: Sequence[ReadMeasure],
    measures: Sequence[Measure],
    states: Sequence[PartState],
) -> tuple[Diagnostic, ...]:
    """What is wrong with the new text: about the measures before the edit, behind it, and in it."""
    if any(one.code == BROKEN for one in old.diagnostics):
        known = tuple(one for one in old.diagnostics if one.code != BROKEN)
        broken = check(text)
    else:
        known = old.diagnostics
        broken = [] if _is_balanced(old.text, text, edit, skeleton) else check(text)
    beside = range(max(0, edit.first - 1), min(len(measures), edit.first + len(read) + 1))
    judged = {measures[index].span for index in (beside.start, beside.stop - 1) if beside}
    start = min((span.start for span in judged), default=edit.start)
    end = max((span.end for span in judged), default=edit.new_end) - edit.by
    first = bisect_left(known, min(start, edit.start), key=start_of)
    last = bisect_right(known, max(end, edit.old_end), key=start_of)
    found = []
    for one in known[first:last]:
        if not edit.start <= one.span.start < edit.old_end:
            moved = one if one.span.start < edit.start else moved_diagnostic(one, edit.by)
            if not (one.code in lengths.CODES and moved.span in judged):
                found.append(moved)
    found.extend(one for measure in read for one in measure.diagnostics)
    found.extend(lengths.check(measures, states, beside))
    found.sort(key=place_of)
    everything = spliced(known, first, last, found, edit.by, moved_diagnostic)
    return tuple(sorted([*broken, *everything], key=place_of)) if broken else everything


def _is_balanced(old: str, new: str, edit: _Edit, skeleton: Skeleton) -> bool:
    """Whether what was replaced, and what it was replaced by, are both well-formed content."""
    if not skeleton.has_root:
        return False
    root = old[skeleton.root_start : skeleton.header_start]
    pieces = old[edit.start : edit.old_end], new[edit.start : edit.new_end]
    return not any(check(f"{root}{piece}</score-partwise>") for piece in pieces)
