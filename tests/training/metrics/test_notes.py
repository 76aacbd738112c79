"""What counts as the same note."""

import pytest

from notation.language import language
from notation.tokens.encode import encode_score
from training.metrics.notes import f1, notes_of


def voices(music, key="C"):
    score = language("abc").parse(f"X:1\nM:4/4\nL:1/4\nK:{key}\n{music}\n").scores[0]
    return {(each.staff, each.number): each.ids for each in encode_score(score).measures[0].segments}


@pytest.mark.parametrize(
    ("predicted", "truth", "with_durations", "without"),
    [
        pytest.param("CDEF|", "CDEF|", 1.0, 1.0, id="the same"),
        pytest.param("GABc|", "CDEF|", 0.0, 0.0, id="nothing right"),
        pytest.param("CDEG|", "CDEF|", 0.75, 0.75, id="one of four wrong"),
        pytest.param("C2E2|", "CDEF|", 0.0, 2 * 2 / 6, id="onsets right, durations wrong"),
        pytest.param("C^DFG|", "C_EFG|", 0.75, 0.75, id="spelled otherwise"),
        pytest.param("[CE][DF]EF|", "CDEF|", 0.8, 0.8, id="chords where there are none"),
        pytest.param("{d}CDEF|", "CDEF|", 1.0, 1.0, id="a grace note"),
        pytest.param("z4|", "z4|", 1.0, 1.0, id="silence"),
        pytest.param("z4|", "CDEF|", 0.0, 0.0, id="silence for music"),
    ],
)
def test_f1(predicted, truth, with_durations, without):
    for durations, expected in ((True, with_durations), (False, without)):
        bags = [notes_of(voices(music), durations=durations) for music in (predicted, truth)]
        assert f1(*bags) == pytest.approx(expected)
        assert f1(*bags) == f1(*reversed(bags))


def test_a_transposed_measure_is_the_same_measure():
    assert notes_of(voices("DEFG|", "D")) == notes_of(voices("CDEF|", "C"))


def test_voices_add_up():
    assert notes_of(voices("CDEF & E4|")).total() == 5


def test_no_voice_at_all_is_silence():
    assert not notes_of({})
