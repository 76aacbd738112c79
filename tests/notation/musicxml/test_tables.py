"""Static completions: elements where elements may stand, attributes in tags, values in values."""

from __future__ import annotations

import pytest

from notation.musicxml import LANGUAGE
from tests.notation.musicxml.documents import CURSOR, FIRST, cut, document, measure, part


def labels(marked: str) -> list[str]:
    text, offset = cut(marked)
    return [item.label for item in LANGUAGE.table_items(LANGUAGE.parse(text), offset)]


def in_measure(content: str) -> str:
    return document(part("P1", FIRST, measure(2, content)))


@pytest.mark.parametrize(
    ("marked", "some"),
    [
        pytest.param(in_measure(CURSOR), ["note", "backup", "harmony", "/measure"], id="in a measure"),
        pytest.param(in_measure("<note><" + CURSOR), ["pitch", "rest", "duration", "/note"], id="in a note"),
        pytest.param(in_measure("<attributes>" + CURSOR), ["divisions", "key", "time", "clef"], id="in attributes"),
        pytest.param(in_measure("<note><type>" + CURSOR), ["quarter", "eighth", "16th"], id="note types"),
        pytest.param(in_measure("<attributes><clef><sign>" + CURSOR), ["G", "F", "C"], id="clef signs"),
        pytest.param(in_measure("<attributes><key><mode>m" + CURSOR), ["major", "minor", "mixolydian"], id="modes"),
        pytest.param(in_measure('<barline location="' + CURSOR), ["right", "left"], id="attribute values"),
        pytest.param(in_measure("<note><tie " + CURSOR), ["type"], id="attribute names"),
        pytest.param(document(part("P1", FIRST + CURSOR)), ["measure", "/part"], id="in a part"),
        pytest.param(document().replace("<part-list>", "<" + CURSOR + " <part-list>"), ["identification"], id="header"),
    ],
)
def test_what_fits(marked: str, some: list[str]) -> None:
    found = labels(marked)
    assert set(some) <= set(found), found


@pytest.mark.parametrize(
    ("marked", "all_"),
    [
        pytest.param(in_measure("<no" + CURSOR), ["note"], id="prefix"),
        pytest.param(in_measure("<note></" + CURSOR), ["/note"], id="closing tag"),
        pytest.param(in_measure("<!-- <" + CURSOR), [], id="comment"),
        pytest.param(in_measure("<note><voice>" + CURSOR), ["/voice"], id="nothing known"),
        pytest.param(in_measure("loose " + CURSOR), [], id="loose text"),
    ],
)
def test_all_that_fits(marked: str, all_: list[str]) -> None:
    assert labels(marked) == all_


def test_an_item_replaces_what_is_typed() -> None:
    text, offset = cut(in_measure("<no" + CURSOR))
    (item,) = LANGUAGE.table_items(LANGUAGE.parse(text), offset)
    assert item.replaces.text(text) == "<no"
    assert (item.insert, item.kind) == ("<note></note>", "element")
    assert item.detail
