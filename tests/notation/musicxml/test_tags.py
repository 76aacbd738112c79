"""The elements of a measure are the same whether or not notes that are alike are read once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from notation.musicxml.tags import MAX_DEPTH, Element, read_elements, read_measure

NOTE = "<note default-x='3'>\n <pitch><step>C</step><octave>4</octave></pitch><duration>2</duration>\n</note>"
PIECES = st.sampled_from(
    [NOTE, NOTE, NOTE + NOTE, "<note>", "</note>", "</note >", "<note/>", "<note>C</note>", "<notes>", "<notations>",
     "</notations>", "<slur type='start'/>", "<rest/>", "<rest></rest>", "<rest>a&amp;b</rest>", "<tie type='start' />",
     "<backup><duration>4</duration></backup>", "<attributes>", "</attributes>", "<direction><words>a</words>",
     "<a>x>y</a>", "<a> </a>", "<a>b<c/>d</a>", "<!-- <note> -->", "<![CDATA[<note>]]>", "<?a <note> ?>", "&lt;", "<",
     ">", '"', "\n ", "𝄞", "<a>" * MAX_DEPTH, "<lyric><text>la</text></lyric>"]
)  # fmt: skip
LOOKS = ("beam", "stem")


def described(element: Element, offset: int | None = None) -> object:
    """All that is known of an element but the offsets in notes."""
    place = None if element.tag == "note" or offset is None else (element.start, element.inner, element.end)
    children = [described(one, place and 0) for one in element.children if one.tag not in LOOKS]
    text = None if element.tag == "note" else element.text
    return element.tag, element.raw_attributes, text, element.closed, place, children


def outlined(elements: list[Element]) -> list[object]:
    return [(one.start, one.inner, one.end, described(one, 0)) for one in elements]


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=10).map("".join))
def test_the_elements_of_a_measure_are_those_of_any_text(text: str) -> None:
    assert outlined(list(read_measure(text))) == outlined(read_elements(text))


def test_notes_that_are_alike_are_read_once() -> None:
    first, second = read_measure(NOTE + NOTE.replace("'3'", "'4'"))
    assert first.content is second.content is not None
    assert (first.raw_attributes, second.raw_attributes) == (" default-x='3'", " default-x='4'")
    assert [one.tag for one in first.children] == ["pitch", "duration"]
