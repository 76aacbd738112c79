"""How much of a measure did a prediction get right?

A measure is compared as a bag of notes: (onset, diatonic steps from the tonic, alter), and where asked the duration
too. Steps and alter are a spelled pitch: G sharp is not A flat. Grace notes, rests and chord symbols do not count;
a note that is tied on is two notes if it is written as two.

F1 is the harmonic mean of precision and recall over the two bags: 1 where both are empty, 0 where only one is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping

from notation.score import KeySignature
from notation.tokens.decode import decode_segment

VoiceTokens = Mapping[tuple[int, int], tuple[int, ...]]
"""What a part plays in a measure: tokens by (staff, number)."""

Bag = Counter[tuple[Hashable, ...]]


def notes_of(voices: VoiceTokens, *, durations: bool = True) -> Bag:
    """The notes of one part in one measure.

    Args:
        voices: its tokens.
        durations: whether a note's duration is part of what it is.

    Raises:
        ValueError: a voice is no legal segment.
    """
    # Pitch is relative to the signature, so any signature will do for comparing.
    events = [event for ids in voices.values() for event in decode_segment(ids, KeySignature())]
    return Counter(
        (event.onset, note.pitch, event.duration) if durations else (event.onset, note.pitch)
        for event in events
        if not event.grace
        for note in event.notes
    )


def f1(predicted: Bag, truth: Bag) -> float:
    """The F1 of a prediction, 0 to 1."""
    size = predicted.total() + truth.total()
    return 2 * (predicted & truth).total() / size if size else 1.0
