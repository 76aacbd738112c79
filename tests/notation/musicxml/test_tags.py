"""The elements of a text are the same whether or not they are read piece by piece, each piece once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notation.musicxml.tags import MAX_DEPTH, Element, plain_elements, read_elements

NOTE = "<note default-x='3'>\n <pitch><step>C</step><octave>4</octave></pitch><duration>2</duration>\n</note>"
PIECES = st.sampled_from(
    [NOTE, NOTE, NOTE + NOTE, "<note>", "</note>", "</note >", "<note/>", "<note>C</note>", "<notes>", "<notations>",
     "</notations>", "<slur type='start'/>", "<rest/>", "<rest></rest>", "<rest>a&amp;b</rest>", "<tie type='start' />",
     "<backup><duration>4</duration></backup>", "<attributes>", "</attributes>", "<direction><words>a</words>",
     "<a>x>y</a>", "<a> </a>", "<a>b<c/>d</a>", "<!-- <note> -->", "<![CDATA[<note>]]>", "<?a <note> ?>", "&lt;", "<",
     ">", '"', "\n ", "𝄞", "<a>" * MAX_DEPTH, "<lyric><text>la</text></lyric>"]
)  # fmt: skip


def described(element: Element) -> object:
    """All that is known of an element but its offsets; the text around the children of one is nobody's."""
    children = [described(one) for one in element.children]
    return element.tag, element.raw_attributes, element.text, element.closed, children


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=10).map("".join))
def test_elements_that_are_read_piece_by_piece_are_those_of_any_text(text: str) -> None:
    elements = plain_elements(text)
    if elements is not None:
        assert [described(one) for one in elements] == [described(one) for one in read_elements(text)]


def test_pieces_that_are_alike_are_read_once() -> None:
    first = plain_elements("<a>\n<b c='1'>d</b></a>")
    second = plain_elements("<b c='1'>d</b> <e><b c='1'>d</b>\n</e>")
    assert first is not None
    assert second is not None
    assert first[0].children[0] is second[0] is second[1].children[0]


@pytest.mark.parametrize(
    "text",
    ["<a>", "<a><b/>", "</a>", "<a></b>", "<a><b/></c>", "<a", "<a>b>c</a>", "<a><!-- b --></a>", "<a><note/></a>",
     "<a b=\"></a>", "<a><b>" * MAX_DEPTH + "</b></a>" * MAX_DEPTH],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_patient_reader(text: str) -> None:
    assert plain_elements(text) is None
