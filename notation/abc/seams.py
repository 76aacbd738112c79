"""Where can the reading of a tune be taken up again?

A seam is the beginning of a line of music at which nothing is half said: no open tie, tuplet, slur or overlay, and all
measures before it closed or at least over. What stands before a seam never changes by what comes after it, but for the
barline of the last measure, which signs at the start of the next line may add to. So a tune can be read from a seam on
knowing only what is in force there; if it turns out that more is needed, `SealedError` says so.

Two readings that meet at a seam with the same `state` go on alike, which is how an edit is read without what follows it
(`notation.abc.reading`).

Offsets count code points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from notation.abc.drafts import VoiceSeam
from notation.abc.fields import Properties
from notation.makers import maker
from notation.score import KeySignature, TimeSignature


@dataclass(frozen=True, slots=True)
class Opening:
    """What the header of a tune says for all of its body; see `TuneParser`."""

    title: str
    composer: str
    rhythm: str
    fields: tuple[tuple[str, str], ...]
    key: KeySignature
    time: TimeSignature
    unit: Fraction | None
    properties: Properties
    has_key: bool
    is_in_order: bool


@dataclass(frozen=True, slots=True)
class State:
    """What is in force at a seam.

    Attributes:
        voices: of all voices in their order.
        voice: the id of the voice that is written.
        declared, symbols, macros, propagates: as in `TuneParser`.
    """

    voices: tuple[VoiceSeam, ...]
    voice: str
    declared: Mapping[str, Properties]
    symbols: Mapping[str, str]
    macros: tuple[tuple[str, str], ...]
    propagates: str


@dataclass(frozen=True, slots=True)
class Seam:
    """A place at which the reading of a tune can be taken up.

    Attributes:
        place: where the line begins.
        state: what is in force.
    """

    place: int
    state: State


make_state = maker(State)
make_seam = maker(Seam)


def moved_seam(seam: Seam, by: int) -> Seam:
    """The same seam, `by` characters further on."""
    return make_seam(seam.place + by, seam.state)
