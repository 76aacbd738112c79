"""Where music is to be written next: the cursor, seen as a place in a score.

A notation language makes a `CompletionSite` of a document and an offset; `notation.tokens` turns the site into
what the model reads, and the language prints what the model wrote. Offsets are code points.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from notation.score import Event, KeySignature, Score, TimeSignature


@dataclass(frozen=True, slots=True)
class Pending:
    """What half-typed text already decides about the next event.

    Attributes:
        alter: the accidental that is typed (`^` in ABC): the next note sounds so.
        duration: what the next event must last (the short half of a broken rhythm).
        tuplet: the (actual, normal) of a tuplet that is open, with `tuplet_left` events to come.
        tuplet_left: how many events the open tuplet still takes; each lasts `duration`.
        is_note: the next event must be a note, not a rest (a tie, accidental or decoration is typed).
    """

    alter: int | None = None
    duration: Fraction | None = None
    tuplet: tuple[int, int] | None = None
    tuplet_left: int = 0
    is_note: bool = False


NOTHING_PENDING = Pending()


@dataclass(frozen=True, slots=True)
class CompletionSite:
    """A place in a score where the next music goes.

    Attributes:
        language: the name of the notation language.
        offset: where text will be inserted.
        score: the score the cursor is in, as parsed from the whole document.
        part: index into `score.parts` of the part being written.
        measure: index of the measure being written. Measures before it are context.
        time, key: in force at the cursor, for this part (key as written for it).
        inserted: True if a new measure goes in before the existing measure `measure` (which, with what follows it,
            is what the suggestion must lead into); False if measure `measure` is the one that the cursor is in, or
            one past the end of this part.
        staff, voice: the `Voice.staff` and `Voice.number` being written.
        before: events of this voice in this measure that precede the cursor.
        after: events of this voice in this measure that follow the cursor (rare: the gap lies inside a measure).
        remaining: what is left of the measure between `before` and `after`, in whole notes; 0 if it is full and only
            its barline is missing; None in free metre.
        whole_part: True at the start of a measure in a language that writes a whole part at once (MusicXML): every
            voice of the part is written, not just one.
        barline_follows: True if the text after the cursor already closes this measure; then exactly this measure is
            filled, and no barline is written.
        max_measures: how many measures make sense here; None for no limit.
        pending: what is half typed.
        repeat_start: True if a repeat sign is typed before the cursor and nothing of its measure yet.
        ending: True if the number of a variant ending is.
        detail: the language's own notes for printing (style, insertion context); opaque to everyone else.
    """

    language: str
    offset: int
    score: Score
    part: int
    measure: int
    time: TimeSignature
    key: KeySignature
    inserted: bool = False
    staff: int = 1
    voice: int = 1
    before: tuple[Event, ...] = ()
    after: tuple[Event, ...] = ()
    remaining: Fraction | None = Fraction(1)
    whole_part: bool = False
    barline_follows: bool = False
    max_measures: int | None = None
    pending: Pending = NOTHING_PENDING
    repeat_start: bool = False
    ending: bool = False
    detail: object = None

    @property
    def filled(self) -> Fraction:
        """How much of the measure precedes the cursor in this voice."""
        return self.before[-1].end if self.before else Fraction(0)
