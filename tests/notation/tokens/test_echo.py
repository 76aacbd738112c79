"""Which earlier measure may come again."""

from __future__ import annotations

import pytest

from notation.tokens.echo import CERTAINTY_AGAINST, CERTAINTY_ALONE, CERTAINTY_BESIDE, Echo, find_echo

TUNE, BASS = (0, 1, 1), (1, 1, 1)


def columns(*measures: str) -> list[dict[tuple[int, int, int], tuple[int, ...]]]:
    """Measures as letters, a part each: `ab` is a measure in which the tune plays a, the bass b."""
    return [{(part, 1, 1): (ord(letter),) * 3 for part, letter in enumerate(measure)} for measure in measures]


def plays(letter: str) -> tuple[int, ...]:
    return (ord(letter),) * 3


@pytest.mark.parametrize(
    ("history", "echo"),
    [
        pytest.param("x", None, id="too little to look back on"),
        pytest.param("xabcab", Echo(plays("c"), 3, CERTAINTY_ALONE[2]), id="it goes on as the last time"),
        pytest.param("xabcdabeab", Echo(plays("e"), 3, CERTAINTY_ALONE[2]), id="the latest of equals"),
        pytest.param("xcdabecdfab", Echo(plays("e"), 6, CERTAINTY_ALONE[2]), id="the longer match, however far"),
        pytest.param("xabcd", Echo(plays("d"), 1, CERTAINTY_ALONE[0]), id="nothing alike: barely a guess"),
    ],
)
def test_a_tune_goes_on_as_it_did(history, echo):
    assert find_echo(columns(*history), TUNE, {}) == echo


def test_a_part_goes_on_as_it_did_beside_the_same_music():
    history = columns("xx", "am", "bn", "cm", "dq")
    beside = {BASS: plays("m")}
    assert find_echo(history, TUNE, beside) == Echo(plays("c"), 2, CERTAINTY_BESIDE[0])
    assert find_echo(history, TUNE, {BASS: plays("z")}) == Echo(plays("d"), 1, CERTAINTY_AGAINST[0])


def test_rests_are_no_echo():
    history = [{TUNE: (1,)}, {TUNE: (1,)}, {TUNE: (1,)}]
    assert find_echo(history, TUNE, {}) is None


def test_certainty_grows_with_what_is_alike():
    for table in (CERTAINTY_ALONE, CERTAINTY_BESIDE, CERTAINTY_AGAINST):
        assert list(table) == sorted(table)
        assert 0 < table[0] < table[-1] < 1
