"""A tuple whose items are moved when they are looked at is, to everyone who looks, a tuple of moved items."""

from __future__ import annotations

import operator
from collections.abc import Callable
from copy import deepcopy
from threading import Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notation import moving
from notation.abc import LANGUAGE
from notation.moving import moved_all, moved_measure, moved_score, moved_span, origin, spliced, unmoved
from notation.score import Measure, Part, Score
from notation.source import Span

ITEMS = tuple(Span(10 * number, 10 * number + 5) for number in range(6))


def moved(by: int = 100) -> tuple[Span, ...]:
    """The items, the last four moved, when somebody looks."""
    return spliced(ITEMS, 2, 2, (), by, moved_span)


EXPECTED = (*ITEMS[:2], *(moved_span(one, 100) for one in ITEMS[2:]))


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(lambda one: one, id="itself"),
        pytest.param(list, id="list"),
        pytest.param(len, id="len"),
        pytest.param(repr, id="repr"),
        pytest.param(hash, id="hash"),
        pytest.param(deepcopy, id="deepcopy"),
        pytest.param(lambda one: one[3], id="an item"),
        pytest.param(lambda one: one[-1], id="the last item"),
        pytest.param(lambda one: one[1:4], id="a slice"),
        pytest.param(lambda one: one[4:1], id="an empty slice"),
        pytest.param(lambda one: one[::-2], id="a slice with steps"),
        pytest.param(lambda one: one[1:][2:][0], id="a slice of a slice"),
        pytest.param(lambda one: list(reversed(one)), id="reversed"),
        pytest.param(lambda one: one + ITEMS, id="added to"),
        pytest.param(lambda one: ITEMS + one, id="added"),
        pytest.param(lambda one: (*one, *one), id="unpacked"),
        pytest.param(lambda one: one * 2, id="times"),
        pytest.param(lambda one: 2 * one, id="times it"),
        pytest.param(lambda one: EXPECTED[3] in one, id="in"),
        pytest.param(lambda one: ITEMS[3] in one, id="not in"),
        pytest.param(lambda one: one.index(EXPECTED[4]), id="index"),
        pytest.param(lambda one: one.count(EXPECTED[4]), id="count"),
        pytest.param(lambda one: one == EXPECTED, id="equal"),
        pytest.param(lambda one: operator.eq(EXPECTED, one), id="equal the other way round"),
        pytest.param(lambda one: one != ITEMS, id="unequal"),
        pytest.param(lambda one: dict(zip(range(9), one, strict=False)), id="zip"),
    ],
)
def test_it_is_a_tuple(look: Callable[[tuple[Span, ...]], object]) -> None:
    assert look(moved()) == look(EXPECTED)


@pytest.mark.parametrize("index", [6, -7])
def test_there_is_nothing_beyond_it(index: int) -> None:
    with pytest.raises(IndexError):
        moved()[index]


def test_order_is_that_of_tuples() -> None:
    numbers = spliced((1, 2, 3), 1, 1, (), 10, int.__add__)
    assert (1, 12) < numbers < (1, 12, 14)
    assert (1, 12) <= numbers <= (1, 12, 13)
    assert numbers > (1, 2, 3)
    assert numbers >= (1, 12, 13)


def test_an_item_is_moved_once_and_only_if_it_is_looked_at() -> None:
    looked_at: list[int] = []

    def move(item: int, by: int) -> int:
        looked_at.append(item)
        return item + by

    numbers = spliced(tuple(range(1000, 2000)), 10, 20, [7], 5, move)
    assert looked_at == []
    assert [numbers[9], numbers[10], numbers[11], numbers[11]] == [1009, 7, 1025, 1025]
    assert looked_at == [1020]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.integers(0, 3), st.integers(-4, 4)), max_size=12),
    st.integers(1, 64),
)
def test_splices_add_up(splices: list[tuple[int, int, int, int]], max_steps: int) -> None:
    plain = tuple(range(0, 2000, 100))
    held = plain
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving, "_MAX_STEPS", max_steps)
        for first, n_lost, n_new, by in splices:
            first = min(first, len(plain))
            last = min(first + n_lost, len(plain))
            new = tuple(range(n_new))
            plain = (*plain[:first], *new, *(one + by for one in plain[last:]))
            held = spliced(held, first, last, new, by, int.__add__)
            if first % 2:
                assert held[first // 2 :] == plain[first // 2 :]
    assert held == plain


def test_measures_keep_their_origin() -> None:
    measures = tuple(Measure(span=one) for one in ITEMS)
    later = moved_all(moved_all(measures, 7, moved_measure), 5, moved_measure)
    assert all(one is other for one, other in zip(unmoved(later), measures, strict=True))
    assert [origin(one) for one in later] == list(measures)
    assert [one.span for one in later] == [moved_span(one, 12) for one in ITEMS]


class LockedOnce:
    """A lock for one thread, which says when it would wait for itself."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        assert self._lock.acquire(blocking=False), "the thread would wait for itself"

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_LOCK", LockedOnce())


@pytest.mark.parametrize("distances", [(7, 5), (7, -7), (1, 2, 3)])
@pytest.mark.usefixtures("_no_waiting")
def test_what_was_moved_before_it_was_looked_at_is_moved_again(distances: tuple[int, ...]) -> None:
    score = Score((Part("P1", measures=tuple(Measure(span=one) for one in ITEMS)),), span=Span(0, 60))
    measure = score.parts[0].measures[2]
    for by in distances:
        score, measure = moved_score(score, by), moved_measure(measure, by)
    assert score.span == moved_span(Span(0, 60), sum(distances))
    assert [one.span for one in score.parts[0].measures] == [moved_span(one, sum(distances)) for one in ITEMS]
    assert measure.span == moved_span(ITEMS[2], sum(distances))
    assert measure.voices == ()


@pytest.mark.usefixtures("_no_waiting")
def test_a_book_may_be_edited_in_more_places_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_MAX_STEPS", 2)
    tunes = [f"X:{number}\nK:C\nGABc|\nCDEF|\n" for number in range(12)]
    LANGUAGE.parse("\n".join(tunes))
    for number in range(9, 1, -1):
        tunes[number] = tunes[number].replace("F|", "FF|")
        document = LANGUAGE.parse("\n".join(tunes))
    start = "\n".join(tunes).rindex("GABc")
    assert document.scores[-1].parts[0].measures[0].voices[0].events[0].span == Span(start, start + 1)
