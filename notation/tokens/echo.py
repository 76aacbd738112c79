"""Has this been played before, and how did it go on?

Music goes on as it did the last time. A model that sees a window of the piece misses what lies before it, and a small
one does not look closely; looking up what came before costs next to nothing, and is mixed with the model's choices by
how often it is right (as a cache is mixed into a language model: Kuhn and De Mori, 1990, IEEE Transactions on Pattern
Analysis and Machine Intelligence 12(6)).

Where other parts have the measure already, what they play says most: the measure that stood beside the same music is an
*echo*. Where nothing stands beside it, every earlier measure is a possible *reprise*, the likelier the more of what
stands before the cursor stood before it too, note by note: the music need not begin with a barline to be the same.

Pure; a measure is what its voice's tokens say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

VoiceId = tuple[int, int, int]
"""(part, staff, number)."""
Column = Mapping[VoiceId, tuple[int, ...]]
"""The tokens of every voice in one measure."""

LONGEST = 4
"""More measures alike than this make nothing more certain."""
CERTAINTY_BESIDE = (0.46, 0.82, 0.87, 0.88, 0.94)
CERTAINTY_AGAINST = (0.03, 0.20, 0.32, 0.36, 0.47)
"""How often an echo is right, by how many measures before it are alike (0 to `LONGEST`): where the voices beside it
play as they did then, and where they do not. Counted on 30,000 measures of the validation split of the released model's
corpora."""
SHORTEST = 3
"""Segments of fewer tokens (rests, held notes) do not come again."""
MOST_REPRISES = 24


class Echo(NamedTuple):
    """An earlier measure that may come again beside what other voices play.

    Attributes:
        ids: what its voice plays.
        back: how many measures back it stands.
        certainty: how often such an echo is right, 0 to 1.
    """

    ids: tuple[int, ...]
    back: int
    certainty: float


class Reprise(NamedTuple):
    """An earlier measure that may come again in a voice beside which nothing is known.

    Attributes:
        ids: what the voice plays.
        back: how many measures back it stands; of several such measures the one with most alike before it.
        n_alike: how many tokens before it are those before the cursor, barlines counted, in at most `LONGEST` measures.
    """

    ids: tuple[int, ...]
    back: int
    n_alike: int


def find_reprises(history: Sequence[Column], voice: VoiceId) -> list[Reprise]:
    """Different earlier measures of a voice, those with most alike before them first, then the latest.

    Args:
        history: all measures so far, the last one last.
        voice: which voice goes on.
    """
    measures = [column.get(voice, ()) for column in history]
    found: dict[tuple[int, ...], Reprise] = {}
    for index in range(len(measures) - 1, -1, -1):
        ids = measures[index]
        if len(ids) < SHORTEST:
            continue
        n_alike = _tokens_alike(measures, index)
        known = found.get(ids)
        if known is None or n_alike > known.n_alike:
            found[ids] = Reprise(ids, len(measures) - index, n_alike)
    return sorted(found.values(), key=lambda one: (-one.n_alike, one.back))[:MOST_REPRISES]


def _tokens_alike(measures: Sequence[tuple[int, ...]], index: int) -> int:
    """How many tokens before a measure are those at the end of all, barlines counted, in at most `LONGEST` measures."""
    if not index or measures[index - 1][-1:] != measures[-1][-1:]:  # nearly always, so it is looked at first
        return 0
    n_alike = 0
    for back in range(1, min(LONGEST, index) + 1):
        then, now = measures[index - back], measures[-back]
        if then != now or not now:
            return n_alike + _common_end(then, now)
        n_alike += len(now) + 1
    return n_alike


def _common_end(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two measures have in common at their ends."""
    length = 0
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if one != other:
            break
        length += 1
    return length


def find_echo(history: Sequence[Column], voice: VoiceId, beside: Column) -> Echo | None:
    """The likeliest earlier measure of a voice to come next beside others; None if there is none.

    Args:
        history: all measures so far, the last one last.
        voice: which voice goes on.
        beside: what other voices play in the measure to be written.
    """
    best: tuple[tuple[bool, int], int] | None = None
    for index in range(len(history) - 1, 0, -1):
        if len(history[index].get(voice, ())) < SHORTEST:
            continue
        alike = all(history[index].get(other) == ids for other, ids in beside.items())
        rank = (alike, _measures_alike(history, index, voice))
        if best is None or rank > best[0]:
            best = (rank, index)
            if rank == (True, LONGEST):
                break
    if best is None:
        return None
    (alike, length), index = best
    table = CERTAINTY_BESIDE if alike else CERTAINTY_AGAINST
    return Echo(history[index][voice], len(history) - index, table[length])


def _measures_alike(history: Sequence[Column], index: int, voice: VoiceId) -> int:
    """How many measures before `index` the voice plays as in the last ones, up to `LONGEST`."""
    length = 0
    while length < min(LONGEST, index - 1):
        before = history[index - 1 - length].get(voice)
        if before is None or before != history[len(history) - 1 - length].get(voice):
            break
        length += 1
    return length
