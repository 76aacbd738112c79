"""What may come next inside one voice of one measure?

A `Place` is a point in a voice: what is filled, the duration in force, the tuplet, the note that a chord may grow on,
the ties that must land. It never changes; a token leads from one place to another, so that a voice is a finite
automaton. Places are made when they are first met and kept, and each keeps what is legal there and where its tokens
lead: what has been met before costs a dictionary look-up.

Units: durations are Fractions of a whole note; masks are boolean arrays of shape (V,), read-only. Pure, but for what is
kept; that never shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from notation.score import STEPS, KeySignature
from notation.tokens import rhythm
from notation.tokens import vocabulary as v
from notation.tokens.encode import tonic_position

Mask = NDArray[np.bool_]
Sounding = tuple[int, int]
"""A pitch as (diatonic position, alter), comparable: low before high."""

_Segment = tuple[tuple[int, ...], bool]
"""Tokens, and whether no measure follows theirs."""

UNLIMITED = 1000
"""Notes in a chord, where nothing limits them."""
MAX_PLACES = 10_000
"""Places that are kept, of about a kilobyte each; then all are forgotten."""
MAX_SEGMENTS = 256
"""Segments of which a place keeps where they lead."""
_FREE = Fraction(8)
"""What is taken to remain in free metre."""


class Forced(NamedTuple):
    """What half-typed text decides about the next event; None where it decides nothing."""

    duration: v.Duration | None = None
    alter: int | None = None
    is_note: bool = False

    @property
    def is_pitched(self) -> bool:
        """Whether it must be a note."""
        return self.is_note or self.alter is not None


class Legal(NamedTuple):
    """The tokens that may come next, as a mask of shape (V,) and as ids in ascending order; both read-only."""

    mask: Mask
    ids: NDArray[np.intp]


class Allowed(NamedTuple):
    """What may be written in a piece.

    Attributes:
        symbols: whether chord symbols may be written.
        graces: whether grace notes may be written; chords of them never are where `max_chord` is limited.
        max_chord: how many notes a chord may have.
        plain_lengths: whether every note must be writable as one notehead with dots (no 5/8).
    """

    symbols: bool = True
    graces: bool = True
    max_chord: int = UNLIMITED
    plain_lengths: bool = False


EVERYTHING = Allowed()


class Frame(NamedTuple):
    """What stays as it is through a voice of a measure.

    Attributes:
        key: the signature.
        target: what the voice must last; None in free metre.
        allowed: what may be written.
    """

    key: KeySignature
    target: Fraction | None
    allowed: Allowed = EVERYTHING


def mask_of(ids: Iterable[int]) -> Mask:
    """The mask of some tokens."""
    mask = np.zeros(len(v.TOKENS), dtype=np.bool_)
    mask[list(ids)] = True
    mask.setflags(write=False)
    return mask


def legal_of(mask: Mask) -> Legal:
    """A mask with its ids; equal masks give the same object, as long as it is remembered."""
    return _legal(mask.tobytes())


@lru_cache(maxsize=4096)
def _legal(mask: bytes) -> Legal:
    found = np.frombuffer(mask, np.bool_)
    ids = np.flatnonzero(found)
    ids.setflags(write=False)
    return Legal(found, ids)


def family_ids(name: str) -> list[int]:
    """The tokens of a family."""
    return [token_id for token_id, token in enumerate(v.TOKENS) if v.family(token) == name]


NOTHING = mask_of(())
_TIE = mask_of([v.TIE])
_PLAIN_LENGTHS = mask_of(
    token_id
    for token_id, token in enumerate(v.TOKENS)
    if token_id not in v.DURATION_OF
    or v.DURATION_OF[token_id][1] is not None
    or v.DURATION_OF[token_id][0].numerator in (1, 2, 3, 4, 7)
)
_NO_TUPLETS = mask_of(token_id for token_id, (_, ratio) in v.DURATION_OF.items() if ratio is None)
_GRACE = mask_of([v.GRACE])
_RESTS = mask_of([v.REST, v.HIDDEN_REST])
MEASURE_RESTS = mask_of([v.MEASURE_REST])
_ROOTS, _CHORD_KINDS, _BASSES = (mask_of(family_ids(name)) for name in ("h", "k", "b"))
_SYMBOLS = frozenset(family_ids("h"))
_KINDS = frozenset(family_ids("k"))


@lru_cache(maxsize=256)
def _pitches(key: KeySignature) -> tuple[dict[int, Sounding], Mask]:
    """Of every `n:` token what it sounds under a signature, and the mask of those that can be spelled."""
    tonic = tonic_position(key.fifths)
    sounding = {
        token_id: (step + tonic, alter + key.alter_of(STEPS[(step + tonic) % 7]))
        for (step, alter), token_id in v.NOTE_IDS.items()
    }
    return sounding, mask_of(token_id for token_id, (_, alter) in sounding.items() if abs(alter) <= 2)


@lru_cache(maxsize=65536)
def _rhythm_masks(group: rhythm.OpenTuplet | None, current: v.Duration, remaining: Fraction) -> tuple[Mask, bool]:
    """The durations that may be set, and whether an event of the current one may begin."""
    durations = mask_of(
        token_id
        for duration, token_id in v.DURATION_IDS.items()
        if duration != current and rhythm.can_follow(group, duration, remaining)
    )
    return durations, rhythm.can_follow(group, current, remaining)


@lru_cache(maxsize=65536)
def _chord_notes(key: KeySignature, last: Sounding, limit: Sounding | None) -> Mask:
    """Further notes of a chord: above the last one, and not past a pitch that a tie must land on."""
    highest = tonic_position(key.fifths) + v.HIGHEST_STEP
    legal = []
    for (step, against), token_id in v.UP_IDS.items():
        place = last[0] + step
        alter = against + key.alter_of(STEPS[place % 7])
        above = last < (place, alter) and (limit is None or (place, alter) <= limit)
        if above and abs(alter) <= 2 and place <= highest:
            legal.append(token_id)
    return mask_of(legal)


@lru_cache(maxsize=4096)
def _first_notes(key: KeySignature, alter: int | None, highest: Sounding | None) -> Mask:
    """Notes that an event may begin with: of one alter only, or not above a pitch that a tie must land on."""
    sounding, spelled = _pitches(key)
    return spelled & mask_of(
        token_id
        for token_id, pitch in sounding.items()
        if (alter is None or pitch[1] == alter) and (highest is None or pitch <= highest)
    )


@dataclass(frozen=True)
class Place:
    """A point in a voice.

    Attributes:
        frame: what stays as it is.
        position: how much is filled.
        current: the duration in force.
        group: the tuplet in progress.
        landing: tied pitches that the next event must hold, low to high.
        forced: what is decided about the next events.
        fresh: whether nothing of the voice is written.
        held: tied pitches of the event in progress.
        last: its last note; None if no note is in progress.
        last_tied: whether that is tied.
        chord_size: how many notes it has.
        in_grace: whether it is a grace note.
        previous: the last token; -1 if there is none.
        has_symbol: whether the event to come has a chord symbol.
    """

    frame: Frame
    position: Fraction = Fraction(0)
    current: v.Duration = v.DEFAULT_DURATION
    group: rhythm.OpenTuplet | None = None
    landing: tuple[Sounding, ...] = ()
    forced: tuple[Forced, ...] = ()
    fresh: bool = True
    held: tuple[Sounding, ...] = ()
    last: Sounding | None = None
    last_tied: bool = False
    chord_size: int = 0
    in_grace: bool = False
    previous: int = -1
    has_symbol: bool = False
    _following: dict[int, Place] = field(default_factory=dict, init=False, compare=False, repr=False)
    _ends: dict[_Segment, Place | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    # Asking

    @cached_property
    def remaining(self) -> Fraction:
        """What is left to fill."""
        target = self.frame.target
        return _FREE if target is None else target - self.position

    @cached_property
    def ends_early(self) -> bool:
        """Whether it stands before the end of its measure."""
        return self.frame.target is not None and self.position < self.frame.target

    @cached_property
    def is_settled(self) -> bool:
        """Whether nothing is begun that must go on."""
        previous = self.previous
        inside = previous == v.GRACE or previous in v.DURATION_OF or previous in _SYMBOLS or self.has_symbol
        return not (self.landing or self.group is not None or self.forced or inside)

    @cached_property
    def is_at_end(self) -> bool:
        """Whether the voice is full, as far as this place can tell."""
        target = self.frame.target
        return self.is_settled and (self.position > 0 if target is None else self.position == target)

    def legal(self, *, last_measure: bool) -> Legal:
        """The tokens of the voice that may come next; where no measure follows, its last event is not tied."""
        return self._legal_last if last_measure else self._legal

    def may_write(self, token_id: int, *, last_measure: bool) -> bool:
        """Whether a token may come next."""
        return bool(self.legal(last_measure=last_measure).mask[token_id])

    @cached_property
    def _legal(self) -> Legal:
        mask = self._events()
        if self.last is not None and self._may_grow():
            limit = self.landing[0] if self.landing and not self.in_grace else None
            mask = mask | _chord_notes(self.frame.key, self.last, limit)
        if self._in_note and not self.last_tied:
            mask = mask | _TIE
        return legal_of(mask)

    @cached_property
    def _legal_last(self) -> Legal:
        return self._legal if self.frame.target is None or self.ends_early else legal_of(self._legal.mask & ~_TIE)

    @property
    def _in_note(self) -> bool:
        """Whether the last event is a note that a chord may still grow on."""
        return self.last is not None and not self.in_grace

    def _may_grow(self) -> bool:
        """Whether the last note may become a chord, or the chord a larger one."""
        if self.frame.allowed.max_chord == UNLIMITED:
            return True
        return self._in_note and (bool(self.landing) or self.chord_size < self.frame.allowed.max_chord)

    def _events(self) -> Mask:
        """What may begin, or go on, an event."""
        if self._in_note and self.landing:
            return NOTHING
        if self.previous in _SYMBOLS:
            return _CHORD_KINDS
        if self.previous == v.GRACE:
            return _pitches(self.frame.key)[1]
        forced = self.forced[0] if self.forced else None
        durations, fits = self._durations(forced)
        mask = self._beginnings(forced, fits=fits)
        if self.previous not in v.DURATION_OF:
            mask = mask | durations | self._preliminaries(forced)
        return mask

    def _durations(self, forced: Forced | None) -> tuple[Mask, bool]:
        """The durations that may be set, and whether an event of the current one may begin."""
        durations, fits = _rhythm_masks(self.group, self.current, self.remaining)
        if forced is not None and forced.duration is not None:
            fits = self.current == forced.duration
            durations = NOTHING if fits else mask_of([v.DURATION_IDS[forced.duration]])
        elif forced is not None and forced.alter is not None and self.group is None:
            durations = durations & _NO_TUPLETS
            fits = fits and self.current[1] is None
        if self.frame.allowed.plain_lengths and self.group is None:
            durations = durations & _PLAIN_LENGTHS
        return durations, fits

    def _preliminaries(self, forced: Forced | None) -> Mask:
        """Chord symbols, grace notes and whole-measure rests, where they may come before a duration."""
        if self.remaining == 0 or (forced is not None and forced.is_pitched):
            return NOTHING
        mask = _GRACE if self.frame.allowed.graces else NOTHING
        if self.previous in _KINDS:
            return mask | _BASSES
        if self.frame.allowed.symbols and not self.has_symbol:
            mask = mask | _ROOTS
        if self.fresh and forced is None and not self.landing and self.frame.target is not None:
            mask = mask | MEASURE_RESTS
        return mask

    def _beginnings(self, forced: Forced | None, *, fits: bool) -> Mask:
        """Notes and rests of the duration in force."""
        if not fits:
            return NOTHING
        must_hold = self.held if self._in_note else self.landing
        highest = must_hold[0] if must_hold else None
        notes = _first_notes(self.frame.key, forced.alter if forced else None, highest)
        if must_hold or (forced is not None and forced.is_pitched):
            return notes
        return notes | _RESTS

    # Advancing

    def after(self, token_id: int) -> Place:
        """Where a token leads."""
        following = self._following.get(token_id)
        if following is None:
            following = kept(replace(self, **self._changes(token_id), previous=token_id, fresh=False))
            self._following[token_id] = following
        return following

    def after_all(self, ids: tuple[int, ...], *, last_measure: bool) -> Place | None:
        """Where a whole segment leads; None if it may not be written here."""
        ends, segment = self._ends, (ids, last_measure)
        if segment not in ends:
            if len(ends) >= MAX_SEGMENTS:
                ends.clear()
            ends[segment] = self._walk(ids, last_measure=last_measure)
        return ends[segment]

    def _walk(self, ids: tuple[int, ...], *, last_measure: bool) -> Place | None:
        place = self
        for token_id in ids:
            if not place.may_write(token_id, last_measure=last_measure):
                return None
            place = place.after(token_id)
        return place

    def _changes(self, token_id: int) -> dict[str, Any]:
        """What a token makes of the fields."""
        if token_id in v.NOTE_OF:
            return self._note(_pitches(self.frame.key)[0][token_id])
        if token_id in v.UP_OF:
            return self._chord_note(token_id)
        if token_id == v.TIE:
            return {"held": self.held if self.last is None else (*self.held, self.last), "last_tied": True}
        changes = self._left()
        if token_id in v.DURATION_OF:
            changes["current"] = v.DURATION_OF[token_id]
        elif token_id in (v.REST, v.HIDDEN_REST):
            changes |= {"held": (), **self._moved()}
        elif token_id == v.MEASURE_REST:
            changes |= {"held": (), "position": self.frame.target or self.position}
        elif token_id in _SYMBOLS:
            changes["has_symbol"] = True
        return changes

    def _left(self) -> dict[str, Any]:
        """The event in progress is over; what it ties must land on the next one."""
        changes: dict[str, Any] = {"last": None, "last_tied": False, "in_grace": False}
        if self._in_note:
            changes |= {"landing": self.held, "held": ()}
        return changes

    def _note(self, pitch: Sounding) -> dict[str, Any]:
        in_grace = self.previous == v.GRACE
        is_spelled = bool(self.forced) and self.forced[0].alter is not None  # what is typed belongs to one note
        chord_size = self.frame.allowed.max_chord if is_spelled else 1
        changes = {**self._left(), "last": pitch, "chord_size": chord_size, "in_grace": in_grace}
        if in_grace:
            return changes
        return {**changes, "landing": _landed(changes.get("landing", self.landing), pitch), **self._moved()}

    def _chord_note(self, token_id: int) -> dict[str, Any]:
        step, against = v.UP_OF[token_id]
        position = (self.last or (0, 0))[0] + step
        pitch = (position, against + self.frame.key.alter_of(STEPS[position % 7]))
        landing = self.landing if self.in_grace else _landed(self.landing, pitch)
        return {"last": pitch, "last_tied": False, "chord_size": self.chord_size + 1, "landing": landing}

    def _moved(self) -> dict[str, Any]:
        """The event that begins here fills its duration."""
        return {
            "position": self.position + self.current[0],
            "group": rhythm.after(self.group, self.current),
            "has_symbol": False,
            "forced": self.forced[1:],
        }


def _landed(landing: tuple[Sounding, ...], pitch: Sounding) -> tuple[Sounding, ...]:
    return landing[1:] if landing and landing[0] == pitch else landing


_PLACES: dict[Place, Place] = {}


def kept(place: Place) -> Place:
    """The place that is kept for this one: the same object each time."""
    found = _PLACES.get(place)
    if found is None:
        if len(_PLACES) >= MAX_PLACES:
            forget_places()
        found = _PLACES[place] = place
    return found


@lru_cache(maxsize=1024)
def start(frame: Frame, landing: tuple[Sounding, ...]) -> Place:
    """Where a voice begins; `landing` are the pitches tied into it."""
    return kept(Place(frame, landing=landing))


def forget_places() -> None:
    """Forget all places; those in use stay as they are."""
    for place in list(_PLACES):
        place._following.clear()
        place._ends.clear()
    _PLACES.clear()
    start.cache_clear()
