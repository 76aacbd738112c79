"""The rules predict what their descriptions say. A measure is a letter here."""

import pytest

from training.metrics.baselines import SuffixMatch, measure_back


@pytest.mark.parametrize(
    ("distance", "history", "expected"),
    [(1, "abcde", "e"), (4, "abcde", "b"), (8, "abcde", "a"), (4, "abcd", "a")],
)
def test_a_fixed_number_of_measures_back(distance, history, expected):
    assert measure_back(distance)(history) == expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param("abcxyabc", "x", id="the longest match in the piece"),
        pytest.param("bqabrab", "r", id="longer wins over later and earlier"),
        pytest.param("aqara", "q", id="the earliest of equals"),
        pytest.param("aa", "a", id="a measure that repeats itself"),
        pytest.param("xyzk", "m", id="else the commonest in the training pieces"),
        pytest.param("xyjk", "n", id="a longer match there wins over a commoner"),
        pytest.param("stuvwxyz", "s", id="else eight back"),
    ],
)
def test_the_suffix_rule(history, expected):
    assert SuffixMatch(["jkn", "akm", "bkmq"])(history) == expected


def test_more_may_be_asked_of_a_training_piece():
    rule = SuffixMatch(["jkn", "akm", "bkm"], least=2, fallback=4)
    assert rule("xyjk") == "n"
    assert rule("uvxyzk") == "x"


def test_the_end_of_a_training_piece_predicts_nothing():
    assert SuffixMatch(["ab"])("qwertyuib") == "w"
