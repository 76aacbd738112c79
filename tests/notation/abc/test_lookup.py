"""Static completions: fields, keys, metres, decorations and directives where they fit."""

from __future__ import annotations

import pytest

from notation.abc import LANGUAGE

HEADER = "X:1\nK:D\n"


@pytest.mark.parametrize(
    ("source", "kind", "label", "typed"),
    [
        pytest.param("‸", "field", "X:", "", id="empty document"),
        pytest.param("X:1\nM‸", "field", "M:", "M", id="field letter"),
        pytest.param("X:1\nK:D‸", "key", "Dmix", "D", id="key"),
        pytest.param("X:1\nM: 6‸", "metre", "6/8", "6", id="metre"),
        pytest.param("X:1\nL:‸", "length", "1/8", "", id="unit length"),
        pytest.param("X:1\nR:re‸", "value", "reel", "re", id="rhythm"),
        pytest.param("X:1\nQ:‸", "value", "1/4=120", "", id="tempo"),
        pytest.param("X:1\nV:1 cl‸", "value", "clef=bass", "cl", id="voice parameter"),
        pytest.param(HEADER + "abc [K:G‸", "key", "Gm", "G", id="inline key"),
        pytest.param(HEADER + "abc !tr‸", "decoration", "!trill!", "!tr", id="decoration"),
        pytest.param(HEADER + "%%sc‸", "directive", "score", "sc", id="directive"),
        pytest.param(HEADER + "w‸", "field", "w:", "w", id="field in the body"),
    ],
)
def test_items(source: str, kind: str, label: str, typed: str) -> None:
    offset = source.index("‸")
    text = source.replace("‸", "")
    items = LANGUAGE.table_items(LANGUAGE.parse(text), offset)
    assert label in [item.label for item in items]
    assert {item.kind for item in items} == {kind}
    assert all(item.replaces.text(text) == typed for item in items)
    assert all(item.detail for item in items)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(HEADER + "abc ‸", id="in music"),
        pytest.param(HEADER + "!trill!‸", id="after a decoration"),
        pytest.param(HEADER + "% M:‸", id="in a comment"),
        pytest.param("X:1\nT:K‸", id="in a title"),
        pytest.param(HEADER + "M‸ abc", id="before music"),
    ],
)
def test_nothing_elsewhere(source: str) -> None:
    assert LANGUAGE.table_items(LANGUAGE.parse(source.replace("‸", "")), source.index("‸")) == []


def test_body_offers_no_header_field() -> None:
    labels = [item.label for item in LANGUAGE.table_items(LANGUAGE.parse(HEADER), len(HEADER))]
    assert "K:" in labels
    assert "X:" not in labels
