"""Parsing after an edit: the document is the one that a parser without any memory makes, spans included."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from notation.abc import LANGUAGE, parser, reading
from notation.abc.lexer import Line
from notation.abc.parser import DOCUMENTS, MEMOS
from notation.abc.tune import TuneParser
from notation.language import Document
from notation.score import Score
from notation.site import CompletionSite
from tests.notation.memory import everything, fresh_document

TUNES = (
    "X:1\nT:one\nM:4/4\nL:1/8\nK:G\nGABc d2(3efg|z8 & c8|\nw:la la\n\nX:2\nM:6/8\nK:D\n"
    '"D"DFA {g}d3|[DF]6|AB|d6|]\n% end\nX:3\nT:three\nK:C\n^c8-|c8|\nV:2\nC,8|[K:Z]^|\n'
)
BOOKS = [
    pytest.param(TUNES, id="tunes"),
    pytest.param("%%scale 1\nM:3/4\nL:1/4\n\n" + TUNES, id="file header"),
    pytest.param("M:1.5\nfree text\n\n" + TUNES.replace("\n", "\r\n"), id="CRLF and a faulty file header"),
    pytest.param(TUNES.replace("X:", "K:C\nL:"), id="no numbers"),
    pytest.param("\n \r\n" + TUNES.replace("\n\n", "\n\u2028\t\n \n").replace("T:", "T:𝄞"), id="odd blank lines"),
    pytest.param(TUNES + "\n" + TUNES, id="tunes that come twice"),
]
PIECES = [
    "",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "X:1\n",
    "X:7\nK:C\n",
    "c",
    "|",
    "M:3/4\n",
    "K:G\n",
    " ",
    "%%begintext\n",
    "𝄞",
]


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    forget()


def forget() -> None:
    DOCUMENTS.forget()
    MEMOS.forget()


def fresh(text: str) -> Document:
    """What a parser that remembers nothing makes of a text."""
    return fresh_document(LANGUAGE.parse, text, DOCUMENTS, MEMOS)


def edited(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) + 1)
    return text[:start] + chance.choice(PIECES) + text[start + chance.choice((0, 0, 0, 1, 5, 60)) :]


@pytest.mark.parametrize("book", BOOKS)
def test_edits_read_like_fresh_texts(book: str) -> None:
    chance = random.Random(book)
    text = book
    for number in range(60):
        text = edited(book if number % 10 == 0 else text, chance)
        document = LANGUAGE.parse(text)
        if number % 2:
            assert everything(document) == everything(fresh(text))
        else:
            assert document == fresh(text)


@pytest.mark.parametrize("book", BOOKS)
def test_what_is_near_never_shows(book: str) -> None:
    chance = random.Random(book)
    document = LANGUAGE.parse(book)
    for number in range(40):
        text = edited(document.text if number % 8 else book, chance)
        forget()
        document = LANGUAGE.parse(text, document)
        assert everything(document) == everything(fresh(text))


def test_what_is_near_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "X:1\nL:1/8\nK:C\n" + "CDEF GABc|\n" * 50
    near = LANGUAGE.parse(text)
    forget()
    monkeypatch.setattr(parser, "_parse_whole", None)
    document = LANGUAGE.parse(text[:400] + "c" + text[400:], near)
    assert document.scores[0].parts[0].measures[0] is near.scores[0].parts[0].measures[0]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([*PIECES, "X:2\nK:D\nAB|c\n", "w:a b\n", "\x0b", "\u2028", " \n"]), max_size=12))
def test_any_texts_one_after_the_other(pieces: list[str]) -> None:
    for end in range(len(pieces) + 1):
        text = "".join(pieces[:end])
        assert everything(LANGUAGE.parse(text)) == everything(fresh(text))


LINES = """X:1
T:many lines
M:4/4
L:1/8
V:1
V:2 clef=bass
K:G
V:1
|: "G"GABc d2(3efg | z8 & c8 |1 G2-G2 (AB) c2 :|2 G8 ||
w: one two three four
|: c>d e<f {g}d2 !trill!B2 | [GBd]4 ~A2 A2 |
V:2
G,4 D,4 | G,8 | C,4 D,4 :| G,8 |]
C,8 | D,8 |
% between
V:1
[M:3/4] d2 B2 A2 | G6 |
[K:D] d2 f2 a2 | d6 |]
V:2
D,6 | G,6 | D,6 | D,6 |]
"""
SIGNS = [
    ")", "(", "-", "|", ":|", "|:", "||", "|]", "&", "(&", "&)", "(3", '"Am"', "\n", "\r\n", "\r", "V:2\n", "[V:2]",
    ">", "{", "}", "c", "c2", "z", "Z4", "!", "[K:D]", "[M:3/4]", "\nK:G\n", "\nL:1/4\n", "w:la la\n", "\n\n", "%",
    "\\\n", "]", "[", "^", "|1", ":|2", "\nm:~n2=non\n", "U:T=!roll!\n", "I:propagate-accidentals not\n", "P:A\n",
    "\nW:end\n", "\n+:more\n", "\n%%begintext\n", "c|\n-c", "c|\n)c", "ABcd|efga|\n", "X:3\n", "&c8|", "\x0b", "𝄞",
]  # fmt: skip


def seams(document: Document) -> list[list[object]]:
    """Where each tune of a document can be taken up, and with what."""
    tree = document.tree
    assert isinstance(tree, parser.Tree)
    return [
        [(seam.place + tune.start - one.base, seam.state) for seam in one.seams]
        for one, tune in zip(tree.reads, tree.tunes, strict=True)
        if one is not None
    ]


def fresh_site(text: str, offset: int) -> CompletionSite | None:
    """The site that is found by reading the tune from its beginning."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "last_seam", lambda *_: None)
        return LANGUAGE.completion_site(fresh(text), offset)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@example(LINES, [(1.0, "&c8|", 0), (0.5546875, ")", 0)])
@given(
    st.sampled_from([LINES, LINES + "\n" + TUNES, LINES.replace("\n", "\r\n")]),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(SIGNS), st.sampled_from([0, 0, 0, 1, 4, 40])), min_size=1, max_size=5
    ),
)
def test_edits_in_a_tune_of_many_lines(text: str, edits: list[tuple[float, str, int]]) -> None:
    forget()
    LANGUAGE.parse(text)
    for place, sign, n_lost in edits:
        start = int(place * len(text))
        text = text[:start] + sign + text[start + n_lost :]
        document, expected = LANGUAGE.parse(text), fresh(text)
        assert everything(document) == everything(expected)
        assert seams(document) == seams(expected)
        offset = start + len(sign)
        assert repr(LANGUAGE.completion_site(document, offset)) == repr(fresh_site(text, offset))


@pytest.mark.parametrize(
    ("typed", "n_lines"),
    [
        pytest.param("c", 1, id="a note"),
        pytest.param("|", 2, id="a double barline, which the next line may add to"),
        pytest.param("\nc8|", 2, id="a line"),
        pytest.param("-", 2, id="a tie to the next line"),
        pytest.param("\nw:la", 3, id="words, which belong to the line above them"),
    ],
)
def test_only_the_lines_around_an_edit_are_read(monkeypatch: pytest.MonkeyPatch, typed: str, n_lines: int) -> None:
    text = "X:1\nL:1/8\nK:C\n" + "CDEF GABc|\n" * 50
    LANGUAGE.parse(text)
    read: list[str] = []
    original = TuneParser.feed

    def feed(self: TuneParser, line: Line) -> None:
        read.append(line.text)
        original(self, line)

    monkeypatch.setattr(TuneParser, "feed", feed)
    place = text.index("|", 400) + (typed[0] in "|\n")
    document = LANGUAGE.parse(text[:place] + typed + text[place:])
    assert len(read) == n_lines
    read.clear()
    LANGUAGE.completion_site(document, place + len(typed))
    assert len(read) <= n_lines


def test_only_the_tune_that_changed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(f"X:{number}\nK:C\nc{number}|\n" for number in range(1, 50))
    old = LANGUAGE.parse(text)
    read: list[str] = []
    original = reading.read

    def read_whole(text: str, base: int, header: tuple[str, ...], is_in_order: bool) -> reading.ReadTune:
        read.append(text)
        return original(text, base, header, is_in_order)

    monkeypatch.setattr(parser, "read", read_whole)
    new = LANGUAGE.parse(text.replace("c20|", "c20|d|"))
    assert read == ["X:20\nK:C\nc20|d|"]
    assert all(one is other for one, other in zip(old.scores[:19], new.scores[:19], strict=True))


def moved(text: str = TUNES) -> Score:
    """The last score of a text whose first tune has grown since it was read."""
    LANGUAGE.parse(text)
    return LANGUAGE.parse(text.replace("T:one", "T:the first one")).scores[-1]


def test_moved_scores_are_scores() -> None:
    score = moved()
    expected = fresh(TUNES.replace("T:one", "T:the first one")).scores[-1]
    assert score == expected
    assert expected == moved()
    assert hash(moved()) == hash(expected)
    assert repr(moved()) == repr(expected)
    assert deepcopy(moved()) == expected
    assert replace(moved(), title="other", parts=expected.parts) == replace(expected, title="other")
    assert moved() != replace(expected, title="other")
    assert score.n_measures == expected.n_measures
    assert type(score) is Score


def test_a_site_holds_the_score_of_its_document() -> None:
    LANGUAGE.parse(TUNES)
    text = TUNES.replace("T:one", "T:the first one")
    document = LANGUAGE.parse(text)
    site = LANGUAGE.completion_site(document, text.index("AB|d6"))
    assert site is not None
    assert site.score is document.scores[1]


def test_threads_share_the_memory() -> None:
    texts = [edited(TUNES, random.Random(seed)) for seed in range(40)]
    expected = [everything(fresh(text)) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: everything(LANGUAGE.parse(text)), texts)) == expected
    score = moved()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: score.parts, range(8)))
    assert all(parts is found[0] for parts in found)


def test_findings_in_the_file_header_come_once() -> None:
    document = LANGUAGE.parse("M:1.5\n\nX:1\nK:C\nc|\n\nX:2\nK:C\nc|\n")
    assert [(one.code, one.span.start) for one in document.diagnostics] == [("unknown-metre", 2)]


def test_too_many_notes_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MAX_EVENTS", 3)
    text = "X:1\nK:C\ncc|\n\nX:2\nK:C\ncc|\n\nX:3\nK:C\ncc|\n"
    document = LANGUAGE.parse(text)
    assert [score.n_measures for score in document.scores] == [1, 1, 0]
    assert [one.code for one in document.diagnostics] == ["too-much-music"]
