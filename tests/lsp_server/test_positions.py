"""Positions in three encodings against a slow reader of the specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server import positions
from lsp_server.positions import LineIndex, apply_change
from notation.source import Span

UTF8, UTF16, UTF32 = (
    types.PositionEncodingKind.Utf8,
    types.PositionEncodingKind.Utf16,
    types.PositionEncodingKind.Utf32,
)
ENCODINGS = [pytest.param(one, id=one.value) for one in (UTF8, UTF16, UTF32)]
TEXTS = st.text(st.sampled_from("ab|\n\r\u2028\x0c\x85é€𝄞"), max_size=20)


def units(text: str, encoding: types.PositionEncodingKind) -> int:
    """How many units a text has."""
    width = {UTF8: lambda c: len(c.encode()), UTF16: lambda c: 2 if ord(c) > 0xFFFF else 1, UTF32: lambda c: 1}
    return sum(width[encoding](character) for character in text)


def slow_positions(text: str, encoding: types.PositionEncodingKind) -> list[tuple[int, int]]:
    """The line and character of each offset, read character by character."""
    positions, line, column = [], 0, 0
    for index, character in enumerate(text):
        positions.append((line, column))
        if character == "\n" or (character == "\r" and text[index + 1 : index + 2] != "\n"):
            line, column = line + 1, 0
        elif character == "\r":
            pass  # the offset between \r and \n stands where the line ends
        else:
            column += units(character, encoding)
    return [*positions, (line, column)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS)
def test_positions_agree_with_a_slow_reading(encoding: types.PositionEncodingKind, text: str) -> None:
    lines = LineIndex(text, encoding)
    found = [lines.position(offset) for offset in range(len(text) + 1)]
    assert [(one.line, one.character) for one in found] == slow_positions(text, encoding)


@given(text=TEXTS)
def test_positions_in_blocks_agree_too(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "_BLOCK", 3)
        lines = LineIndex(text, UTF16)
        found = [lines.position(offset) for offset in range(len(text) + 1)]
        assert [(one.line, one.character) for one in found] == slow_positions(text, UTF16)
        for offset, one in enumerate(found):
            assert lines.offset(one) == offset - (text[max(0, offset - 1) : offset + 1] == "\r\n")


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS)
def test_an_offset_comes_back_from_its_position(encoding: types.PositionEncodingKind, text: str) -> None:
    lines = LineIndex(text, encoding)
    for offset in range(len(text) + 1):
        between = text[max(0, offset - 1) : offset + 1] == "\r\n"
        assert lines.offset(lines.position(offset)) == offset - between


@pytest.mark.parametrize(
    ("text", "encoding", "line", "character", "offset"),
    [
        pytest.param("", UTF16, 0, 0, 0, id="empty text"),
        pytest.param("", UTF16, 3, 7, 0, id="far past an empty text"),
        pytest.param("abc", UTF16, 0, 3, 3, id="the end without a final newline"),
        pytest.param("abc\n", UTF16, 1, 0, 4, id="after the final newline"),
        pytest.param("abc\r\nd", UTF16, 0, 9, 3, id="past the end of a CRLF line"),
        pytest.param("abc\rd", UTF16, 1, 1, 5, id="a lone carriage return ends a line"),
        pytest.param("a\u2028b\x0cc", UTF16, 0, 5, 5, id="U+2028 and form feed end no line"),
        pytest.param("𝄞a", UTF16, 0, 2, 1, id="utf-16 counts a clef as two"),
        pytest.param("𝄞a", UTF8, 0, 4, 1, id="utf-8 counts a clef as four"),
        pytest.param("𝄞a", UTF32, 0, 1, 1, id="utf-32 counts a clef as one"),
        pytest.param("x𝄞a", UTF16, 0, 2, 1, id="inside a surrogate pair is before it"),
        pytest.param("x𝄞a", UTF8, 0, 3, 1, id="inside a character's bytes is before it"),
        pytest.param("\ud834é", UTF16, 0, 2, 2, id="a lone surrogate is one unit"),
        pytest.param("\ud834é", UTF8, 0, 3, 1, id="a lone surrogate is three bytes"),
    ],
)
def test_an_offset_by_hand(
    text: str, encoding: types.PositionEncodingKind, line: int, character: int, offset: int
) -> None:
    assert LineIndex(text, encoding).offset(types.Position(line, character)) == offset


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS, edit=st.tuples(st.integers(0, 20), st.integers(0, 20), TEXTS))
def test_an_incremental_change_is_the_same_splice(
    encoding: types.PositionEncodingKind, text: str, edit: tuple[int, int, str]
) -> None:
    lines = LineIndex(text, encoding)
    first, second = (lines.offset(lines.position(min(one, len(text)))) for one in edit[:2])
    start, end = min(first, second), max(first, second)
    change = types.TextDocumentContentChangePartial(range=lines.range(Span(start, end)), text=edit[2])
    assert apply_change(lines, change).text == text[:start] + edit[2] + text[end:]


def test_a_whole_change_replaces_everything() -> None:
    assert apply_change(LineIndex("old"), types.TextDocumentContentChangeWholeDocument("new")).text == "new"


@given(text=TEXTS, edits=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8), TEXTS), min_size=1, max_size=4))
def test_the_lines_of_an_edited_text_are_those_of_a_new_one(text: str, edits: list[tuple[int, int, str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "_BLOCK", 3)
        lines = LineIndex(text)
        for start, n_lost, new in edits:
            span = Span(min(start, len(lines.text)), min(start + n_lost, len(lines.text)))
            lines = lines.edited(span, new)
            fresh = LineIndex(lines.text)
            assert [lines.position(offset) for offset in range(len(lines.text) + 1)] == [
                fresh.position(offset) for offset in range(len(lines.text) + 1)
            ]
            assert [lines.offset(types.Position(line, 1)) for line in range(9)] == [
                fresh.offset(types.Position(line, 1)) for line in range(9)
            ]


def test_a_reversed_range_is_read_the_right_way_round() -> None:
    reversed_range = types.Range(types.Position(0, 3), types.Position(0, 1))
    assert LineIndex("abcd").span(reversed_range) == Span(1, 3)
