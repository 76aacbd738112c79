"""How much of a passage was filled in right, step by step?

A measure is cut into 24 steps. At each there is one token: the pitch of the note that begins in it, that the note
before is held, or that nothing sounds. Accuracy is the share of steps with the right token: how Music SketchNet reports
the filling of gaps in folk tunes (Chen, Wang, Berg-Kirkpatrick and Dubnov 2020, ISMIR). A held step is right wherever a
note is held, whichever it is. Of chords the highest note counts, of two notes that begin in one step the first.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from fractions import Fraction

from notation.score import Event

STEPS = 24
HELD = "held"
SILENT = "silent"


def grid(events: Sequence[Event], length: Fraction) -> list[Hashable]:
    """The tokens of one voice in a measure, `STEPS` of them.

    Args:
        events: in order of onset; grace notes are left out.
        length: of the measure, in whole notes.
    """
    steps: list[Hashable] = [SILENT] * STEPS
    for event in events:
        if event.grace or not event.notes:
            continue
        first, last = math.floor(event.onset * STEPS / length), math.ceil(event.end * STEPS / length)
        for step in range(first, min(STEPS, last)):
            if step > first:
                steps[step] = HELD
            elif steps[step] in (SILENT, HELD):
                steps[step] = event.notes[-1].pitch
    return steps


def hits(predicted: Sequence[Hashable], truth: Sequence[Hashable]) -> int:
    """How many steps are right."""
    return sum(one == other for one, other in zip(predicted, truth, strict=True))
