"""Which tokens may come next.

A measure can only be left when every voice of it is exactly full; a tie lands on its own pitch; a tuplet is
completed; a reference is allowed only where the measure it names fits. `Grammar` follows a sequence measure by
measure, from the head of a measure or from the middle of a voice, and gives the mask of legal tokens at every step.

Everything that depends only on few values (what remains, the duration in force, the tuplet, the signature) is
computed once and cached as a read-only mask, so that a step costs a dictionary look-up.

Units: durations are Fractions of a whole note; masks are boolean arrays of shape (V,).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from notation.score import STEPS, KeySignature
from notation.tokens import rhythm
from notation.tokens import vocabulary as v
from notation.tokens.echo import Echo, VoiceId, find_echo
from notation.tokens.encode import MIN_REFERENCE, tonic_position
from notation.tokens.vocabulary import TOKEN_IDS

Mask = NDArray[np.bool_]
Sounding = tuple[int, int]
"""A pitch as (diatonic position, alter), comparable: low before high."""

_FREE = Fraction(8)
"""What is taken to remain in free metre."""


class Phase(Enum):
    """Where in a measure the sequence stands."""

    MEASURE = "a measure is about to begin"
    HEAD = "its number is written"
    KEY = "the signature has changed, the mode follows"
    PART = "a part is named, its voice may be"
    EVENT = "an event is about to begin, or may go on"


UNLIMITED = 1000
"""Notes in a chord, where nothing limits them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a sequence may write.

    Attributes:
        n_parts: parts of the score; parts are named only if there are several.
        parts: those that may be written, in any order, each once a measure.
        required: those without which no measure ends.
        voices: the (staff, number) that may be written in a part; None for any, in ascending order.
        heads: what a head may hold: families among `time`, `key`, `|:`, `ending`, `len`.
        pickups: the lengths an irregular measure may have, and then only at the start of a section; None for any.
        symbols: whether chord symbols may be written.
        graces: whether grace notes may be written; chords of them never are where `max_chord` is limited.
        max_chord: how many notes a chord may have.
        plain_lengths: whether every note must be writable as one notehead with dots (no 5/8).
    """

    n_parts: int
    parts: tuple[int, ...]
    required: frozenset[int] = frozenset()
    voices: tuple[tuple[int, int], ...] | None = None
    heads: frozenset[str] = frozenset({"time", "key", "|:", "ending", "len"})
    pickups: frozenset[Fraction] | None = None
    symbols: bool = True
    graces: bool = True
    max_chord: int = UNLIMITED
    plain_lengths: bool = False


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
        return Repeats(self.open, self.seen) if token_id in SECTION_END_IDS else replace(self, closed=False)

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


class Forced(NamedTuple):
    """What half-typed text decides about the next event; None where it decides nothing."""

    duration: v.Duration | None = None
    alter: int | None = None
    is_note: bool = False


def _mask(ids: Iterable[int]) -> Mask:
    mask = np.zeros(len(v.TOKENS), dtype=np.bool_)
    mask[list(ids)] = True
    mask.setflags(write=False)
    return mask


def _family(name: str) -> list[int]:
    return [token_id for token_id, token in enumerate(v.TOKENS) if v.family(token) == name]


_NOTHING = _mask(())
_TIE = _mask([v.TIE])
_REPEAT_START = _mask([v.REPEAT_START])
_REPEAT_HEADS = _mask([v.REPEAT_START, *_family("ending")])
_PLAIN_LENGTHS = _mask(
    token_id
    for token_id, token in enumerate(v.TOKENS)
    if token_id not in v.DURATION_OF
    or v.DURATION_OF[token_id][1] is not None
    or v.DURATION_OF[token_id][0].numerator in (1, 2, 3, 4, 7)
)
_NO_TUPLETS = _mask(token_id for token_id, (_, ratio) in v.DURATION_OF.items() if ratio is None)
_GRACE = _mask([v.GRACE])
_RESTS = _mask([v.REST, v.HIDDEN_REST])
_MEASURE_REST = _mask([v.MEASURE_REST])
_FAMILIES = {name: _mask(_family(name)) for name in ("time", "key", "mode", "ending", "len", "h", "k", "b")}
_LENGTHS = {token_id: int(v.TOKENS[token_id][4:]) * v.LENGTH_UNIT for token_id in _family("len")}
_PARTS = {token_id: int(v.TOKENS[token_id][5:]) for token_id in _family("part")}
_VOICES = {token_id: (int(v.TOKENS[token_id][6]), int(v.TOKENS[token_id][8])) for token_id in _family("voice")}
_SYMBOLS = set(_family("h"))
_KINDS = set(_family("k"))
_BARLINES = set(v.BARLINE_IDS.values())
SECTION_END_IDS = frozenset(v.BARLINE_IDS[name] for name in ("||", "|]", ":|"))
REFERENCE_IDS = {v.FIRST_REFERENCE + back - 1: back for back in range(1, v.N_REFERENCES + 1)}


@lru_cache(maxsize=256)
def _pitches(key: KeySignature) -> tuple[dict[int, Sounding], Mask]:
    """Of every `n:` token what it sounds under a signature, and the mask of those that can be spelled."""
    tonic = tonic_position(key.fifths)
    sounding = {
        token_id: (step + tonic, alter + key.alter_of(STEPS[(step + tonic) % 7]))
        for (step, alter), token_id in v.NOTE_IDS.items()
    }
    return sounding, _mask(token_id for token_id, (_, alter) in sounding.items() if abs(alter) <= 2)


@lru_cache(maxsize=65536)
def _rhythm_masks(group: rhythm.OpenTuplet | None, current: v.Duration, remaining: Fraction) -> tuple[Mask, bool]:
    """The durations that may be set, and whether an event of the current one may begin."""
    durations = _mask(
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
    return _mask(legal)


@lru_cache(maxsize=4096)
def _first_notes(key: KeySignature, alter: int | None, highest: Sounding | None) -> Mask:
    """Notes that an event may begin with: of one alter only, or not above a pitch that a tie must land on."""
    sounding, spelled = _pitches(key)
    return spelled & _mask(
        token_id
        for token_id, pitch in sounding.items()
        if (alter is None or pitch[1] == alter) and (highest is None or pitch <= highest)
    )


@dataclass
class _Voice:
    """A voice in progress. `landing`: tied pitches that the next event must hold; `held`: those of this event."""

    id: VoiceId
    key: KeySignature
    target: Fraction | None
    position: Fraction = Fraction(0)
    current: v.Duration = v.DEFAULT_DURATION
    group: rhythm.OpenTuplet | None = None
    landing: tuple[Sounding, ...] = ()
    held: tuple[Sounding, ...] = ()
    last: Sounding | None = None
    last_tied: bool = False
    chord_size: int = 0
    in_grace: bool = False
    previous: int = -1
    has_symbol: bool = False
    forced: tuple[Forced, ...] = ()
    ids: tuple[int, ...] = ()
    fresh: bool = True

    @property
    def remaining(self) -> Fraction:
        """What is left to fill."""
        return _FREE if self.target is None else self.target - self.position

    @property
    def in_note(self) -> bool:
        """Whether the last event is a note that a chord may still grow on."""
        return self.last is not None and not self.in_grace

    @property
    def must_hold(self) -> tuple[Sounding, ...]:
        """Tied pitches that the next event to begin must hold."""
        return self.held if self.in_note else self.landing

    @property
    def ends_early(self) -> bool:
        """Whether it stands before the end of its measure."""
        return self.target is not None and self.position < self.target


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

    phase: Phase = Phase.MEASURE
    voice: _Voice | None = None
    _length: Fraction | None = None
    _head: int = 0
    _part: int | None = None
    _written: dict[VoiceId, tuple[int, ...]] = field(default_factory=dict)
    _last_voice: VoiceId | None = None
    _next_ties: dict[VoiceId, tuple[Sounding, ...]] = field(default_factory=dict)
    _early_end: bool = False

    def copy(self) -> Grammar:
        """An independent copy; what never changes in place is shared."""
        twin = copy(self)
        twin.keys = dict(self.keys)
        twin.ties = dict(self.ties)
        twin.history = list(self.history)
        twin.voice = copy(self.voice) if self.voice else None
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
            landing: tied pitches that the next event must hold, low to high.
            forced: what is decided about the next events.
            written: segments of this measure that are complete, by voice.
            ids: what is already written of this voice.
        """
        self.number = number
        self._length = length
        self._written = dict(written or {})
        self._part = voice[0]
        self.phase = Phase.EVENT
        self.voice = _Voice(
            voice, self.keys[voice[0]], length, position, current, group, tuple(landing), forced=tuple(forced),
            ids=tuple(ids), fresh=position == 0 and not ids,
        )  # fmt: skip

    # Asking

    def legal(self) -> Mask:
        """The tokens that may come next, shape (V,); at least one always may."""
        if self.phase is Phase.MEASURE:
            return self._measure_numbers()
        if self.phase is Phase.KEY:
            return _FAMILIES["mode"]
        if self.phase is Phase.HEAD:
            return self._after_head()
        if self.phase is Phase.PART:
            return self._voice_names() | self._implied_events()
        if self.voice is None:
            raise ValueError("the grammar is inside no voice")
        return self._inside(self.voice)

    def is_full(self) -> bool:
        """Whether the voice in progress may end here."""
        voice = self.voice
        if voice is None or voice.landing or voice.group is not None or voice.forced or self._is_inside_event(voice):
            return False
        if voice.target is None:
            return voice.position > 0
        return voice.position == voice.target or self._may_end_early(voice)

    def fits(self, ids: Sequence[int]) -> bool:
        """Whether a whole segment may be written here, and fills its voice."""
        twin = self.copy()
        for token_id in ids:
            if not twin.legal()[token_id]:
                return False
            twin.advance(token_id)
        return twin.is_full()

    def references(self) -> dict[int, tuple[int, ...]]:
        """The references that are legal here, and what each stands for."""
        voice = self._fresh_voice()
        if voice is None:
            return {}
        fitting: dict[tuple[int, ...], bool] = {}
        found = {}
        for token_id, back in REFERENCE_IDS.items():
            ids = self.history[-back].get(voice.id, ()) if back <= len(self.history) else ()
            if len(ids) < MIN_REFERENCE:
                continue
            if ids not in fitting:
                fitting[ids] = self.fits(ids)
            if fitting[ids]:
                found[token_id] = ids
        return found

    def echo(self) -> Echo | None:
        """The earlier measure likeliest to come here again, if it fits."""
        voice = self._fresh_voice()
        echo = find_echo(self.history, voice.id, self._written) if voice else None
        return echo if echo and self.fits(echo.ids) else None

    def _fresh_voice(self) -> _Voice | None:
        """The voice that begins with the next token, if nothing is decided about it."""
        voice = self._implied_voice() if self.phase in (Phase.HEAD, Phase.PART) else self.voice
        return voice if voice is not None and voice.fresh and not voice.forced else None

    # Advancing

    def advance(self, token_id: int) -> None:
        """Take one legal token (never a reference: advance over what it stands for)."""
        if self.phase is Phase.MEASURE:
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
            if self.phase in (Phase.HEAD, Phase.PART):
                self._start_voice((self._part or 0, 1, 1))
            self._advance_voice(token_id)

    # Heads

    def _measure_numbers(self) -> Mask:
        if self.number < 0:
            return _mask(self._section_starts())
        following = self.number % (v.N_MEASURE_NUMBERS - 1) + 1
        return _mask([TOKEN_IDS[f"m:{following}"], *(self._section_starts() if "|:" in self.scope.heads else ())])

    def _section_starts(self) -> list[int]:
        pickup_allowed = "len" in self.scope.heads and self.scope.pickups != frozenset()
        return [TOKEN_IDS["m:1"], *([TOKEN_IDS["m:0"]] if pickup_allowed else [])]

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

    _HEAD_ORDER = ("time", "key", "|:", "ending", "len")

    def _after_head(self) -> Mask:
        mask = np.zeros(len(v.TOKENS), dtype=np.bool_)
        for place, name in enumerate(self._HEAD_ORDER):
            if place >= self._head and name in self.scope.heads:
                mask |= self._head_tokens(name)
        if self.number == 0 and self._head < len(self._HEAD_ORDER):
            return mask
        mask |= self._part_names()
        if self.repeats is not None:
            mask &= ~_REPEAT_HEADS | _mask(self.repeats.legal_heads())
        if self.scope.n_parts == 1:
            mask |= self._voice_names() | self._implied_events()
        if not self.scope.required:
            mask |= self._barlines()
        return mask

    def _head_tokens(self, name: str) -> Mask:
        if name == "|:":
            return _REPEAT_START
        if name == "len" and self.scope.pickups is not None:
            lengths = self.scope.pickups if self.number == 0 else ()
            return _mask(token_id for token_id, length in _LENGTHS.items() if length in lengths)
        return _FAMILIES[name]

    def _advance_head(self, token_id: int) -> bool:
        """Take a token of the head; False if the head is over."""
        name = v.family(v.TOKENS[token_id])
        if name not in self._HEAD_ORDER:
            return False
        if self.repeats is not None and name in ("|:", "ending"):
            ending = int(v.TOKENS[token_id][7:]) if name == "ending" else 0
            self.repeats = self.repeats.after_head(repeat_start=name == "|:", ending=ending)
        self._head = self._HEAD_ORDER.index(name) + 1
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
            return _NOTHING
        written = {voice[0] for voice in self._written} | ({self.voice.id[0]} if self.voice else set())
        return _mask(TOKEN_IDS[f"part:{part}"] for part in self.scope.parts if part not in written)

    def _voice_names(self) -> Mask:
        """Voices that may be named: after the one in progress, in ascending order."""
        last = self.voice.id[1:] if self.voice else (1, 1)
        return _mask(
            token_id
            for token_id, name in _VOICES.items()
            if name > last and (self.scope.voices is None or name in self.scope.voices)
        )

    def _implied_events(self) -> Mask:
        """What may begin voice 1.1 of the part named last, which needs no announcement."""
        if self.scope.voices is not None and (1, 1) not in self.scope.voices:
            return _NOTHING
        return self._events(self._new_voice((self._part or 0, 1, 1)))

    def _barlines(self) -> Mask:
        if self.closing is not None:
            return _mask([self.closing])
        early = self._early_end or (self.voice is not None and self.voice.ends_early)
        legal = {token_id for token_id in v.BARLINE_IDS.values() if not early or token_id in SECTION_END_IDS}
        if self.voice is not None and self.voice.held:
            legal = set() if self.last_measure else legal - SECTION_END_IDS
        if self.repeats is not None and not self.repeats.may_end():
            legal.discard(v.BARLINE_IDS[":|"])
        return _mask(legal)

    def _implied_voice(self) -> _Voice | None:
        """The voice that begins if an event comes next without being announced."""
        if self.phase is Phase.HEAD and self.scope.n_parts > 1:
            return None
        return self._new_voice((self._part or 0, 1, 1))

    def _new_voice(self, voice: VoiceId) -> _Voice:
        return _Voice(voice, self.keys[voice[0]], self._length, landing=self.ties.get(voice, ()))

    def _start_voice(self, voice: VoiceId) -> None:
        self.voice = self._new_voice(voice)
        self.phase = Phase.EVENT

    def _end_voice(self) -> None:
        voice = self.voice
        if voice is None:
            return
        self._early_end = self._early_end or voice.ends_early
        if voice.ids != (v.MEASURE_REST,):
            self._length = voice.position
        self._written[voice.id] = voice.ids
        self._next_ties[voice.id] = voice.held
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

    def _may_end_early(self, voice: _Voice) -> bool:
        """Whether the measure makes a full one with the pickup of its section."""
        return (
            self.number > 0
            and bool(self.pickup)
            and not self._written
            and self.full is not None
            and voice.target == self.full
            and voice.position == self.full - self.pickup
            and (self.closing is None or self.closing in SECTION_END_IDS)
        )

    # Events

    @staticmethod
    def _is_inside_event(voice: _Voice) -> bool:
        """Whether the last token asks for more: a duration, grace sign or chord symbol."""
        previous = voice.previous
        return previous == v.GRACE or previous in v.DURATION_OF or previous in _SYMBOLS or voice.has_symbol

    def _inside(self, voice: _Voice) -> Mask:
        mask = self._events(voice)
        if voice.last is not None and self._may_grow(voice):
            limit = voice.landing[0] if voice.landing and not voice.in_grace else None
            mask = mask | _chord_notes(voice.key, voice.last, limit)
        if voice.in_note and not voice.last_tied and self._may_tie(voice):
            mask = mask | _TIE
        if self.is_full():
            mask = mask | self._part_names() | self._voice_names()
            if self.scope.required <= {voice.id[0], *(name[0] for name in self._written)}:
                mask = mask | self._barlines()
        return mask

    def _may_grow(self, voice: _Voice) -> bool:
        """Whether the last note may become a chord, or the chord a larger one."""
        if self.scope.max_chord == UNLIMITED:
            return True
        return voice.in_note and (bool(voice.landing) or voice.chord_size < self.scope.max_chord)

    def _may_tie(self, voice: _Voice) -> bool:
        if voice.target is None or voice.position < voice.target:
            return True
        return not self.last_measure

    def _events(self, voice: _Voice) -> Mask:
        """What may begin, or go on, an event."""
        previous = voice.previous
        if voice.in_note and voice.landing:
            return _NOTHING
        if previous in _SYMBOLS:
            return _FAMILIES["k"]
        if previous == v.GRACE:
            return _pitches(voice.key)[1]
        forced = voice.forced[0] if voice.forced else None
        durations, fits = _rhythm_masks(voice.group, voice.current, voice.remaining)
        if forced is not None and forced.duration is not None:
            fits = voice.current == forced.duration
            durations = _NOTHING if fits else _mask([v.DURATION_IDS[forced.duration]])
        elif forced is not None and forced.alter is not None and voice.group is None:
            durations = durations & _NO_TUPLETS
            fits = fits and voice.current[1] is None
        if self.scope.plain_lengths and voice.group is None:
            durations = durations & _PLAIN_LENGTHS
        mask = self._beginnings(voice, forced, fits=fits)
        if previous not in v.DURATION_OF:
            mask = mask | durations | self._preliminaries(voice, forced)
        return mask

    def _preliminaries(self, voice: _Voice, forced: Forced | None) -> Mask:
        """Chord symbols, grace notes and whole-measure rests, where they may come before a duration."""
        if voice.remaining == 0 or (forced is not None and (forced.is_note or forced.alter is not None)):
            return _NOTHING
        mask = _GRACE if self.scope.graces else _NOTHING
        if voice.previous in _KINDS:
            return mask | _FAMILIES["b"]
        if self.scope.symbols and not voice.has_symbol:
            mask = mask | _FAMILIES["h"]
        if voice.fresh and not voice.landing and voice.target is not None:
            mask = mask | _MEASURE_REST
        return mask

    def _beginnings(self, voice: _Voice, forced: Forced | None, *, fits: bool) -> Mask:
        """Notes and rests of the duration in force."""
        if not fits:
            return _NOTHING
        must_hold = voice.must_hold
        notes = _first_notes(voice.key, forced.alter if forced else None, must_hold[0] if must_hold else None)
        if must_hold or (forced is not None and (forced.is_note or forced.alter is not None)):
            return notes
        return notes | _RESTS

    def _advance_voice(self, token_id: int) -> None:
        voice = self.voice
        if voice is None:
            raise ValueError(f"token '{v.TOKENS[token_id]}' is outside any voice")
        voice.ids += (token_id,)
        voice.fresh = False
        if token_id in v.NOTE_OF:
            self._begin_note(voice, _pitches(voice.key)[0][token_id])
        elif token_id in v.UP_OF:
            self._add_to_chord(voice, token_id)
        elif token_id == v.TIE:
            if voice.last is not None:
                voice.held += (voice.last,)
            voice.last_tied = True
        else:
            self._advance_other(voice, token_id)
        voice.previous = token_id

    def _advance_other(self, voice: _Voice, token_id: int) -> None:
        self._leave_note(voice)
        if token_id in v.DURATION_OF:
            voice.current = v.DURATION_OF[token_id]
        elif token_id in (v.REST, v.HIDDEN_REST):
            voice.held = ()
            self._move(voice)
        elif token_id == v.MEASURE_REST:
            voice.position = voice.target or voice.position
            voice.held = ()
        elif token_id in _SYMBOLS:
            voice.has_symbol = True

    @staticmethod
    def _leave_note(voice: _Voice) -> None:
        """The event in progress is over; what it ties must land on the next one."""
        if voice.last is not None and not voice.in_grace:
            voice.landing, voice.held = voice.held, ()
        voice.last = None
        voice.last_tied = False
        voice.in_grace = False

    def _begin_note(self, voice: _Voice, pitch: Sounding) -> None:
        grace = voice.previous == v.GRACE
        self._leave_note(voice)
        voice.last = pitch
        voice.chord_size = 1
        voice.in_grace = grace
        if grace:
            return
        self._land(voice, pitch)
        self._move(voice)

    def _add_to_chord(self, voice: _Voice, token_id: int) -> None:
        step, against = v.UP_OF[token_id]
        position = (voice.last or (0, 0))[0] + step
        voice.last = (position, against + voice.key.alter_of(STEPS[position % 7]))
        voice.last_tied = False
        voice.chord_size += 1
        if not voice.in_grace:
            self._land(voice, voice.last)

    @staticmethod
    def _land(voice: _Voice, pitch: Sounding) -> None:
        if voice.landing and voice.landing[0] == pitch:
            voice.landing = voice.landing[1:]

    @staticmethod
    def _move(voice: _Voice) -> None:
        """The event that begins here fills its duration."""
        voice.position += voice.current[0]
        voice.group = rhythm.after(voice.group, voice.current)
        voice.has_symbol = False
        voice.forced = voice.forced[1:]
