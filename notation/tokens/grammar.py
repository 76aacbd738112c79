"""Which tokens may come next.

A measure can only be left when every voice of it is exactly full; a tie lands on its own pitch; a tuplet is
completed; a reference is allowed only where the measure it names fits. `Grammar` follows a sequence measure by
measure, from the head of a measure or from the middle of a voice, and gives the tokens that are legal at every step.
What is legal inside a voice says its `Place` (places.py); here is what is legal around the voices.

Whatever depends only on few values is computed once and cached as a read-only mask, so that a step costs a dictionary
look-up.

Units: durations are Fractions of a whole note; masks are boolean arrays of shape (V,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from notation.score import KeySignature
from notation.tokens import rhythm
from notation.tokens import vocabulary as v
from notation.tokens.echo import Echo, Reprise, VoiceId, find_echo, find_reprises
from notation.tokens.encode import MIN_REFERENCE
from notation.tokens.places import (
    EVERYTHING,
    MEASURE_RESTS,
    NOTHING,
    Allowed,
    Forced,
    Frame,
    Legal,
    Mask,
    Place,
    Sounding,
    family_ids,
    kept,
    legal_of,
    mask_of,
    start,
)
from notation.tokens.vocabulary import TOKEN_IDS


class Phase(Enum):
    """Where in a measure the sequence stands."""

    MEASURE = "a measure is about to begin"
    HEAD = "its number is written"
    KEY = "the signature has changed, the mode follows"
    PART = "a part is named, its voice may be"
    EVENT = "an event is about to begin, or may go on"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a sequence may write.

    Attributes:
        n_parts: parts of the score; parts are named only if there are several.
        parts: those that may be written, in any order, each once a measure.
        required: those without which no measure ends.
        voices: the (staff, number) that may be written in a part; None for any, in ascending order.
        heads: what a head may hold: families among `time`, `key`, `|:`, `ending`, `len`.
        breaks: whether a section may begin after a barline that ends none; models are not taught where.
        pickups: the lengths an irregular measure may have, and then only at the start of a section; None for any.
        allowed: what may be written in a voice.
    """

    n_parts: int
    parts: tuple[int, ...]
    required: frozenset[int] = frozenset()
    voices: tuple[tuple[int, int], ...] | None = None
    heads: frozenset[str] = frozenset({"time", "key", "|:", "ending", "len"})
    breaks: bool = True
    pickups: frozenset[Fraction] | None = None
    allowed: Allowed = EVERYTHING


@dataclass(frozen=True, slots=True)
class Repeats:
    """Where a sequence stands among repeats, so that new ones are well formed.

    Attributes:
        open: whether a repeat has begun and not ended.
        seen: whether any repeat sign has been met: before, `:|` goes back to the beginning.
        ending: the variant ending in progress; 0 if none.
        closed: whether the last barline ended a repeat.
    """

    open: bool = False
    seen: bool = False
    ending: int = 0
    closed: bool = False

    def after_head(self, *, repeat_start: bool, ending: int) -> Repeats:
        """After the head of a measure."""
        if repeat_start:
            return Repeats(open=True, seen=True)
        return replace(self, ending=ending or self.ending, closed=False)

    def after_barline(self, token_id: int) -> Repeats:
        """After a barline."""
        if token_id == v.BARLINE_IDS[":|"]:
            return Repeats(open=False, seen=True, ending=self.ending if self.ending == 1 else 0, closed=True)
        if token_id in SECTION_END_IDS:
            return Repeats(self.open, self.seen)
        return replace(self, closed=False) if self.closed else self

    def legal_heads(self) -> set[int]:
        """The repeat start and endings that may be written next."""
        legal = set() if self.open or self.ending == 1 else {v.REPEAT_START}
        if self.ending == 1 and self.closed:
            legal.add(TOKEN_IDS["ending:2"])
        if self.ending == 0 and (self.open or not self.seen):
            legal.add(TOKEN_IDS["ending:1"])
        return legal

    def may_end(self) -> bool:
        """Whether `:|` may be written."""
        return (self.open or not self.seen) and self.ending != 2


_REPEAT_START = mask_of([v.REPEAT_START])
_REPEAT_HEADS = mask_of([v.REPEAT_START, *v.ENDING_IDS])
_FAMILIES = {name: mask_of(family_ids(name)) for name in ("time", "key", "mode", "ending", "len")}
_LENGTHS = {token_id: int(v.TOKENS[token_id][4:]) * v.LENGTH_UNIT for token_id in family_ids("len")}
_PARTS = {token_id: int(v.TOKENS[token_id][5:]) for token_id in family_ids("part")}
_VOICES = {token_id: (int(v.TOKENS[token_id][6]), int(v.TOKENS[token_id][8])) for token_id in family_ids("voice")}
_PLAIN = v.BARLINE_IDS["|"]
_BARLINES = frozenset(v.BARLINE_IDS.values())
_LEAVE_VOICE = frozenset({*_PARTS, *_VOICES, *_BARLINES})
SECTION_END_IDS = frozenset(v.BARLINE_IDS[name] for name in ("||", "|]", ":|"))
_HEAD_ORDER = ("time", "key", "|:", "ending", "len")


@lru_cache(maxsize=1024)
def _several(ids: frozenset[int]) -> Mask:
    return mask_of(ids)


@lru_cache(maxsize=4096)
def _head_tokens(heads: frozenset[str], pickups: frozenset[Fraction] | None, done: int, *, begins: bool) -> Mask:
    """The tokens of a head that may still come after its first `done` families, where a section begins or not."""
    mask = NOTHING
    for name in _HEAD_ORDER[done:]:
        if name not in heads:
            continue
        if name == "|:":
            mask = mask | _REPEAT_START
        elif name == "len" and pickups is not None:
            lengths = pickups if begins else ()
            mask = mask | mask_of(token_id for token_id, length in _LENGTHS.items() if length in lengths)
        else:
            mask = mask | _FAMILIES[name]
    return mask


@lru_cache(maxsize=1024)
def _legal_repeats(repeats: Repeats) -> Mask:
    """All tokens but the repeat starts and endings that may not be written."""
    return ~_REPEAT_HEADS | mask_of(repeats.legal_heads())


@lru_cache(maxsize=1024)
def _voices_after(last: tuple[int, int], voices: tuple[tuple[int, int], ...] | None) -> Mask:
    """The names of voices above one, among those that may be written."""
    return mask_of(token_id for token_id, name in _VOICES.items() if name > last and (voices is None or name in voices))


@dataclass(slots=True)
class _Voice:
    """A voice in progress: where it stands, and what is written of it."""

    id: VoiceId
    place: Place
    ids: tuple[int, ...] = ()

    def copy(self) -> _Voice:
        """An independent copy."""
        return _Voice(self.id, self.place, self.ids)

    def advance(self, token_id: int) -> None:
        """Take a token."""
        self.place = self.place.after(token_id)
        self.ids += (token_id,)


@dataclass
class Grammar:
    """Follows a sequence and says what may come next.

    Attributes:
        scope: what may be written.
        keys: the signature of each part, by part index.
        full: what a measure of the metre in force lasts; None in free metre.
        number: the section number of the last measure, or -1 where a section begins.
        pickup: the length of the pickup of the section; 0 if it has none.
        ties: pitches tied into the next measure, by voice.
        history: the segments of earlier measures by voice, the last measure last.
        repeats: where it stands among repeats; None if they are not looked at.
        closing: the barline that the measure being written must end with; None if there is a choice.
        last_measure: whether no measure follows the one being written: its last event is not tied.
        heads: the heads to choose from for the measure to come, or what is left of them; empty if they are not decided.
    """

    scope: Scope
    keys: dict[int, KeySignature]
    full: Fraction | None
    number: int = -1
    pickup: Fraction = Fraction(0)
    ties: dict[VoiceId, tuple[Sounding, ...]] = field(default_factory=dict)
    history: list[Mapping[VoiceId, tuple[int, ...]]] = field(default_factory=list)
    repeats: Repeats | None = None
    closing: int | None = None
    last_measure: bool = False
    heads: tuple[tuple[int, ...], ...] = ()

    phase: Phase = Phase.MEASURE
    voice: _Voice | None = None
    _length: Fraction | None = None
    _head: int = 0
    _part: int | None = None
    _written: dict[VoiceId, tuple[int, ...]] = field(default_factory=dict)
    _next_ties: dict[VoiceId, tuple[Sounding, ...]] = field(default_factory=dict)
    _early_end: bool = False
    _implied: _Voice | None = None

    def copy(self) -> Grammar:
        """An independent copy; what never changes in place is shared."""
        twin = copy(self)
        twin.keys = dict(self.keys)
        twin.ties = dict(self.ties)
        twin.history = list(self.history)
        twin.voice = self.voice.copy() if self.voice else None
        twin._written = dict(self._written)
        twin._next_ties = dict(self._next_ties)
        return twin

    # Entering

    def enter_part(
        self, part: int, *, number: int, length: Fraction | None, written: Mapping[VoiceId, tuple[int, ...]]
    ) -> None:
        """Begin where a part is named, in a measure whose head is done.

        Args:
            part: the part to write.
            number: the measure's number within its section.
            length: what its voices must last.
            written: segments of other parts, by voice.
        """
        self.number = number
        self._length = length
        self._written = dict(written)
        self._part = part
        self._implied = None
        self.voice = None
        self.phase = Phase.PART

    def enter_voice(
        self,
        voice: VoiceId,
        *,
        number: int,
        length: Fraction | None,
        position: Fraction = Fraction(0),
        current: v.Duration = v.DEFAULT_DURATION,
        group: rhythm.OpenTuplet | None = None,
        landing: Sequence[Sounding] = (),
        forced: Sequence[Forced] = (),
        written: Mapping[VoiceId, tuple[int, ...]] | None = None,
        ids: Sequence[int] = (),
    ) -> None:
        """Begin inside a measure: where a completion site stands.

        Args:
            voice: (part, staff, number) being written.
            number: the measure's number within its section.
            length: what the voice must last in all (less than a full measure where music follows the gap).
            position: how much of it is filled.
            current: the duration in force.
            group: the tuplet in progress.
            landing: tied pitches that the next event, in this measure or after it, must hold, low to high.
            forced: what is decided about the next events.
            written: segments of this measure that are complete, by voice.
            ids: what is already written of this voice.
        """
        self.number = number
        self._length = length
        self._written = dict(written or {})
        self._part = voice[0]
        self.phase = Phase.EVENT
        tied = tuple(landing)
        is_full = position == length
        place = Place(
            self._frame(voice[0], length), position, current, group, () if is_full else tied, tuple(forced),
            fresh=position == 0 and not ids, held=tied if is_full else (),
        )  # fmt: skip
        self.voice = _Voice(voice, kept(place), tuple(ids))

    # Asking

    def legal(self) -> Mask:
        """The tokens that may come next, shape (V,), read-only; at least one always may."""
        return self._legal().mask

    def legal_ids(self) -> NDArray[np.intp]:
        """The tokens that may come next, in ascending order, read-only."""
        return self._legal().ids

    def _legal(self) -> Legal:
        if self.phase is Phase.EVENT and self.voice is not None:
            return self._inside(self.voice)
        if self.heads:
            return legal_of(_several(frozenset(head[0] for head in self.heads)))
        if self.phase is Phase.MEASURE:
            return legal_of(self._measure_numbers())
        if self.phase is Phase.KEY:
            return legal_of(_FAMILIES["mode"])
        if self.phase is Phase.HEAD:
            return legal_of(self._after_head())
        if self.phase is Phase.PART:
            return legal_of(self._voice_names() | self._implied_events())
        raise ValueError("the grammar is inside no voice")

    def is_full(self) -> bool:
        """Whether the voice in progress may end here."""
        return self.voice is not None and self._is_full(self.voice.place)

    def _is_full(self, place: Place) -> bool:
        return place.is_at_end or (place.is_settled and self._may_end_early(place))

    def foreseen(self, *, repeats: bool) -> tuple[int, ...]:
        """A plain barline and the number of the next measure, where that is nearly always what comes; else nothing.

        It is where the measure may end so and nothing else may come but a tie: no chord can grow on the last note, no
        other voice can begin. Where the measure `repeats` an earlier one, they may, but do not.
        """
        if self.voice is None or not self._is_full(self.voice.place):
            return ()
        legal = self._legal()
        if not legal.mask[_PLAIN] or not (repeats or len(legal.ids) <= len(_BARLINES) + 1):
            return ()
        return _PLAIN, self._following_number()

    def fits(self, ids: tuple[int, ...]) -> bool:
        """Whether a whole segment may be written here, and fills its voice."""
        voice = self._next_voice()
        return voice is not None and self._fits(voice.place, ids)

    def _fits(self, place: Place, ids: tuple[int, ...]) -> bool:
        end = place.after_all(ids, last_measure=self.last_measure)
        return end is not None and self._is_full(end)

    def may_repeat(self) -> bool:
        """Whether a voice begins here, so that an earlier measure may come again."""
        if self.voice is not None and not self.voice.place.fresh:
            return False
        return bool(self.history) and self._fresh_voice() is not None

    def references(self) -> dict[int, tuple[int, ...]]:
        """The references that are legal here, and what each stands for."""
        voice = self._fresh_voice()
        if voice is None:
            return {}
        fitting: dict[tuple[int, ...], bool] = {}
        found = {}
        for back, column in enumerate(reversed(self.history[-v.N_REFERENCES :])):
            ids = column.get(voice.id, ())
            if len(ids) < MIN_REFERENCE:
                continue
            fits = fitting.get(ids)
            if fits is None:
                fits = fitting[ids] = self._fits(voice.place, ids)
            if fits:
                found[v.FIRST_REFERENCE + back] = ids
        return found

    def echo(self) -> Echo | None:
        """The earlier measure likeliest to come here again beside what other voices play, if it fits."""
        voice = self._fresh_voice() if self._written else None
        echo = find_echo(self.history, voice.id, self._written) if voice else None
        return echo if voice and echo and self._fits(voice.place, echo.ids) else None

    def reprises(self, begins: tuple[int, ...] = ()) -> list[Reprise]:
        """The earlier measures that may come here again, where nothing stands beside them; see `find_reprises`.

        Args:
            begins: tokens that they begin with.
        """
        voice = None if self._written else self._fresh_voice()
        if voice is None:
            return []
        found = find_reprises(self.history, voice.id)
        return [one for one in found if one.ids[: len(begins)] == begins and self._fits(voice.place, one.ids)]

    def _next_voice(self) -> _Voice | None:
        """The voice that goes on if an event comes next; None if none may come."""
        if self.phase not in (Phase.HEAD, Phase.PART):
            return self.voice
        if self.phase is Phase.HEAD and (self.scope.n_parts > 1 or self._begins_unfinished()):
            return None
        return self._implied_voice() if self._may_be_implied() else None

    def _fresh_voice(self) -> _Voice | None:
        """The voice that begins with the next token, if nothing is decided about it."""
        voice = self._next_voice()
        return voice if voice is not None and voice.place.fresh and not voice.place.forced else None

    # Advancing

    def advance(self, token_id: int) -> None:
        """Take one legal token (never a reference: advance over what it stands for)."""
        self._advance_by_phase(token_id)
        self._implied = None
        if self.heads:
            self._advance_decided(token_id)

    def _advance_by_phase(self, token_id: int) -> None:
        if self.voice is not None and token_id not in _LEAVE_VOICE:
            self.voice.advance(token_id)
        elif self.phase is Phase.MEASURE:
            self._begin_measure(token_id)
        elif self.phase is Phase.KEY:
            self.phase = Phase.HEAD
        elif self.phase is Phase.HEAD and self._advance_head(token_id):
            pass
        elif token_id in _PARTS:
            self._end_voice()
            self._part = _PARTS[token_id]
            self.phase = Phase.PART
        elif token_id in _VOICES:
            part = self._part or 0
            self._end_voice()
            self._start_voice((part, *_VOICES[token_id]))
        elif token_id in _BARLINES:
            self._end_voice()
            self._end_measure(token_id)
        else:
            self._start_voice((self._part or 0, 1, 1)).advance(token_id)

    # Heads

    def _measure_numbers(self) -> Mask:
        if self.number < 0:
            return _several(self._section_starts())
        starts = self._section_starts() if self.scope.breaks and "|:" in self.scope.heads else frozenset()
        return _several(starts | {self._following_number()})

    def _following_number(self) -> int:
        """The number of the measure after the last one, in the same section."""
        return TOKEN_IDS[f"m:{self.number % (v.N_MEASURE_NUMBERS - 1) + 1}"]

    def _section_starts(self) -> frozenset[int]:
        pickup_allowed = "len" in self.scope.heads and self.scope.pickups != frozenset()
        return frozenset((TOKEN_IDS["m:1"], v.PICKUP) if pickup_allowed else (TOKEN_IDS["m:1"],))

    def _begin_measure(self, token_id: int) -> None:
        number = int(v.TOKENS[token_id][2:])
        if number <= 1 and number != self.number % (v.N_MEASURE_NUMBERS - 1) + 1:
            self.pickup = Fraction(0)
        self.number = number
        self.phase = Phase.HEAD
        self._head = 0
        self._part = None
        self._length = self.full
        self._early_end = False
        self._written = {}
        self._next_ties = {}

    def _advance_decided(self, token_id: int) -> None:
        """Go on in the heads that begin with a token; after a whole one nothing more of a head may come."""
        left = tuple(head[1:] for head in self.heads if head[0] == token_id)
        self.heads = left if all(left) else ()
        if not self.heads:
            self._head = len(_HEAD_ORDER)
            self.closing = v.BARLINE_IDS["|"] if self.number == 0 else None

    def _begins_unfinished(self) -> bool:
        """Whether a section begins with a measure whose length is not said yet."""
        return self.number == 0 and self._head < len(_HEAD_ORDER)

    def _after_head(self) -> Mask:
        mask = _head_tokens(self.scope.heads, self.scope.pickups, self._head, begins=self.number == 0)
        if self._begins_unfinished():
            return mask
        mask = mask | self._part_names()
        if self.repeats is not None:
            mask = mask & _legal_repeats(self.repeats)
        if self.scope.n_parts == 1:
            mask = mask | self._voice_names() | self._implied_events()
        if not self.scope.required:
            mask = mask | self._barlines()
        return mask

    def _advance_head(self, token_id: int) -> bool:
        """Take a token of the head; False if the head is over."""
        name = v.family(v.TOKENS[token_id])
        if name not in _HEAD_ORDER:
            return False
        if self.repeats is not None and name in ("|:", "ending"):
            ending = int(v.TOKENS[token_id][7:]) if name == "ending" else 0
            self.repeats = self.repeats.after_head(repeat_start=name == "|:", ending=ending)
        self._head = _HEAD_ORDER.index(name) + 1
        value = v.TOKENS[token_id].partition(":")[2]
        if name == "time":
            self.full = None if value == "none" else Fraction(*map(int, value.split("/")))
            self._length = self.full
        elif name == "key":
            self.keys = dict.fromkeys(self.keys, KeySignature(int(value)))
            self.phase = Phase.KEY
        elif name == "len":
            self._length = _LENGTHS[token_id]
            if self.number == 0:
                self.pickup = self._length
        return True

    # Parts and voices

    def _part_names(self) -> Mask:
        if self.scope.n_parts == 1:
            return NOTHING
        written = {voice[0] for voice in self._written} | ({self.voice.id[0]} if self.voice else set())
        return _several(frozenset(TOKEN_IDS[f"part:{part}"] for part in self.scope.parts if part not in written))

    def _voice_names(self) -> Mask:
        """Voices that may be named: after the one in progress, in ascending order."""
        return _voices_after(self.voice.id[1:] if self.voice else (1, 1), self.scope.voices)

    def _may_be_implied(self) -> bool:
        """Whether voice 1.1 may be written."""
        return self.scope.voices is None or (1, 1) in self.scope.voices

    def _implied_events(self) -> Mask:
        """What may begin voice 1.1 of the part named last, which needs no announcement."""
        if not self._may_be_implied():
            return NOTHING
        mask = self._implied_voice().place.legal(last_measure=self.last_measure).mask
        return mask & ~MEASURE_RESTS if self.number == 0 else mask

    def _barlines(self) -> Mask:
        if self.closing is not None:
            return _several(frozenset({self.closing}))
        place = self.voice.place if self.voice is not None else None
        legal = SECTION_END_IDS if self._early_end or (place and place.ends_early) else _BARLINES
        if place is not None and place.held:
            is_typed = place.last is None
            legal = legal - SECTION_END_IDS if is_typed or not self.last_measure else frozenset()
        if self.repeats is not None and not self.repeats.may_end():
            legal = legal - {v.BARLINE_IDS[":|"]}
        return _several(legal)

    def _implied_voice(self) -> _Voice:
        """Voice 1.1 of the part named last, where it begins; not changed."""
        if self._implied is None:
            self._implied = self._new_voice((self._part or 0, 1, 1))
        return self._implied

    def _new_voice(self, voice: VoiceId) -> _Voice:
        return _Voice(voice, start(self._frame(voice[0], self._length), self.ties.get(voice, ())))

    def _frame(self, part: int, length: Fraction | None) -> Frame:
        return Frame(self.keys[part], length, self.scope.allowed)

    def _start_voice(self, voice: VoiceId) -> _Voice:
        self.voice = self._new_voice(voice)
        self.phase = Phase.EVENT
        return self.voice

    def _end_voice(self) -> None:
        voice = self.voice
        if voice is None:
            return
        place = voice.place
        self._early_end = self._early_end or place.ends_early
        if voice.ids != (v.MEASURE_REST,):
            self._length = place.position
        self._written[voice.id] = voice.ids
        self._next_ties[voice.id] = place.held
        self.voice = None

    def _end_measure(self, token_id: int) -> None:
        self.history.append(self._written)
        self.ties = self._next_ties
        self._written = {}
        self._next_ties = {}
        self.closing = None
        if self.repeats is not None:
            self.repeats = self.repeats.after_barline(token_id)
        if token_id in SECTION_END_IDS:
            self.number = -1
            self.pickup = Fraction(0)
        self.phase = Phase.MEASURE

    def _may_end_early(self, place: Place) -> bool:
        """Whether the measure makes a full one with the pickup of its section."""
        return (
            self.number > 0
            and bool(self.pickup)
            and not self._written
            and place.remaining == self.pickup
            and self.full is not None
            and place.frame.target == self.full
            and (self.closing is None or self.closing in SECTION_END_IDS)
        )

    def _inside(self, voice: _Voice) -> Legal:
        legal = voice.place.legal(last_measure=self.last_measure)
        if not self._is_full(voice.place):
            return legal
        mask = legal.mask | self._part_names() | self._voice_names()
        if self.scope.required <= {voice.id[0], *(name[0] for name in self._written)}:
            mask = mask | self._barlines()
        return legal_of(mask)
