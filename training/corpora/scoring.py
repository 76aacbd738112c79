"""What genre is a score, going by the instruments that it is for?

For collections that hold everything from organ preludes to masses with orchestra. Rules, not statistics: the same
instruments always give the same genre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from notation.score import Score

VOICES = frozenset({"voice", "soprano", "alto", "tenor", "bass-voice"})
_KEYBOARDS = frozenset({"piano", "harpsichord"})
_ACCOMPANISTS = _KEYBOARDS | {"guitar", "harp"}
_STRINGS = frozenset({"violin", "viola", "cello", "double-bass"})
_ENSEMBLE_PARTS = 5
"""From this number of instruments upward, keyboards not counted, it is an orchestra."""


def genre_of(instruments: Sequence[str]) -> str:
    """The genre of a score for some instruments (the words of `Part.instrument`); `other` if no rule fits."""
    players = set(instruments)
    n_voices = sum(word in VOICES for word in instruments)
    n_players = sum(word not in VOICES and word not in _KEYBOARDS and word != "organ" for word in instruments)
    if not players or "" in players:
        return "other"
    if players <= _KEYBOARDS:
        return "keyboard"
    if players == {"organ"}:
        return "organ"
    if n_players >= _ENSEMBLE_PARTS:
        return "orchestra"
    if players <= _STRINGS:
        return "quartet" if len(instruments) in (3, 4) else "other"
    if n_voices in (1, 2) and players - VOICES and players - VOICES <= _ACCOMPANISTS:
        return "lied"
    if n_voices >= 2:
        return "choral"
    return "other"


def with_pianos(score: Score) -> Score:
    """The score with every part on several staves that has no instrument given to the piano."""
    parts = tuple(
        replace(part, instrument="piano") if part.staves > 1 and not part.instrument else part for part in score.parts
    )
    return replace(score, parts=parts)


def genre_of_score(score: Score) -> str:
    """The genre of any score: `lead` if one part has chord symbols, `folk` for a bare melody, else by instruments."""
    if len(score.parts) == 1 and score.parts[0].staves == 1:
        melody = score.parts[0]
        chords = any(e.chord_symbol for m in melody.measures for v in m.voices for e in v.events)
        return "lead" if chords else "folk"
    return genre_of([part.instrument for part in score.parts])
