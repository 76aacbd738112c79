"""Do the judges complain about what they should, and only about that?"""

from __future__ import annotations

import pytest

from tests.support import judges
from tests.support.judges.complaint import inserted_span
from tests.support.judges.sums import Sum, wrong

HEADER = "X:1\nT:A trial\nM:4/4\nL:1/8\nK:G\n"
NOTE = (
    "<note><pitch><step>{}</step><octave>4</octave></pitch><duration>{}</duration><voice>1</voice>"
    "<type>{}</type></note>"
)
QUARTERS = NOTE.format("C", 2, "quarter") * 4


def musicxml(*measures: str) -> str:
    attributes = (
        "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    )
    body = "\n".join(
        f'<measure number="{number}">{attributes if number == 1 else ""}{measure}</measure>'
        for number, measure in enumerate(measures, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<score-partwise version="4.0"><part-list><score-part id="P1">'
        f'<part-name>Voice</part-name></score-part></part-list>\n<part id="P1">\n{body}\n</part></score-partwise>\n'
    )


@pytest.mark.parametrize(
    "music",
    [
        pytest.param("A2B2 c2d2|e8|d8|]", id="full measures"),
        pytest.param("A2|A2B2 c2d2|e8|d6|]", id="a pickup and its complement"),
        pytest.param("A8|B6:|\nA2|c8|d6|]", id="a measure split by a repeat"),
        pytest.param("(3ABc d>e z2 [CEG]2|Z|A8 & B4 B4|[M:3/4]A6|]", id="tuplet, broken rhythm, chord, overlay, metre"),
        pytest.param("A|ABcd efga|1 ABcd efg:|2 ABcd efga|]", id="a short bar before a repeat is not part of the next"),
        pytest.param("A4B4|A4B4|\nw: one two", id="notes that have no words yet"),
        pytest.param("V:1\nA8|B4\nV:2\nc8|d4\nV:1\nB4|]\nV:2\nd4|]", id="a measure that goes on in the next line"),
        pytest.param('"G"A4 "^slow".B4|{g}A4 !trill!B4|]', id="chord symbols, grace notes and decorations"),
    ],
)
def test_good_abc_passes(music: str) -> None:
    judges.need("abcm2ps", "abc2abc", "abcjs")
    assert judges.judge_abc(HEADER + music + "\n", judges=("abcm2ps", "abc2abc", "abcjs")) == []


@pytest.mark.parametrize(
    ("judge", "music"),
    [
        pytest.param("abc2abc", "A8|B6|A8|]", id="abc2abc: a bar is too short"),
        pytest.param("abc2abc", "A8|B8c|A8|]", id="abc2abc: a bar is too long"),
        pytest.param("abcjs", "A8|B6|A8|]", id="abcjs: a measure is too short"),
        pytest.param("abcjs", "A8|B8|A10|]", id="abcjs: the last measure is too long"),
        pytest.param("abcjs", "A8|[ce B8|A8|]", id="abcjs: an open chord"),
        pytest.param("abcm2ps", "A8|[ce B8|A8|]", id="abcm2ps: an open chord"),
        pytest.param("abcm2ps", "A8|A4 (3|A8|]", id="abcm2ps: a tuplet without notes"),
        pytest.param("abc2midi", "A8|B4 [c4 q|A8|]", id="abc2midi: an open chord"),
    ],
)
def test_bad_abc_is_found(judge: str, music: str) -> None:
    judges.need(judge)
    assert judges.judge_abc(HEADER + music + "\n", judges=(judge,))


def test_a_fault_of_the_document_is_not_the_suggestions_but_a_second_one_is() -> None:
    judges.need("abc2abc", "abcjs")
    reference = HEADER + "A8|B6|A8|\n"
    good, bad = reference + "c8|\n", reference + "c6|\n"
    assert judges.judge_abc_batch([(good, reference)], ("abc2abc", "abcjs")) == [[]]
    assert judges.judge_abc(bad, reference, ("abc2abc",))
    assert judges.judge_abc(bad, reference, ("abcjs",))


def test_the_measure_at_the_cursor_is_judged_even_if_it_was_short_before() -> None:
    judges.need("abcjs")
    reference = HEADER + "A8|B4|A8|\n"
    assert judges.judge_abc(HEADER + "A8|B4 c4|A8|\n", reference, ("abcjs",)) == []
    assert judges.judge_abc(HEADER + "A8|B4 c2|A8|\n", reference, ("abcjs",))


@pytest.mark.parametrize("judge", judges.MUSICXML_JUDGES)
def test_good_musicxml_passes(judge: str) -> None:
    judges.need(judge)
    pickup = "<!-- a pickup -->" + NOTE.format("G", 2, "quarter")
    last = NOTE.format("C", 6, "half").replace("</type>", "</type><dot/>")
    last += '<barline location="right"><bar-style>light-heavy</bar-style></barline>'
    assert judges.judge_musicxml(musicxml(QUARTERS, QUARTERS), judges=(judge,)) == []
    assert judges.judge_musicxml(musicxml(pickup, QUARTERS, last), judges=(judge,)) == []


@pytest.mark.parametrize(
    ("judge", "measure"),
    [
        pytest.param("music21", NOTE.format("C", 4, "half"), id="music21: a measure is too short"),
        pytest.param("music21", QUARTERS + NOTE.format("C", 2, "quarter"), id="music21: a measure is too long"),
        pytest.param(
            "music21",
            QUARTERS + "<backup><duration>8</duration></backup>" + NOTE.format("C", 2, "quarter").replace(">1<", ">2<"),
            id="music21: a voice is too short",
        ),
        pytest.param("music21", "<note>", id="music21: malformed"),
        pytest.param("xsd", NOTE.format("H", 8, "whole"), id="xsd: no such step"),
        pytest.param(
            "xsd",
            NOTE.format("C", 8, "whole").replace(
                "<step>C</step><octave>4</octave>", "<octave>4</octave><step>C</step>"
            ),
            id="xsd: order",
        ),
        pytest.param("xsd", "<note>", id="xsd: malformed"),
        pytest.param("musescore", QUARTERS + "<note><chord/></note>", id="musescore: a note without pitch"),
        pytest.param("musescore", NOTE.format("C", 8, "quarter"), id="musescore: type against duration"),
        pytest.param("musescore", "<note>", id="musescore: malformed"),
    ],
)
def test_bad_musicxml_is_found(judge: str, measure: str) -> None:
    judges.need(judge)
    good, bad = musicxml(QUARTERS, QUARTERS), musicxml(QUARTERS, measure, QUARTERS)
    assert judges.judge_musicxml(bad, good, (judge,))


@pytest.mark.parametrize(
    ("left_hand", "sound"),
    [
        pytest.param(NOTE.format("C", 8, "whole"), True, id="both staves full"),
        pytest.param(NOTE.format("C", 4, "half"), False, id="one staff too short"),
        pytest.param(NOTE.format("C", 10, "whole"), False, id="one staff too long"),
    ],
)
def test_music21_hears_every_staff_of_a_part(left_hand: str, sound: bool) -> None:
    judges.need("music21")
    right_hand = QUARTERS.replace("</note>", "<staff>1</staff></note>")
    left_hand = left_hand.replace("<voice>1<", "<voice>5<").replace("</note>", "<staff>2</staff></note>")
    measure = f"{right_hand}<backup><duration>8</duration></backup>{left_hand}"
    text = musicxml(measure).replace("</attributes>", "<staves>2</staves></attributes>")
    text = text.replace("</part>", f'<measure number="2">{measure}</measure></part>')
    assert (judges.judge_musicxml(text, judges=("music21",)) == []) == sound


def test_a_missing_judge_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    present = judges.available()
    monkeypatch.setattr("tests.support.judges.tools.available", lambda: present | {"abcm2ps": False})
    with pytest.raises(judges.MissingJudgeError, match=r"abcm2ps.*setup-judges"):
        judges.judge_abc(HEADER + "A8|\n")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="on CI"):
        judges.need("abcm2ps")
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="abcm2ps"):
        judges.need("abcm2ps")


@pytest.mark.parametrize(
    ("lengths", "bad"),
    [
        pytest.param("8 8 8.", [], id="all full"),
        pytest.param("2 8 6.", [], id="pickup and complement"),
        pytest.param("8 8 6.", [2], id="a complement of nothing"),
        pytest.param("2 8 6. 2 8 6.", [], id="two sections with pickups"),
        pytest.param("8 8 5. 3 8 8.", [], id="a measure in two halves"),
        pytest.param("8 8 5. 2 8 8.", [2, 3], id="two halves that make no whole"),
        pytest.param("2 4 6.", [1], id="short in the middle"),
        pytest.param("9 8 8.", [0], id="a first measure that is too long"),
    ],
)
def test_customs_of_short_measures(lengths: str, bad: list[int]) -> None:
    """Eighths in 4/4; a dot ends a section."""
    sums = [Sum(length=int(one.rstrip(".")), full=8, ends_section=one.endswith(".")) for one in lengths.split()]
    assert [sums.index(one) for one in wrong(sums)] == bad


@pytest.mark.parametrize(
    ("reference", "text", "span"),
    [
        pytest.param("ab", "axb", (1, 2), id="inside"),
        pytest.param("", "x", (0, 1), id="all"),
        pytest.param("aa", "aaa", (2, 3), id="more of the same"),
        pytest.param("ab", "ab", (2, 2), id="nothing"),
    ],
)
def test_inserted_span(reference: str, text: str, span: tuple[int, int]) -> None:
    assert inserted_span(text, reference) == span
