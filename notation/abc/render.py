"""How is new music written at a site, in the document's own style?

`render` gives exactly the text to insert at the cursor. It goes on from what is half typed (an accidental, a tuplet, a
broken rhythm), never merges with what is there, and parses to exactly the events it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from notation.score import STEPS, Event, KeySignature, Measure, TimeSignature, Voice
from notation.site import CompletionSite

_BAR_SIGNS = frozenset("|:]")
_BROKEN = {
    (Fraction(3, 2), Fraction(1, 2)): ">",
    (Fraction(1, 2), Fraction(3, 2)): "<",
    (Fraction(7, 4), Fraction(1, 4)): ">>",
    (Fraction(1, 4), Fraction(7, 4)): "<<",
}


def render(site: CompletionSite, measures: Sequence[Measure]) -> str:
    """The text to insert at `site.offset`.

    Args:
        site: as `completion_site` gave it.
        measures: what to write; in the first only the new events, with onsets from the start of the measure.
    """
    detail = site.detail
    assert isinstance(detail, Detail)
    return _Renderer(site, detail).write(measures)


class _Renderer:
    """Writes one insertion. `text` is what is written so far, `on_line` the complete measures on its last line."""

    def __init__(self, site: CompletionSite, detail: Detail) -> None:
        self.site = site
        self.detail = detail
        self.style = detail.style
        self.text = "" if detail.has_prefix else detail.prefix
        self.on_line = detail.measures_on_line
        self.key: KeySignature = site.key
        self.time: TimeSignature = site.time

    def write(self, measures: Sequence[Measure]) -> str:
        tied = dict(self.detail.tied)
        for index, measure in enumerate(measures):
            following = measures[index + 1] if index + 1 < len(measures) else None
            tied = self._measure(measure, tied) if index else self._first_measure(measure, tied)
            if measure.barline is not None:
                self._barline(measure, following)
        self._end()
        return self.text

    # Measures

    def _first_measure(self, measure: Measure, tied: dict[int, int]) -> dict[int, int]:
        """Go on with the measure at the cursor; gives what is tied into the next."""
        detail, site = self.detail, self.site
        voices = [voice for voice in measure.voices if voice.events]
        voice = next((one for one in voices if one.number == site.voice), voices[0] if voices else None)
        if not site.before and site.voice == 1 and not detail.glued:
            self._begin_first(measure)
        if voice is None:
            return tied
        spelling = Spelling.begin(self.key, tied, detail.repeats)
        for position, alter in detail.accidentals.items():
            spelling.note_accidental(position, STEPS[position % 7], alter)
        self._lead(voice.events[0])
        self._voice(voice, spelling, detail.tuplet_left, True)
        return spelling.tied

    def _begin_first(self, measure: Measure) -> None:
        """What stands before the first notes where the cursor is at a measure's start."""
        detail = self.detail
        per_line = self.style.measures_per_line
        if per_line and self.on_line >= per_line and detail.may_break and detail.before in _BAR_SIGNS:
            self._break_line()
        if measure.repeat_start and not detail.repeat_start:
            self._separate()
            self.text += "|:"
        self._signs(measure, () if detail.has_ending else measure.ending)

    def _measure(self, measure: Measure, tied: dict[int, int]) -> dict[int, int]:
        """Write a whole measure without its barline; gives what is tied into the next."""
        is_joined = bool(measure.ending) and self.style.is_ending_joined
        self._signs(measure, () if is_joined else measure.ending)
        result = tied
        for number, voice in enumerate(voice for voice in measure.voices if voice.events):
            spelling = Spelling.begin(measure.key, {} if number else tied, self.detail.repeats)
            self.text += " & " if number else ""
            self._voice(voice, spelling, 0, False)
            result = result if number else spelling.tied
        return result

    def _signs(self, measure: Measure, ending: Sequence[int]) -> None:
        """Variant ending, key and metre at a measure's start."""
        if ending:
            self._after_bar()
            self.text += f"[{','.join(map(str, ending))} "
        changes = ""
        if measure.key != self.key:
            changes += f"[K:{write_key(measure.key)}]"
        if measure.time != self.time:
            changes += f"[M:{write_metre(measure.time)}]"
        self.key, self.time = measure.key, measure.time
        if changes:
            self._separate()
            self.text += f"{changes} "

    def _barline(self, measure: Measure, following: Measure | None) -> None:
        barline = measure.barline
        assert barline is not None
        if self.style.space_before_bar:
            self._separate()
        repeats = following is not None and following.repeat_start
        if barline.repeat_end and barline.style == "regular":
            self.text += self.style.both if repeats else self.style.repeat_end
        else:
            self.text += write_barline(barline, repeats)
        self.on_line += 1
        if following is None:
            return
        per_line = self.style.measures_per_line
        if following.ending and self.style.is_ending_joined:
            self.text += ",".join(map(str, following.ending)) + " "
        elif per_line and self.on_line >= per_line and self.detail.may_break:
            self._break_line()
        elif self.style.space_after_bar:
            self.text += " "

    # Events

    def _voice(self, voice: Voice, spelling: Spelling, open_left: int, at_cursor: bool) -> None:
        """Write events; the first `open_left` of them belong to the tuplet that is open at the cursor."""
        events = voice.events
        head = _place_after(events, open_left)
        sizes = [0] * head + tuplet_groups(events[head:])
        group_left = open_left
        place = 0
        while place < len(events):
            event = events[place]
            if place and not group_left and not events[place - 1].grace and self._has_gap(event):
                self._separate()
            if sizes[place] and event.tuplet is not None:
                self.text += write_tuplet(event.tuplet, sizes[place], self.time)
                group_left = sizes[place]
            is_first = at_cursor and not place
            # A note whose decoration is typed is written plainly: with a staccato dot abc2midi finds no broken rhythm.
            pending = self.site.pending
            is_begun = is_first and (self.detail.broken is not None or (pending.is_note and pending.alter is None))
            is_decided = event.grace or is_begun
            sign = "" if is_decided else self._broken_sign(events, place)
            if sign:
                base = (event.duration + events[place + 1].duration) / 2
                self._event(event, base, spelling, is_first)
                self.text += sign
                self._event(events[place + 1], base, spelling, False)
                place += 1
            elif event.grace:
                self._grace(event, events[place - 1].grace if place else False, spelling)
            else:
                self._event(event, written_length(event), spelling, is_first)
                group_left = max(0, group_left - 1)
            place += 1

    def _event(self, event: Event, length: Fraction, spelling: Spelling, is_first: bool) -> None:
        alter = self.site.pending.alter if is_first else None
        if is_first and self.detail.broken is not None:
            length /= self.detail.broken
        written = self._length(length)
        self.text += write_marks(event)
        if alter is not None and len(event.notes) == 1:
            note = event.notes[0]
            spelling.note_accidental(note.pitch.position, note.pitch.step, alter)
            spelling.after(event)
            self.text += write_pitch_name(note) + written + ("-" if note.tie else "")
        else:
            self.text += write_notes(event, spelling, written)
        self.text += ")" * event.marks.slur_ends

    def _grace(self, event: Event, goes_on: bool, spelling: Spelling) -> None:
        if goes_on:
            self.text = self.text.removesuffix("}")
        else:
            self.text += "{"
        self.text += write_notes(event, spelling, "") + "}"

    def _broken_sign(self, events: Sequence[Event], place: int) -> str:
        """The sign that lets two events be written as a broken rhythm, or nothing."""
        if not self.style.is_broken or place + 1 >= len(events):
            return ""
        pair = events[place : place + 2]
        if any(one.grace or one.tuplet is not None or one.whole_measure or not one.notes for one in pair):
            return ""
        if any(note.tie for note in pair[0].notes):
            return ""
        base = (pair[0].duration + pair[1].duration) / 2
        if (pair[0].onset / (2 * base)).denominator != 1:
            return ""
        return _BROKEN.get((pair[0].duration / base, pair[1].duration / base), "")

    def _length(self, length: Fraction) -> str:
        factor = length / self.detail.unit
        return self.style.half if factor == Fraction(1, 2) else write_length(factor)

    # Spaces and lines

    def _has_gap(self, event: Event) -> bool:
        return self.style.has_gap(event.onset, self.time)

    def _last(self) -> str:
        """The character that stands before what is written next, empty at a line's start."""
        return self.text[-1:] or self.detail.before

    def _separate(self) -> None:
        """A space, unless there is one."""
        if self._last().strip():
            self.text += " "

    def _after_bar(self) -> None:
        if self._last() not in _BAR_SIGNS or self.style.space_after_bar:
            self._separate()

    def _lead(self, event: Event) -> None:
        """What separates the first event from what is typed."""
        if self.detail.glued or (self.site.before and not self._has_gap(event)):
            return
        if self.site.before:
            is_in_tuplet = bool(self.detail.tuplet_left)
            if not is_in_tuplet:
                self._separate()
        else:
            self._after_bar()

    def _break_line(self) -> None:
        self.text = self.text.rstrip(" ") + self.style.line_ending + self.detail.newline
        self.text += self.style.indent + self.detail.prefix
        self.on_line = 0

    def _end(self) -> None:
        """A space before what follows on the line, where one belongs."""
        after = self.detail.after
        if not after.strip() or not self.text:
            return
        if self.text[-1] in _BAR_SIGNS:
            is_wanted = self.style.space_after_bar or after in _BAR_SIGNS
        elif after in _BAR_SIGNS:
            is_wanted = self.style.space_before_bar
        else:
            is_wanted = bool(self.site.after) and self.style.is_spaced
        if is_wanted or after == "%":
            self._separate()


def _place_after(events: Sequence[Event], count: int) -> int:
    """The place after the first `count` events that are no grace notes."""
    place = 0
    while count and place < len(events):
        count -= not events[place].grace
        place += 1
    return place
