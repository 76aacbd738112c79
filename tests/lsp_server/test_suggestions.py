"""Typing through a suggestion costs nothing, and the same state gives the same suggestion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.completion import Suggestion
from lsp_server.suggestions import Asked, SuggestionCache

URI = "file:///tune.abc"


def asked(text: str, offset: int | None = None, measures: int = 1, temperature: float = 0.0) -> Asked:
    return Asked(text, len(text) if offset is None else offset, measures, temperature)


def suggestions(*texts: str, offset: int) -> list[Suggestion]:
    return [Suggestion(text, offset, 1, -1.0, "") for text in texts]


def texts(found: list[Suggestion] | None) -> list[str] | None:
    return None if found is None else [one.text for one in found]


@pytest.fixture
def cache() -> SuggestionCache:
    """A cache that was asked at `ab|` + `xy`, after the barline."""
    one = SuggestionCache()
    one.remember(URI, asked("ab|xy", 3), 3, suggestions("CDEF|", "CDAA|", "GGGG|", offset=3))
    return one


@pytest.mark.parametrize(
    ("text", "offset", "rest"),
    [
        pytest.param("ab|xy", 3, ["CDEF|", "CDAA|", "GGGG|"], id="the same state"),
        pytest.param("ab|Cxy", 4, ["DEF|", "DAA|"], id="the beginning of two is typed"),
        pytest.param("ab|CDExy", 6, ["F|"], id="more is typed"),
        pytest.param("ab|CDEF|xy", 8, None, id="all of it is typed"),
        pytest.param("ab|Bxy", 4, None, id="something else is typed"),
        pytest.param("ab|CDxy", 4, None, id="the cursor is not behind what is typed"),
        pytest.param("ab|CDx", 5, None, id="the text after the cursor changed"),
        pytest.param("aB|CDxy", 5, None, id="the text before the cursor changed"),
        pytest.param("ab|xy", 2, None, id="the cursor moved back"),
        pytest.param("ab|xy", 4, None, id="the cursor moved on"),
    ],
)
def test_what_is_typed_through(cache: SuggestionCache, text: str, offset: int, rest: list[str] | None) -> None:
    assert texts(cache.find(URI, asked(text, offset), 1)) == rest


def test_another_document_or_another_wish_is_not_answered(cache: SuggestionCache) -> None:
    assert cache.find("file:///other.abc", asked("ab|xy", 3), 1) is None
    assert cache.find(URI, asked("ab|xy", 3, measures=2), 1) is None
    assert cache.find(URI, asked("ab|xy", 3, temperature=0.5), 1) is None
    assert cache.find(URI, asked("ab|xy", 3), 4) is None


def test_a_rest_that_cannot_be_seen_is_none() -> None:
    cache = SuggestionCache()
    cache.remember(URI, asked("ab|"), 1, suggestions("CD|\n", offset=3))
    assert texts(cache.find(URI, asked("ab|CD"), 1)) == ["|\n"]
    assert cache.find(URI, asked("ab|CD|"), 1) is None


def test_several_candidates_are_not_made_of_a_rest(cache: SuggestionCache) -> None:
    assert cache.find(URI, asked("ab|Cxy", 4), 3) is None


def test_that_nothing_fits_is_remembered_too() -> None:
    cache = SuggestionCache()
    cache.remember(URI, asked("% note"), 1, [])
    assert cache.find(URI, asked("% note"), 1) == []


def test_what_was_shown_stays_first_when_more_is_asked_for() -> None:
    cache = SuggestionCache()
    cache.remember(URI, asked("ab|"), 1, suggestions("CDEF|", offset=3))
    more = cache.remember(URI, asked("ab|"), 3, suggestions("GGGG|", "CDEF|", "AAAA|", offset=3))
    assert texts(more) == ["CDEF|", "GGGG|", "AAAA|"]
    assert texts(cache.find(URI, asked("ab|"), 1)) == ["CDEF|", "GGGG|", "AAAA|"]


def test_nothing_is_left_of_a_forgotten_document(cache: SuggestionCache) -> None:
    cache.forget(URI)
    assert cache.find(URI, asked("ab|xy", 3), 1) is None


def test_old_states_are_forgotten() -> None:
    cache = SuggestionCache()
    for number in range(100):
        cache.remember(URI, asked("a" * number), 1, suggestions("b", offset=number))
    assert cache.find(URI, asked(""), 1) is None
    assert texts(cache.find(URI, asked("a" * 99), 1)) == ["b"]


def test_few_states_of_a_very_long_document_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsp_server.suggestions._CHARACTERS", 250)
    one = SuggestionCache()
    for count in range(3):
        state = asked(100 * "a" + count * "b")
        one.remember(URI, state, 1, suggestions("c|", offset=state.offset))
    found = [one.find(URI, asked(100 * "a" + count * "b"), 1) for count in range(3)]
    assert [texts(each) for each in found] == [None, ["c|"], ["c|"]]
    one.remember(URI, asked(300 * "a"), 1, suggestions("c|", offset=300))
    assert texts(one.find(URI, asked(300 * "a"), 1)) == ["c|"]


@given(
    st.text("ab|", max_size=6), st.text("ab|", max_size=6), st.text("CD|", min_size=1, max_size=8), st.integers(0, 8)
)
def test_typed_text_and_rest_make_the_suggestion(before: str, after: str, suggestion: str, length: int) -> None:
    cache = SuggestionCache()
    cache.remember(URI, asked(before + after, len(before)), 1, suggestions(suggestion, offset=len(before)))
    typed = suggestion[:length]
    found = cache.find(URI, asked(before + typed + after, len(before + typed)), 1)
    whole = [typed + one.text for one in found or []]
    assert whole == ([] if typed == suggestion else [suggestion])
