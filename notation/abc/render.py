"""How is new music written at a site, in the document's own style?

`render` gives exactly the text to insert at the cursor. It goes on from what is half typed (an accidental, a tuplet, a
broken rhythm), never merges with what is there, and parses to exactly the events it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from notation.abc.fields import write_key, write_metre
from notation.abc.printer import (
    Spelling,
    tuplet_groups,
    write_barline,
    write_length,
    write_marks,
    write_notes,
    write_pitch_name,
    write_tuplet,
    written_length,
)
from notation.abc.site import Detail
from notation.score import Event, KeySignature, Measure, TimeSignature, Voice
from notation.site import CompletionSite

_BAR_SIGNS = frozenset("|:]")


def render(site: CompletionSite, measures: Sequence[Measure]) -> str:
    """The text to insert at `site.offset`.

    Args:
        site: as `completion_site` gave it.
        measures: what to write; in the first only the new events, with onsets from the start of the measure.
    """
    detail = site.detail
    assert isinstance(detail, Detail)
    return _Renderer(site, detail).write(measures)


@dataclass(slots=True)
class _Renderer:
    site: CompletionSite
    detail: Detail
    text: str = ""
    on_line: int = 0
    key: KeySignature = KeySignature()
    time: TimeSignature = TimeSignature()

    def write(self, measures: Sequence[Measure]) -> str:
        self.on_line = self.detail.measures_on_line
        self.key, self.time = self.site.key, self.site.time
        if not self.detail.has_prefix:
            self.text = self.detail.prefix
        tied = dict(self.detail.tied)
        for index, measure in enumerate(measures):
            following = measures[index + 1] if index + 1 < len(measures) else None
            tied = self._measure(measure, index == 0, tied)
            if measure.barline is not None:
                self._barline(measure, following)
        self._end(measures)
        return self.text

    # Measures

    def _measure(self, measure: Measure, is_first: bool, tied: dict[int, int]) -> dict[int, int]:
        """Write one measure without its barline; gives what is tied into the next."""
        voices = [voice for voice in measure.voices if voice.events]
        if is_first:
            own = [voice for voice in voices if voice.number == self.site.voice] or voices[:1]
            return self._first_measure(measure, own[0] if own else None, tied)
        self._begin_measure(measure, False)
        state = tied
        for number, voice in enumerate(voices):
            spelling = Spelling.begin(measure.key, tied if not number else None)
            if number:
                self.text += " & "
            self._voice(voice.events, spelling, measure.time, True)
            if not number:
                state = spelling.tied
        return state

    def _first_measure(self, measure: Measure, voice: Voice | None, tied: dict[int, int]) -> dict[int, int]:
        detail, site = self.detail, self.site
        is_new = not site.before
        if is_new and site.voice == 1 and not detail.glued:
            self._begin_first(measure)
        spelling = Spelling.begin(self.key if not is_new else measure.key, tied)
        for position, alter in detail.accidentals.items():
            spelling.octave[position] = alter
            spelling.pitch["CDEFGAB"[position % 7]] = alter
        if voice is None or not voice.events:
            return tied
        self._lead(voice.events[0])
        self._voice(voice.events, spelling, measure.time, is_new)
        return spelling.tied

    def _begin_first(self, measure: Measure) -> None:
        """What stands before the first measure's notes where the cursor is at a measure's start."""
        detail = self.detail
        style = detail.style
        is_full_line = style.measures_per_line is not None and self.on_line >= style.measures_per_line
        if is_full_line and detail.may_break and detail.before in _BAR_SIGNS:
            self._new_line()
        if measure.repeat_start and not detail.repeat_start:
            self._space_out(self._last() in _BAR_SIGNS)
            self.text += "|:"
        if detail.has_ending:
            measure = Measure(measure.voices, measure.time, measure.key)
        self._begin_measure(measure, True)

    def _begin_measure(self, measure: Measure, is_first: bool) -> None:
        """Variant ending, key and metre of a measure."""
        if measure.ending and not self.text.endswith("".join(map(str, measure.ending))):
            self._after_bar()
            self.text += "[" + ",".join(map(str, measure.ending))
        changes = []
        if measure.key != self.key:
            changes.append(f"[K:{write_key(measure.key)}]")
        if measure.time != self.time:
            changes.append(f"[M:{write_metre(measure.time)}]")
        self.key, self.time = measure.key, measure.time
        if measure.ending or changes or not is_first:
            self._after_bar()
        if changes:
            self.text += "".join(changes) + " "

    # Events

    def _voice(self, events: Sequence[Event], spelling: Spelling, time: TimeSignature, is_new: bool) -> None:
        detail = self.detail
        is_at_cursor = is_new and not self.text.strip() or not is_new
        inside = detail.tuplet_left if is_at_cursor and detail.tuplet_left else 0
        count = inside
        skip = 0
        for place, event in enumerate(events):
            if not event.grace:
                if skip == inside:
                    break
                skip += 1
            count = place
        head = _place_after(events, inside)
        del count
        sizes = [0] * head + tuplet_groups(events[head:])
        is_glued = True
        place = 0
        while place < len(events):
            event = events[place]
            if not is_glued and self.detail.style.has_gap(event.onset, time) and not self.text.endswith("}"):
                if not self._is_inside_group(sizes, place, events):
                    self._space_out(True)
            is_glued = False
            if sizes[place] and event.tuplet is not None:
                self.text += write_tuplet(event.tuplet, sizes[place], time)
            if event.grace:
                self._grace(event, spelling)
            elif self._is_broken_pair(events, place, inside and place < head):
                self._broken_pair(event, events[place + 1], spelling)
                place += 1
            else:
                self._event(event, spelling, place == 0 and is_at_cursor)
            place += 1
