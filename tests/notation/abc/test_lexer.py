"""Every line is cut without gaps, and every sign says by its own text what it is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notation.abc.lexer import cut, kinds, lines_from, read_sign, split_lines

SIGNS = st.sampled_from(
    [
        "c",
        "^c,",
        "z2",
        " ",
        "|",
        ":|2",
        "[1",
        '["x"',
        '"Am',
        '"Am"',
        "[K:",
        "[K:D]",
        "!",
        "!p",
        "!trill!",
        "+f+",
        "(3:2",
        ">",
    ]
)
LINES = st.lists(SIGNS | st.text("\t%][&(){}-.y~*é𝄞\u2028", max_size=3), max_size=12).map("".join)


@given(LINES)
@example("")
@example('["1st" c|["c')
@example("c!d! e!")
def test_signs_are_a_line_without_gaps(line: str) -> None:
    assert "".join(cut(line)) == line
    assert [(read_sign(sign).lastgroup, sign) for sign in cut(line)] == list(kinds(line))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("^c'3/2B", ["note", "note"], id="notes"),
        pytest.param("^^ c", ["accidental_only", "space", "note"], id="an accidental alone"),
        pytest.param("A////////2", ["note"], id="the longest length"),
        pytest.param('["2nd" c|', ["ending", "space", "note", "bar"], id="a label of an ending"),
        pytest.param('["2nd" c', ["chord", "string", "space", "note"], id="no label: no barline follows"),
        pytest.param('c"Am', ["note", "open_string"], id="an open string"),
        pytest.param("c[K:D", ["note", "open_inline"], id="an open field"),
        pytest.param("!tr", ["open_decoration"], id="an open decoration"),
        pytest.param("!tr c", ["open_decoration", "symbol", "symbol", "space", "note"], id="no decoration"),
        pytest.param("c % !trill!", ["note", "space", "comment"], id="a comment"),
    ],
)
def test_kinds(line: str, expected: list[str]) -> None:
    assert [kind for kind, _ in kinds(line)] == expected


@pytest.mark.parametrize("text", ["", "\n", "a", "a\r\nb\rc\n", "\u2028a\n\r\n𝄞"])
def test_lines_begin_where_they_say(text: str) -> None:
    lines = split_lines(text, 10)
    assert [line.text for line in lines] == text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert all(text[line.start - 10 : line.end - 10] == line.text for line in lines)
    assert list(lines_from(text, lines[-1].start - 10, 10)) == lines[-1:]
