"""Which accidentals, beams and tuplet brackets does music need on the page?

None of them is in a score: they follow from pitches, key, metre and durations.
Source: MusicXML 4.0, the elements accidental, beam and tuplet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from notation.musicxml import names
from notation.score import Event, KeySignature, Pitch, TimeSignature, Voice

Place = tuple[int, int]
"""The (staff, number) of a voice."""

_QUARTER = Fraction(1, 4)


def accidentals_needed(
    voices: Sequence[Voice], key: KeySignature, ties: Mapping[Place, frozenset[Pitch]], n_known: int = 0
) -> dict[Place, frozenset[tuple[int, int]]]:
    """The (event, note) indices, for each voice, of the notes that print an accidental.

    An accidental holds for its staff position to the end of the measure, in every voice of the staff. A note that
    continues a tie needs none. The first `n_known` voices are in the document already: they count, but are not
    returned.
    """
    order = sorted(
        (event.onset, not event.grace, rank, index)
        for rank, voice in enumerate(voices)
        for index, event in enumerate(voice.events)
    )
    held: dict[tuple[int, int], int] = {}
    tied = dict(ties)
    found: dict[Place, set[tuple[int, int]]] = {}
    for _, _, rank, index in order:
        voice = voices[rank]
        place = (voice.staff, voice.number)
        event = voice.events[index]
        for number, note in enumerate(event.notes):
            pitch = note.pitch
            spot = (voice.staff, pitch.position)
            continues = pitch in tied.get(place, ())
            needed = not continues and pitch.alter != held.get(spot, key.alter_of(pitch.step))
            if rank >= n_known and (needed or note.accidental):
                found.setdefault(place, set()).add((index, number))
            if not continues:
                held[spot] = pitch.alter
        if not event.grace:
            tied[place] = frozenset(note.pitch for note in event.notes if note.tie)
    return {place: frozenset(notes) for place, notes in found.items()}


def tuplet_ends(events: Sequence[Event]) -> list[tuple[bool, bool]]:
    """For each event, whether a tuplet bracket starts and stops on it.

    A bracket spans events of one ratio until they fill a whole number of notes of one type, and at least two.
    """
    ends = [(False, False)] * len(events)
    members: list[int] = []
    ratio: tuple[int, int] | None = None
    for index, event in enumerate(events):
        if event.grace:
            continue
        if event.tuplet != ratio:
            _bracket(ends, members)
            members, ratio = [], event.tuplet
        if event.tuplet is not None:
            members.append(index)
            if open_tuplet([events[member] for member in members]) == 0:
                _bracket(ends, members)
                members = []
    _bracket(ends, members)
    return ends


def _bracket(ends: list[tuple[bool, bool]], members: Sequence[int]) -> None:
    if members:
        ends[members[0]] = (True, len(members) == 1)
        if len(members) > 1:
            ends[members[-1]] = (False, True)


def open_tuplet(events: Sequence[Event]) -> Fraction | None:
    """What is missing, as written, until events of one tuplet fill it; 0 if they do; None for no events.

    The tuplet is as many of the shortest note type among them as its ratio says, or a multiple of that by a power
    of two if they fill more.
    """
    if not events or events[0].tuplet is None:
        return None
    actual, normal = events[0].tuplet
    written = [event.duration * actual / normal for event in events]
    total = sum(written, Fraction(0))
    shortest = min(names.TYPES[kind[0]] if (kind := names.WRITTEN.get(one)) else one for one in written)
    if len(events) < 2 and total >= actual * shortest:
        shortest = total
    if shortest <= 0:
        return Fraction(0)
    full = actual * shortest
    while full < total:
        full *= 2
    return full - total


def beams(events: Sequence[Event], time: TimeSignature) -> list[tuple[str, ...]]:
    """The beams of each event, from the eighth's beam inwards: `begin`, `continue`, `end`, `forward hook`, ..."""
    levels = [_beam_levels(event) for event in events]
    found: list[tuple[str, ...]] = [()] * len(events)
    run: list[int] = []
    beat: Fraction | int = -1
    for index, event in enumerate(events):
        if event.grace:
            continue
        here = _beat(event.onset, time)
        if run and (not levels[index] or here != beat):
            _beam_run(run, levels, found)
            run = []
        if levels[index]:
            run.append(index)
            beat = here
    _beam_run(run, levels, found)
    return found


def _beam_run(run: Sequence[int], levels: Sequence[int], found: list[tuple[str, ...]]) -> None:
    if len(run) < 2:
        return
    for place, index in enumerate(run):
        left = levels[run[place - 1]] if place else 0
        right = levels[run[place + 1]] if place + 1 < len(run) else 0
        found[index] = tuple(_beam(level, left, right) for level in range(1, levels[index] + 1))


def _beam(level: int, left: int, right: int) -> str:
    if left >= level:
        return "continue" if right >= level else "end"
    if right >= level:
        return "begin"
    return "backward hook" if left else "forward hook"


def _beam_levels(event: Event) -> int:
    if not event.notes or event.grace:
        return 0
    actual, normal = event.tuplet or (1, 1)
    written = names.WRITTEN.get(event.duration * actual / normal)
    if written is None:
        return 0
    value = names.TYPES[written[0]]
    return max(0, value.denominator.bit_length() - 3) if value < _QUARTER else 0


def _beat(onset: Fraction, time: TimeSignature) -> Fraction | int:
    """Where the beat that an onset falls into begins (or, in a regular metre, its count)."""
    if len(time.beats) > 1:
        start = Fraction(0)
        for summand in time.beats:
            if onset < start + Fraction(summand, time.unit):
                return start
            start += Fraction(summand, time.unit)
        return start
    compound = bool(time.beats) and time.unit >= 8 and time.beats[0] % 3 == 0
    return onset // (Fraction(3, time.unit) if compound else max(_QUARTER, Fraction(1, time.unit)))
