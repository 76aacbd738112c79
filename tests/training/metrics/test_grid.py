"""Steps of a measure: what begins, what is held, what is silent."""

from fractions import Fraction

import pytest

from notation.language import language
from training.metrics.grid import HELD, SILENT, STEPS, grid, hits


def steps(music, metre="4/4"):
    measure = language("abc").parse(f"X:1\nM:{metre}\nL:1/4\nK:C\n{music}\n").scores[0].parts[0].measures[0]
    found = grid(measure.voices[0].events, Fraction(metre))
    return [token if token in (HELD, SILENT) else f"{token.step}{token.octave}" for token in found]


@pytest.mark.parametrize(
    ("music", "metre", "expected"),
    [
        pytest.param("C2 z2|", "4/4", ["C4", *[HELD] * 11, *[SILENT] * 12], id="a note is held, a rest is silent"),
        pytest.param("CDEF|", "4/4", [x for n in ("C4", "D4", "E4", "F4") for x in (n, *[HELD] * 5)], id="quarters"),
        pytest.param("C3/2D3/2|", "3/4", ["C4", *[HELD] * 11, "D4", *[HELD] * 11], id="24 steps in every metre"),
        pytest.param("{d}[CE]4|", "4/4", ["E4", *[HELD] * 23], id="of a chord the highest, grace notes left out"),
        pytest.param(
            "C/16D/16E7/8z3|", "4/4", ["C4", *[HELD] * 5, *[SILENT] * 18], id="of several in one step the first"
        ),
    ],
)
def test_a_measure(music, metre, expected):
    assert steps(music, metre) == expected


def test_a_held_step_is_right_whichever_note_is_held():
    assert hits(steps("C4|"), steps("D4|")) == STEPS - 1
