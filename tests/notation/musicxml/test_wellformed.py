"""What is not well-formed is found, whether or not a tree is made of the text to find it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notation.musicxml import wellformed
from notation.musicxml.wellformed import check
from tests.notation.musicxml.documents import FIRST, QUARTERS, document, measure, part

TEXT = document(part("P1", FIRST, measure(2, QUARTERS)))
SIGNS = [
    "<", ">", "&", "&foo;", "<a:b/>", "<x:y xmlns:x='u'/>", "</x>", "<x>", '"', "'", "<!--", "-->", "<![CDATA[", "]]>",
    "<?xml version='1.0'?>", "\x01", "\ud800", "<!DOCTYPE a [<!ENTITY x 'y'>]>", "&#0;", "<a b='1' b='2'/>",
    "<a xlink:b='1'/>", "\n", ":", "<a>a:b</a>", "a:b>", "<a b=':'/>",
]  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.sampled_from(SIGNS), st.integers(0, 4)), max_size=3))
def test_the_quick_way_finds_what_the_slow_way_finds(edits: list[tuple[int, str, int]]) -> None:
    text = TEXT
    for place, sign, n_lost in edits:
        text = text[:place] + sign + text[place + n_lost :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wellformed, "_MAX_QUICK", 0)
        expected = check(text)
    assert check(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("<a><b:c/></a>", "Namespace prefix b on c is not defined", id="a prefix that is not declared"),
        pytest.param("<a>" + "1:1 " * 40 + "<b:c/></a>", "Namespace prefix b", id="after many colons"),
        pytest.param("<a " + "x" * 5000 + "='1'><b:c/></a>", "Namespace prefix b", id="after a long tag"),
        pytest.param("<a " + "x" * 5000 + ":y='1'/>", "Namespace prefix xxx", id="in a long tag"),
        pytest.param("<!DOCTYPE a [\n<!ENTITY é 'y'>]><a><b:c/></a>", "Namespace prefix b", id="after a declaration"),
        pytest.param("<a b='1:2'/><c/>", "Extra content at the end of the document", id="a colon in an attribute"),
        pytest.param("<a>" * 300 + "</a>" * 300, "Excessive depth in document", id="too deep"),
        pytest.param("", "Document is empty", id="nothing"),
    ],
)
def test_the_reason_is_given(text: str, reason: str) -> None:
    (found,) = check(text)
    assert reason in found.message


@pytest.mark.parametrize("text", ["<a/>", "<a b='x:y'>x:y</a>", "<x:a xmlns:x='u'><x:b/></x:a>", "<a>:::</a>"])
def test_well_formed_texts_pass(text: str) -> None:
    assert check(text) == []


def test_a_tree_is_made_only_where_a_tag_may_have_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []
    monkeypatch.setattr(wellformed, "_error", lambda data, with_tree: made.append(with_tree))
    check("<!DOCTYPE a PUBLIC 'x' 'http://x'><a>" + "1:1 " * 100 + "</a>")
    assert made == [False]
    check("<a b:c='1'/>")
    assert made == [False, True]
