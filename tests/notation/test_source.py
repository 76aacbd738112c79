"""A text with something else in place of a span."""

from __future__ import annotations

import pytest

from notation.source import Span, replaced


@pytest.mark.parametrize(
    ("text", "span", "new", "changed"),
    [
        pytest.param("", Span(0, 0), "ab", "ab", id="nothing is there"),
        pytest.param("abc", Span(1, 2), "", "ac", id="a character goes"),
        pytest.param("abc", Span(0, 3), "", "", id="all goes"),
        pytest.param("abc", Span(3, 3), "♭", "abc♭", id="at the end"),
        pytest.param("a😀\u2028c", Span(1, 2), "é", "aé\u2028c", id="wider and narrower characters"),
    ],
)
def test_what_is_replaced(text: str, span: Span, new: str, changed: str) -> None:
    assert replaced(text, span, new) == changed
