"""Bad input: half typed, broken, hostile or not MusicXML at all. Nothing raises, and what can be read is read."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notation.musicxml import LANGUAGE, parse
from notation.musicxml.reader import MAX_CHARACTERS
from notation.score import Score
from tests.notation.musicxml.corpus import sample, text_of
from tests.notation.musicxml.documents import FIRST, QUARTERS, document, measure, part

TEXT = document(part("P1", FIRST, measure(2, QUARTERS)), part("P2", FIRST))
PIECES = st.sampled_from(
    ["<note>", "</note>", "<measure>", "</measure>", "<part>", "</part>", "<score-partwise>", "<!--", "-->", "<", ">",
     "<![CDATA[", "]]>", "&a;", "<pitch>", "</pitch>", "<step>C</step>", "<octave>4</octave>", "<duration>1</duration>",
     "<attributes>", "<divisions>", "1", "</divisions>", "<backup>", '"', "'", "<!DOCTYPE", "<rest/>", "<chord/>",
     "<time-modification>", "<type>half</type>", "<barline>", "<harmony>"]
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join)), st.integers(0, 60))
def test_any_text_has_one_score_and_never_raises(text: str, offset: int) -> None:
    document_ = LANGUAGE.parse(text)
    assert len(document_.scores) == 1
    for one in document_.diagnostics:
        assert 0 <= one.span.start <= one.span.end <= len(text)
    LANGUAGE.completion_site(document_, min(offset, len(text)))
    LANGUAGE.table_items(document_, min(offset, len(text)))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(TEXT)), st.sampled_from(["", "<", "<no", "<note", "\n", "x"]))
def test_a_document_cut_anywhere_keeps_what_precedes_the_cut(offset: int, typed: str) -> None:
    whole = parse(TEXT).scores[0]
    text = TEXT[:offset] + typed
    read = LANGUAGE.parse(text)
    LANGUAGE.completion_site(read, len(text))
    for part_, complete in zip(read.scores[0].parts, whole.parts, strict=False):
        closed = [one for one in part_.measures if one.barline is not None]
        assert tuple(closed) == complete.measures[: len(closed)]


def test_real_documents_cut_anywhere_never_raise() -> None:
    rng = random.Random(7)
    texts = [text for path in sample(9, start=1) if (text := text_of(path)) is not None]
    assert len(texts) >= 6
    for text in texts:
        for _ in range(3):
            cut = text[: rng.randrange(len(text))]
            read = LANGUAGE.parse(cut)
            assert len(read.scores) == 1
            LANGUAGE.completion_site(read, len(cut))


@pytest.mark.parametrize(
    ("broken", "lost"),
    [
        pytest.param(TEXT.replace("</note>", "</note><", 1), 0, id="a stray <"),
        pytest.param(TEXT.replace("</note>", "</note>\n<no", 1), 0, id="half a tag"),
        pytest.param(TEXT.replace("</note>", "</note><note>", 1), 0, id="a note that is not filled in"),
        pytest.param(TEXT.replace("</measure>", "", 1), 0, id="a measure that is not closed"),
        pytest.param(TEXT.replace("</score-partwise>", ""), 0, id="a document that is not closed"),
        pytest.param(TEXT.replace("<octave>4</octave></pitch>", "<octave>", 1), 1, id="an octave that is not typed"),
    ],
)
def test_half_typed_text_is_read_as_far_as_it_goes(broken: str, lost: int) -> None:
    def sounding(score: Score) -> int:
        return sum(
            len(event.notes)
            for one in score.parts
            for read in one.measures
            for voice in read.voices
            for event in voice.events
        )

    read = parse(broken)
    assert sounding(read.scores[0]) == sounding(parse(TEXT).scores[0]) - lost
    assert "not-well-formed" in {one.code for one in read.diagnostics}


def test_the_place_that_is_not_well_formed_is_found() -> None:
    broken = TEXT.replace("</note>", "</nope>", 1)
    (problem,) = [one for one in parse(broken).diagnostics if one.code == "not-well-formed"]
    line = broken[: problem.span.start].count("\n")
    assert line == broken[: broken.index("</nope>")].count("\n")


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE score-partwise [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT.replace("Air", "&a11;").replace('<?xml version="1.0" encoding="UTF-8"?>', BOMB), id="bomb"),
        pytest.param(
            '<!DOCTYPE score-partwise [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
            "<score-partwise><work><work-title>&x;</work-title></work><part-list/></score-partwise>",
            id="external entity",
        ),
        pytest.param(
            '<!DOCTYPE score-partwise SYSTEM "http://127.0.0.1:9/x.dtd"><score-partwise><work><work-title>&x;'
            "</work-title></work></score-partwise>",
            id="external DTD",
        ),
    ],
)
def test_no_entity_is_expanded_and_nothing_is_fetched(text: str) -> None:
    tracemalloc.start()
    read = parse(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read.scores[0].title in ("&a11;", "&x;")
    assert "not-well-formed" in {one.code for one in read.diagnostics}
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<" * 50_000, id="open brackets"),
        pytest.param("<a " * 20_000, id="half tags"),
        pytest.param('<a b="' * 10_000, id="half attributes"),
        pytest.param("<a>" * 20_000, id="deep"),
        pytest.param("<!--" * 20_000, id="half comments"),
        pytest.param("<!DOCTYPE[" * 20_000, id="half declarations"),
        pytest.param("<" + "a" * 50_000, id="a long name"),
        pytest.param("<a" + " " * 50_000, id="long white space"),
        pytest.param("<score-partwise><part id='P1'><measure>" + "<note>" * 8_000, id="open notes"),
        pytest.param("<score-partwise><part id='P1'>" + "<measure>" * 5_000, id="open measures"),
        pytest.param(
            "<score-partwise><part id='P1'><measure>"
            + "<note><chord/><pitch><step>C</step><octave>4</octave></pitch><type>half</type></note>" * 30_000,
            id="a chord of many notes",
        ),
        pytest.param("".join(chr(n % 256) for n in range(50_000)), id="binary"),
        pytest.param("<score-partwise>\ud800\0</score-partwise>", id="lone surrogate"),
        pytest.param("<score-partwise " + "a" * 50_000 + "><part id='P1'><measure " + "b" * 50_000 + ">", id="names"),
        pytest.param(
            "<score-partwise><part id='P1'><measure><attributes>"
            + "".join(f"<divisions>{n}</divisions>" for n in range(100_000, 103_000))
            + "</attributes><note><rest/><duration>7</duration></note></measure>",
            id="many divisions",
        ),
        pytest.param("", id="empty"),
    ],
)
@pytest.mark.timeout(60)
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    assert parse(text).diagnostics


def test_many_comments_before_the_cursor_are_passed_in_linear_time() -> None:
    text = TEXT.replace("  </part>", "<!-- a -->" * 500 + "x  </part>", 1)
    assert LANGUAGE.completion_site(parse(text), text.index("x  </part>")) is None
    assert LANGUAGE.completion_site(parse(text.replace("x  </part>", "  </part>")), text.index("x  </part>"))


def test_a_text_beyond_the_limit_is_refused() -> None:
    (problem,) = parse("<note/>" * (MAX_CHARACTERS // 7 + 1)).diagnostics
    assert problem.code == "too-large"
    assert str(MAX_CHARACTERS) in problem.message
