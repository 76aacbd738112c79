"""A measure in longer or shorter notes: rhythmic augmentation and diminution.

All durations are multiplied by one factor, and the metre with them: a reel in 4/4 becomes the same reel in 4/2 or 4/8.
Pitches, ties, barlines and what repeats what stay as they are. What the vocabulary has no token for is refused, and so
is a tuplet that would no longer be complete where the grammar wants it to be.

Durations are Fractions of a whole note.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

from notation.tokens import rhythm, vocabulary
from notation.tokens.encode import EncodedMeasure
from notation.tokens.vocabulary import TOKEN_IDS, TOKENS
from training.dataset.tables import StoredMeasure

_FIRST_LENGTH = TOKEN_IDS["len:1"]
_TIMES = {TOKEN_IDS[f"time:{name}"]: name for name in vocabulary.METRES}
_SOUNDING = frozenset({*vocabulary.NOTE_OF, vocabulary.REST, vocabulary.HIDDEN_REST})
_UNBOUNDED = Fraction(10**6)


class UnscalableError(ValueError):
    """The vocabulary cannot say the measure in these lengths."""


def scale_measure(measure: StoredMeasure, factor: Fraction) -> StoredMeasure:
    """The measure with every duration, and its metre, times `factor`.

    Raises:
        UnscalableError: something in it has no token then.
    """
    encoded = measure.encoded
    scaled: EncodedMeasure = replace(
        encoded,
        head=tuple(_scale_sign(token, factor) for token in encoded.head),
        segments=tuple(replace(each, ids=_scale_segment(each.ids, factor)) for each in encoded.segments),
        metre_and_key=tuple(_scale_sign(token, factor) for token in encoded.metre_and_key),
    )
    return replace(measure, encoded=scaled)


@cache
def _scale_sign(token: int, factor: Fraction) -> int:
    """A metre or an irregular length, scaled; any other token as it is."""
    if _FIRST_LENGTH <= token < _FIRST_LENGTH + vocabulary.N_LENGTHS:
        return _known(f"len:{(token - _FIRST_LENGTH + 1) * factor}")
    if token in _TIMES and _TIMES[token] != "none":
        beats, _, unit = _TIMES[token].partition("/")
        return _known(f"time:{beats}/{Fraction(unit) / factor}")
    return token


@cache
def _scale_duration(token: int, factor: Fraction) -> int:
    length, ratio = vocabulary.DURATION_OF[token]
    return _known(vocabulary.duration_token(length * factor, ratio))


def _known(name: str) -> int:
    if name not in TOKEN_IDS:
        raise UnscalableError(f"there is no token {name}")
    return TOKEN_IDS[name]


def _scale_segment(ids: tuple[int, ...], factor: Fraction) -> tuple[int, ...]:
    """A voice of a measure, scaled; a duration is said where it changes, counted from the default, as ever."""
    scaled: list[int] = []
    default = vocabulary.DURATION_IDS[vocabulary.DEFAULT_DURATION]
    said = default  # what is in force in the scaled voice
    meant = _scale_duration(default, factor)
    group: rhythm.OpenTuplet | None = None
    for place, token in enumerate(ids):
        if token in vocabulary.DURATION_OF:
            meant = _scale_duration(token, factor)
            continue
        if token in _SOUNDING and (place == 0 or ids[place - 1] != vocabulary.GRACE):
            duration = vocabulary.DURATION_OF[meant]
            if not rhythm.can_follow(group, duration, _UNBOUNDED):
                raise UnscalableError(f"{TOKENS[meant]} cannot stand in the middle of a tuplet")
            group = rhythm.after(group, duration)
            if meant != said:
                scaled.append(meant)
                said = meant
        scaled.append(token)
    if group is not None:
        raise UnscalableError("a tuplet is not complete")
    return tuple(scaled)
