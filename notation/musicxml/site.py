"""Where in a MusicXML document can music be written, and what surrounds the place?

Between the elements of a measure, between measures, and in an empty measure or part; nowhere else. At the start of a
measure the whole part is written, later on the voice at the cursor.

Offsets count code points; durations are Fractions of a whole note.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from notation.language import Document
from notation.musicxml.measure import PartState, ReadMeasure, read_measure
from notation.musicxml.notation_groups import Place, open_tuplet
from notation.musicxml.skeleton import PartSkeleton, Stretch
from notation.musicxml.style import Style, learn
from notation.musicxml.tags import Element, is_between_elements, read_elements
from notation.musicxml.tree import Tree
from notation.score import Event, KeySignature, Measure, Part, TimeSignature, Voice
from notation.site import NOTHING_PENDING, CompletionSite, Pending

NAME = "musicxml"
_TYPED = re.compile(r"<[a-z-]*\Z")
_NOTHING = re.compile(r"(?:\s++|<!--(?:(?!-->).)*+-->)*+", re.DOTALL)
_BEGINNINGS = ("note", "backup", "forward", "attributes", "harmony", "barline")
_SOUNDING = ("note", "forward", "backup")


@dataclass(frozen=True, slots=True)
class Detail:
    """What `render` needs beside the site.

    Attributes:
        style: the layout of the document.
        state: what is in force at the cursor.
        typed: the part of a start tag that is typed, such as `<no`; empty if none.
        line_before, line_after: what else stands on the line, before what is typed and behind the cursor.
        position: where in the measure the document stands.
        in_measure: whether the cursor is in a measure element.
        closed: whether that element has its end tag.
        completes: whether the measure may be closed behind what is written.
        followed: whether music of this part follows in the text.
        returns: whether a `backup` that follows counts from the cursor, so that what is written must go back to it.
        known: the voices of the measure that are in the document already.
        numbers: the numbers of the measures before and behind the cursor, empty where there is none.
    """

    style: Style
    state: PartState
    typed: str = ""
    line_before: str = ""
    line_after: str = ""
    position: Fraction = Fraction(0)
    in_measure: bool = False
    closed: bool = False
    completes: bool = True
    followed: bool = False
    returns: bool = False
    known: tuple[Voice, ...] = ()
    numbers: tuple[str, str] = ("", "")


def completion_site(document: Document, offset: int) -> CompletionSite | None:
    """The site at an offset, or None where no music can be written."""
    tree = document.tree
    if not isinstance(tree, Tree) or not 0 <= offset <= len(document.text):
        return None
    typed = _typed(document.text, offset)
    if typed is None:
        return None
    anchor = offset - len(typed)
    for part, outline in enumerate(tree.skeleton.parts):
        measure = _measure_at(outline, anchor, offset)
        if measure is not None:
            return _Finder(document, tree, part, measure, offset, typed).in_measure(outline.measures[measure])
        if not tree.skeleton.timewise and outline.inner <= anchor and offset <= outline.inner_end:
            measure = bisect_right(outline.measures, anchor, key=lambda stretch: stretch.end)
            return _Finder(document, tree, part, measure, offset, typed).between_measures(outline)
    return None


def _measure_at(outline: PartSkeleton, anchor: int, offset: int) -> int | None:
    """The index of the first measure of a part whose content holds all from `anchor` to `offset`, or None."""
    measures = outline.measures

    def holds(index: int) -> bool:
        return index >= 0 and measures[index].inner <= anchor and offset <= measures[index].inner_end

    index = bisect_right(measures, anchor, key=lambda stretch: stretch.inner) - 1
    if not holds(index):
        return None
    while holds(index - 1):  # measures that a part lacks are empty, and may stand at one place
        index -= 1
    return index


def _typed(text: str, offset: int) -> str | None:
    """What is typed of a tag before the cursor, or None if the cursor is not between elements."""
    after = text[offset : offset + 4096].lstrip()
    if after and not after.startswith("<"):
        return None
    half = _TYPED.search(text, max(0, offset - 40), offset)
    typed = half.group() if half else ""
    before = text[max(0, offset - len(typed) - 4096) : offset - len(typed)].rstrip()
    return typed if before.endswith(">") else None


@dataclass(slots=True)
class _Finder:
    """The search for the site at one offset of one part."""

    document: Document
    tree: Tree
    part: int
    index: int
    offset: int
    typed: str

    @property
    def anchor(self) -> int:
        """The offset at which what is typed begins."""
        return self.offset - len(self.typed)

    @property
    def read_part(self) -> Part:
        """The part as parsed."""
        return self.document.scores[0].parts[self.part]

    def between_measures(self, outline: PartSkeleton) -> CompletionSite | None:
        """The site before, between or behind the measures of a part."""
        start = outline.measures[self.index - 1].end if self.index else outline.inner
        if not _NOTHING.fullmatch(self.document.text, start, self.anchor):
            return None
        inserted = self.index < len(outline.measures)
        if not "<measure".startswith(self.typed):
            return None
        state = self.tree.states[self.part][self.index]
        numbers = (
            outline.measures[self.index - 1].number if self.index else "",
            outline.measures[self.index].number if inserted else "",
        )
        return self._site(
            self._detail(state, followed=inserted, numbers=numbers),
            inserted=inserted,
            remaining=self._target(state, inserted),
            whole_part=True,
        )

    def in_measure(self, stretch: Stretch) -> CompletionSite | None:
        """The site between the elements of a measure."""
        text = self.document.text
        if not any(f"<{tag}".startswith(self.typed) for tag in _BEGINNINGS):
            return None
        if not is_between_elements(text, stretch.inner, self.anchor):
            return None
        before = read_elements(text, stretch.inner, self.anchor)
        after = read_elements(text, self.offset, stretch.inner_end)
        if not _may_stand_between(before, after):
            return None
        state = self.tree.states[self.part][self.index]
        read = read_measure(text[stretch.inner : self.anchor], state, stretch.inner, closed=False)
        later = self.tree.skeleton.parts[self.part].measures[self.index + 1 :]
        detail = self._detail(
            read.state,
            position=read.position,
            in_measure=True,
            closed=stretch.closed,
            followed=bool(later) or any(element.tag in _SOUNDING for element in after),
            numbers=(stretch.number, later[0].number if later else ""),
        )
        target = self._target(read.state, False)
        if not any(element.tag in _SOUNDING for element in (*before, *after)):
            return self._site(
                detail,
                remaining=target,
                whole_part=True,
                barline_follows=stretch.closed,
                max_measures=1 if stretch.closed else None,
            )
        return self._in_voice(detail, read, after, target)

    def _in_voice(
        self, detail: Detail, read: ReadMeasure, after: Sequence[Element], target: Fraction | None
    ) -> CompletionSite | None:
        known = read.measure.voices
        followers = self._followers(after)
        place = self._place(read, followers)
        if place is None:
            return None
        own = next((voice for voice in known if (voice.staff, voice.number) == place), None)
        filled = own.duration if own is not None else Fraction(0)
        if filled > read.position:
            return None
        events = (own.events if own is not None else ()) + _gap(filled, read.position)
        following = self._events_of(place, followers)
        remaining = None
        if target is not None:
            remaining = target - read.position - sum((event.duration for event in following), Fraction(0))
            if remaining < 0 or (remaining == 0 and following):
                return None
            going_back = _backup_ahead(after, read.state)
            if going_back is not None and remaining:
                lacking = going_back - (target - remaining)
                if lacking <= 0 and following:
                    return None
                remaining = min(remaining, lacking) if lacking > 0 else remaining
                detail = replace(detail, returns=lacking <= 0)
        more_music = any(element.tag in _SOUNDING for element in after)
        if remaining == 0:
            missing = None if more_music else self._missing_staff(known)
            if missing is not None:
                place, events, remaining = missing, (), target
            elif detail.closed:
                return None
        others = {(voice.staff, voice.number) for voice in known} | {place}
        completes = not detail.closed and (remaining == 0 or self._missing_place(others) is None)
        everything = self.read_part.measures[self.index].voices
        known = tuple(voice for voice in everything if (voice.staff, voice.number) != place) if detail.closed else known
        known = (*(voice for voice in known if (voice.staff, voice.number) != place), Voice(events, *place))
        shift = remaining or Fraction(0)
        return self._site(
            replace(detail, known=known, completes=completes),
            staff=place[0],
            voice=place[1],
            before=events,
            after=tuple(replace(event, onset=event.onset + shift) for event in following),
            remaining=remaining,
            barline_follows=not completes,
            max_measures=None if completes else 1,
            pending=_pending(events),
        )

    # --- which voice --------------------------------------------------------------------------------------------

    def _followers(self, after: Sequence[Element]) -> list[Element]:
        """The notes that follow the cursor before the next backup."""
        found: list[Element] = []
        for element in after:
            if element.tag == "backup":
                break
            if element.tag in ("note", "forward"):
                found.append(element)
        return found

    def _place(self, read: ReadMeasure, followers: Sequence[Element]) -> Place | None:
        """The (staff, number) of the voice to write; None if the text does not say."""
        next_place = self._place_of(followers)
        if read.current is not None and not read.after_backup:
            return read.current if next_place in (None, read.current) else None
        if next_place is not None:
            return next_place
        if followers:
            return None
        present = {(voice.staff, voice.number) for voice in read.measure.voices}
        missing = self._missing_place(present)
        if missing is not None:
            return missing
        staff = max((staff for staff, _ in present), default=1)
        return staff, 1 + max((number for on_staff, number in present if on_staff == staff), default=0)

    def _place_of(self, followers: Sequence[Element]) -> Place | None:
        starts = {element.start for element in followers}
        for voice in self.read_part.measures[self.index].voices:
            if any(event.span.start in starts and len(event.span) for event in voice.events):
                return voice.staff, voice.number
        return None

    def _events_of(self, place: Place, followers: Sequence[Element]) -> list[Event]:
        starts = {element.start for element in followers}
        for voice in self.read_part.measures[self.index].voices:
            if (voice.staff, voice.number) == place:
                return [event for event in voice.events if event.span.start in starts and len(event.span)]
        return []

    def _usual_places(self) -> set[Place]:
        """The voices of the nearest earlier measure that has any; one a staff if there is none."""
        for measure in reversed(self.read_part.measures[: self.index]):
            if measure.voices:
                return {(voice.staff, voice.number) for voice in measure.voices}
        return {(staff, 1) for staff in range(1, self.read_part.staves + 1)}

    def _missing_place(self, present: set[Place]) -> Place | None:
        staves = {staff for staff, _ in present}
        return min((place for place in self._usual_places() if place[0] not in staves), default=None)

    def _missing_staff(self, known: Sequence[Voice]) -> Place | None:
        return self._missing_place({(voice.staff, voice.number) for voice in known})

    # --- how much -----------------------------------------------------------------------------------------------

    def _beside(self) -> list[Measure]:
        """The same measure in the other parts, where it is written."""
        parts = [part for number, part in enumerate(self.document.scores[0].parts) if number != self.part]
        found = [part.measures[self.index] for part in parts if self.index < len(part.measures)]
        return [measure for measure in found if measure.voices and measure.barline is not None]

    def _time(self, state: PartState, inserted: bool) -> TimeSignature:
        """The metre in force; that of the other parts where this one has none, or is behind them."""
        beside = self._beside()
        is_behind = not inserted and self.index >= len(self.read_part.measures)
        return beside[0].time if beside and (is_behind or not state.has_time) else state.time

    def _key(self, state: PartState) -> KeySignature:
        """The key in force; that of another part where nothing of this one is written."""
        beside = self._beside()
        return beside[0].key if beside and state.divisions is None else state.key

    def _target(self, state: PartState, inserted: bool) -> Fraction | None:
        """What the measure is to last: its metre, or what it lasts elsewhere if it is a pickup."""
        metre = self._time(state, inserted).duration
        beside = [] if inserted else self._beside()
        if beside and metre is not None and (self.index == 0 or beside[0].implicit):
            return min(metre, max(measure.duration for measure in beside))
        return metre

    # --- the result ---------------------------------------------------------------------------------------------

    def _detail(self, state: PartState, **values: object) -> Detail:
        text = self.document.text
        line_end = min((end for mark in "\r\n" if (end := text.find(mark, self.offset)) >= 0), default=len(text))
        detail = Detail(
            learn(text, self.tree.skeleton, self.tree.skeleton.parts[self.part]),
            state,
            self.typed,
            text[text.rfind("\n", 0, self.anchor) + 1 : self.anchor],
            text[self.offset : line_end],
        )
        return replace(detail, **values)  # type: ignore[arg-type]

    def _site(self, detail: Detail, **values: object) -> CompletionSite:
        score, state = self.document.scores[0], detail.state
        time = self._time(state, values.get("inserted") is True)
        site = CompletionSite(NAME, self.offset, score, self.part, self.index, time, self._key(state), detail=detail)
        return replace(site, **values)  # type: ignore[arg-type]


def _may_stand_between(before: Sequence[Element], after: Sequence[Element]) -> bool:
    """Whether notes may stand between what precedes and what follows the cursor in its measure."""
    if any(element.tag == "barline" and element.attribute("location") in ("right", "") for element in before):
        return False
    for element in after:
        if element.tag in _SOUNDING:
            return element.find("chord") is None
        left = element.tag == "barline" and element.attribute("location") == "left"
        if left or (element.tag in ("attributes", "print") and not any(one.tag in _SOUNDING for one in before)):
            return False
    return True


def _backup_ahead(after: Sequence[Element], state: PartState) -> Fraction | None:
    """How far the next backup behind the cursor goes back, in whole notes; None if there is none."""
    backup = next((element for element in after if element.tag == "backup"), None)
    if backup is None or state.divisions is None or not backup.text_of("duration").isdecimal():
        return None
    return int(backup.text_of("duration")[:9]) / (4 * state.divisions)


def _gap(start: Fraction, end: Fraction) -> tuple[Event, ...]:
    return (Event(start, end - start, hidden=True),) if start < end else ()


def _pending(events: Sequence[Event]) -> Pending:
    """What the last events leave open: a tuplet, a tie, or a note after grace notes."""
    if not events:
        return NOTHING_PENDING
    last = events[-1]
    is_note = last.grace or any(note.tie for note in last.notes)
    members: list[Event] = []
    for event in events:
        if event.grace:
            continue
        if event.tuplet is None or (members and event.tuplet != members[0].tuplet):
            members = []
        if event.tuplet is not None:
            members.append(event)
            if open_tuplet(members) == 0:
                members = []
    missing = open_tuplet(members)
    if not missing or members[0].tuplet is None:
        return Pending(is_note=is_note) if is_note else NOTHING_PENDING
    actual, normal = members[0].tuplet
    shortest = min(event.duration for event in members)
    left = missing * normal / actual / shortest
    if left.denominator != 1 or left > 64:
        shortest, left = missing * normal / actual, Fraction(1)
    return Pending(duration=shortest, tuplet=members[0].tuplet, tuplet_left=int(left), is_note=is_note)
