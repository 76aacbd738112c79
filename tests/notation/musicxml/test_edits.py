"""Reading after an edit: the document is the one that a reader without any memory makes, spans included."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notation.language import Document
from notation.moving import origin
from notation.musicxml import parse, reader
from notation.musicxml.reader import DOCUMENTS, MEMOS
from tests.notation.memory import everything, fresh_document

NOTE = "<note><pitch><step>G</step><octave>4</octave></pitch><duration>2</duration></note>"
MEASURE = f'<measure number="9">{NOTE * 4}</measure>'
HEADER = "<part-list><score-part id='P1'><part-name>Flute</part-name></score-part></part-list>"
SIGNS = (
    "<attributes><divisions>2</divisions><key><fifths>1</fifths></key>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def part(name: str) -> str:
    music = "\n".join(
        f'  <measure number="{number}">\n{SIGNS if number == 1 else ""}{NOTE * (4 if number % 3 else 3)}</measure>'
        for number in range(1, 7)
    )
    return f'<part id="{name}">\n{music}\n</part>\n'


SCORE = f'<score-partwise version="4.0">{HEADER}{part("P1")}{part("P2")}</score-partwise>'
TIMEWISE = SCORE.replace("part", "mesure").replace("measure", "part").replace("mesure", "measure")
BOOKS = [
    pytest.param(SCORE, id="two parts"),
    pytest.param(SCORE.replace(NOTE, f"<!-- <measure> -->{NOTE}", 2), id="comments"),
    pytest.param(SCORE.replace("</part>", "", 1), id="a part without its end"),
    pytest.param(SCORE.replace("</measure>", "", 3), id="measures without their end"),
    pytest.param(SCORE.replace(' number="3"', ""), id="a measure without a number"),
    pytest.param("<!DOCTYPE score-partwise>\n" + SCORE.replace(">G<", ">𝄞<", 1), id="a document type"),
    pytest.param(TIMEWISE, id="timewise"),
]
PIECES = [
    "",
    " ",
    "\n",
    "<",
    ">",
    '"',
    "<no",
    NOTE,
    MEASURE,
    "<measure>",
    "<measure/>",
    "</measure>",
    "<part id='P3'>",
    "</part>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<x:y/>",
    "<a>",
    "</a>",
    "<backup><duration>4</duration></backup>",
    "<attributes><divisions>4</divisions></attributes>",
    "<barline><repeat direction='backward'/></barline>",
    "\u2028𝄞",
]


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    _forget()


def _forget() -> None:
    DOCUMENTS.forget()
    MEMOS.forget()


def fresh(text: str) -> Document:
    """What a reader that remembers nothing makes of a text."""
    return fresh_document(parse, text, DOCUMENTS, MEMOS)


def edited(text: str, chance: random.Random) -> str:
    places = [0, len(text), *(index for index, sign in enumerate(text) if sign in "<>")]
    start = chance.choice([chance.choice(places), chance.choice(places) + 1, chance.randrange(len(text) + 1)])
    end = chance.choice([start, start, start, start + 1, start + len(NOTE), start + 300])
    return text[:start] + chance.choice(PIECES) + text[end:]


@pytest.mark.parametrize("book", BOOKS)
def test_edits_read_like_fresh_texts(book: str) -> None:
    chance = random.Random(book)
    text = book
    parse(text)
    for number in range(50):
        text = edited(book if number % 5 == 0 else text, chance)
        assert everything(parse(text)) == everything(fresh(text)), text


@pytest.mark.parametrize("book", BOOKS)
def test_what_is_near_never_shows(book: str) -> None:
    chance = random.Random(book)
    document = parse(book)
    for number in range(40):
        text = edited(document.text if number % 5 else book, chance)
        _forget()
        document = parse(text, document)
        assert everything(document) == everything(fresh(text)), text


def test_what_is_near_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    near = parse(SCORE)
    _forget()
    monkeypatch.setattr(reader, "_parse_whole", None)
    after = parse(SCORE.replace('number="3">', 'number="3">' + NOTE, 1), near)
    assert after.scores[0].parts[1].measures[0] == near.scores[0].parts[1].measures[0]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([*PIECES, MEASURE, MEASURE]), max_size=8), st.integers(0, len(SCORE)))
def test_what_is_typed_piece_by_piece(pieces: list[str], offset: int) -> None:
    offset = SCORE.find("<", offset) if SCORE.find("<", offset) >= 0 else offset
    for end in range(len(pieces) + 1):
        text = SCORE[:offset] + "".join(pieces[:end]) + SCORE[offset:]
        assert everything(parse(text)) == everything(fresh(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('<measure number="4">', MEASURE + '<measure number="4">', id="a measure more"),
        pytest.param('number="3">', 'number="3">' + NOTE, id="a note more"),
        pytest.param('<measure number="4">', '<no<measure number="4">', id="half a tag"),
    ],
)
def test_only_what_was_edited_is_read(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    before = parse(SCORE).scores[0].parts[0].measures
    monkeypatch.setattr(reader, "_parse_whole", None)
    after = parse(SCORE.replace(old, new, 1)).scores[0].parts[0].measures
    assert after[0] is before[0]
    assert origin(after[-1]) is origin(before[-1])


def test_measures_that_only_moved_are_known_as_the_same() -> None:
    before = parse(SCORE)
    after = parse(SCORE.replace(NOTE, NOTE + NOTE, 1))
    old, new = (document.scores[0].parts[1].measures for document in (before, after))
    assert [origin(measure) for measure in new] == [origin(measure) for measure in old]
    assert all(origin(one) is origin(other) for one, other in zip(new, old, strict=True))
