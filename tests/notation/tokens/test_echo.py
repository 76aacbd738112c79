"""Which earlier measure may come again."""

from __future__ import annotations

import pytest

from notation.tokens.echo import (
    CERTAINTY_AGAINST,
    CERTAINTY_BESIDE,
    LONGEST,
    MOST_REPRISES,
    Echo,
    Reprise,
    find_echo,
    find_reprises,
)

TUNE, BASS = (0, 1, 1), (1, 1, 1)


def columns(*measures: str) -> list[dict[tuple[int, int, int], tuple[int, ...]]]:
    """Measures as letters, a part each: `ab` is a measure in which the tune plays a, the bass b."""
    return [{(part, 1, 1): (ord(letter),) * 3 for part, letter in enumerate(measure)} for measure in measures]


def plays(letter: str) -> tuple[int, ...]:
    return (ord(letter),) * 3


@pytest.mark.parametrize(
    ("history", "reprises"),
    [
        pytest.param("", [], id="nothing to look back on"),
        pytest.param("x", [("x", 1, 0)], id="one measure"),
        pytest.param("xabcab", [("c", 3, 8), ("b", 1, 0), ("a", 2, 0), ("x", 6, 0)], id="it goes on as the last time"),
        pytest.param("xabcdabeab", [("e", 3, 8), ("c", 7, 8)], id="of equals the latest first"),
        pytest.param("xcdabecdfab", [("e", 6, 8)], id="however far"),
        pytest.param("babcab", [("c", 3, 8), ("a", 5, 4), ("b", 1, 0)], id="one measure alike"),
        pytest.param("abcdexabcde", [("x", 6, 4 * LONGEST)], id="no more than counts"),
    ],
)
def test_a_tune_goes_on_as_it_did(history: str, reprises: list[tuple[str, int, int]]) -> None:
    found = find_reprises(columns(*history), TUNE)
    assert found[: len(reprises)] == [Reprise(plays(letter), back, alike) for letter, back, alike in reprises]
    assert len({one.ids for one in found}) == len(found) == len(set(history))


def test_part_of_a_measure_is_alike_too() -> None:
    history = [{TUNE: ids} for ids in ((9, 9, 9), (1, 2, 3), (4, 4, 4), (7, 7, 2, 3))]
    assert find_reprises(history, TUNE)[0] == Reprise((4, 4, 4), 2, 2)


def test_so_many_reprises_are_enough() -> None:
    history = [{TUNE: (number,) * 3} for number in range(2 * MOST_REPRISES)]
    assert [one.back for one in find_reprises(history, TUNE)] == list(range(1, MOST_REPRISES + 1))


def test_a_part_goes_on_as_it_did_beside_the_same_music():
    history = columns("xx", "am", "bn", "cm", "dq")
    beside = {BASS: plays("m")}
    assert find_echo(history, TUNE, beside) == Echo(plays("c"), 2, CERTAINTY_BESIDE[0])
    assert find_echo(history, TUNE, {BASS: plays("z")}) == Echo(plays("d"), 1, CERTAINTY_AGAINST[0])


def test_rests_are_no_echo():
    history = [{TUNE: (1,)}, {TUNE: (1,)}, {TUNE: (1,)}]
    assert find_echo(history, TUNE, {BASS: plays("z")}) is None
    assert find_reprises(history, TUNE) == []


def test_certainty_grows_with_what_is_alike():
    for table in (CERTAINTY_BESIDE, CERTAINTY_AGAINST):
        assert list(table) == sorted(table)
        assert 0 < table[0] < table[-1] < 1
