"""What the model reads at a site, by example."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from notation.abc import LANGUAGE as ABC
from notation.language import Language
from notation.musicxml import LANGUAGE as MUSICXML
from notation.tokens import vocabulary as v
from notation.tokens.prompt import HOP, Prompt, make_prompt

HEADER = "X:1\nM:6/8\nL:1/8\nK:D\n"


def prompt_of(source: str, max_tokens: int = 500, notation: Language = ABC) -> Prompt:
    offset = source.index("‸")
    site = notation.completion_site(notation.parse(source.replace("‸", "")), offset)
    assert site is not None
    prompt = make_prompt(site, max_tokens)
    assert prompt is not None
    return prompt


def words(prompt: Prompt) -> str:
    return " ".join(v.TOKENS[token_id] for token_id in prompt.ids)


@pytest.mark.parametrize(
    ("music", "tokens"),
    [
        pytest.param("D2‸", "m:1 d:1/4 n:0:0", id="the first measure"),
        pytest.param("DFA d2f|‸", "m:1 n:0:0 n:2:0 n:4:0 d:1/4 n:7:0 d:1/8 n:9:0 | m:2", id="a new measure"),
        pytest.param("DFA d‸", "m:1 n:0:0 n:2:0 n:4:0 n:7:0", id="inside a measure"),
        pytest.param("A|DFA‸", "m:0 len:4 n:4:0 | m:1 n:0:0 n:2:0 n:4:0", id="after a pickup"),
        pytest.param("D6:|\n‸", "m:1 d:3/4 n:0:0 :| m:1", id="a new section"),
        pytest.param("D6:|\n|:‸", "m:1 d:3/4 n:0:0 :| m:1 |:", id="a new section with a repeat"),
        pytest.param("D6|[M:9/8][K:G]‸", "m:1 d:3/4 n:0:0 | m:2 time:9/8 key:1 mode:major", id="new metre and key"),
    ],
)
def test_the_prompt_ends_with_what_is_written(music, tokens):
    assert words(prompt_of(HEADER + music)) == f"<bos> genre:folk time:6/8 key:2 mode:major {tokens}"


def test_what_follows_a_gap_stands_before_the_rest():
    read = words(prompt_of(HEADER + "DFA d2f| ‸D6|]"))
    after, before = read.split("<before>")
    assert after.endswith("<after> d:3/4 n:0:0 |] ")
    assert before.endswith(" m:2")


HALF = "<note><pitch><step>G</step><octave>4</octave></pitch><duration>2</duration></note>"
FINAL = '<barline location="right"><bar-style>light-heavy</bar-style></barline>'


@pytest.mark.parametrize(
    ("measure", "closing"),
    [
        pytest.param("<measure>‸</measure>", set(), id="a measure that no section ends with"),
        pytest.param(f"<measure>‸{FINAL}</measure>", {"|]"}, id="the last measure"),
        pytest.param("‸", {"||", "|]", ":|"}, id="a new measure"),
    ],
)
def test_only_the_end_of_a_section_completes_its_pickup(measure, closing):
    """In 3/2 after a pickup of a half, with two halves written."""
    prompt = prompt_of(
        "<score-partwise><part-list><score-part id='P'/></part-list><part id='P'>"
        "<measure><attributes><divisions>1</divisions><time><beats>3</beats><beat-type>2</beat-type></time></attributes>"
        f"{HALF}</measure><measure>{3 * HALF}</measure>{measure}</part></score-partwise>",
        notation=MUSICXML,
    )
    for name in ("d:1/2", "n:0:0", "n:0:0"):
        assert v.TOKEN_IDS[name] in prompt.grammar.legal_ids()
        prompt.grammar.advance(v.TOKEN_IDS[name])
    assert {v.TOKENS[one] for one in prompt.grammar.legal_ids()} & set(v.BARLINES) == closing


def test_a_voice_that_lags_is_written_against_the_others():
    source = "X:1\nM:2/4\nL:1/4\nV:1\nV:2\nK:C\n[V:1]CD|EF|\n[V:2]EF|‸"
    prompt = prompt_of(source)
    assert words(prompt).endswith("| m:2 part:0 d:1/4 n:2:0 n:3:0 part:1")
    assert prompt.grammar.voice is not None
    assert prompt.grammar.voice.id == (1, 1, 1)


def test_a_tie_must_land_after_the_barline():
    legal = prompt_of(HEADER + "D6-|‸").grammar.legal()
    assert legal[v.TOKEN_IDS["n:0:0"]]
    assert not legal[v.TOKEN_IDS["n:1:0"]]
    assert not legal[v.REST]


def test_a_typed_accidental_decides_the_pitch():
    legal = prompt_of(HEADER + "DFA ^‸").grammar.legal()
    notes = {v.TOKENS[token_id] for token_id in np.flatnonzero(legal) if token_id in v.NOTE_OF}
    assert {"n:0:1", "n:2:0"} <= notes
    assert "n:0:0" not in notes


def test_a_typed_accidental_belongs_to_one_note():
    grammar = prompt_of(HEADER + "[DF][FA]D DFA|[DF][FA]D ^‸").grammar
    grammar.advance(v.TOKEN_IDS["n:0:1"])
    assert not {v.TOKENS[token_id] for token_id in grammar.legal_ids() if token_id in v.UP_OF}


def test_no_accidental_goes_before_a_note_that_is_tied_into():
    source = HEADER + "DFA E- ^"
    site = ABC.completion_site(ABC.parse(source), len(source))
    assert site is not None
    assert make_prompt(site, 500) is None


def test_an_open_tuplet_is_finished_first():
    prompt = prompt_of(HEADER + "(3DFA (3DF‸")
    names = {v.TOKENS[token_id] for token_id in np.flatnonzero(prompt.grammar.legal())}
    assert "n:4:0" in names
    assert not {name for name in names if name.startswith("d:")}


def test_a_long_piece_is_cut_at_a_hop_so_that_typing_keeps_the_start():
    tune = HEADER + "DFA d2f|" * 60
    whole, one_more = prompt_of(tune + "‸", 300), prompt_of(tune + "DFA d2f|‸", 300)
    assert len(whole.ids) <= 300
    assert one_more.ids[: len(whole.ids) - 1] == whole.ids[:-1]
    numbers = [token for token in words(whole).split() if token.startswith("m:")]
    assert (int(numbers[0][2:]) - 1) % HOP == 0


def test_the_remaining_length_is_what_lies_between():
    prompt = prompt_of(HEADER + "DFA ‸ d|")
    assert prompt.grammar.voice is not None
    assert prompt.grammar.voice.place.remaining == Fraction(1, 4)


@pytest.mark.parametrize(
    ("barline", "numbers"),
    [pytest.param("|", {"m:4"}, id="goes on"), pytest.param(":|", {"m:1", "m:0"}, id="or begins a section")],
)
def test_measures_are_numbered_on_within_a_section(barline, numbers):
    """A model is taught to choose a number only where a section has ended."""
    grammar = prompt_of(HEADER + "A|DFA d2f|DFA d2f|‸").grammar
    for word in ("d:3/4", "n:0:0", barline):
        grammar.advance(v.TOKEN_IDS[word])
    assert {v.TOKENS[token_id] for token_id in grammar.legal_ids()} == numbers


SHORT = "A|DFA d2f|DFA d2"


@pytest.mark.parametrize(
    ("music", "heads"),
    [
        pytest.param("‸", {"m:1", "m:0 len:4"}, id="a tune"),
        pytest.param("|:‸", {"m:1 |:", "m:0 |: len:4"}, id="a tune, with a repeat"),
        pytest.param(SHORT + ":|\n‸", {"m:0 len:4"}, id="after a short measure"),
        pytest.param("D6|DFA d3/||‸", {"m:0 len:6"}, id="after a short measure, in a tune without pickups"),
        pytest.param(SHORT + ":|\n|:‸", {"m:0 |: len:4"}, id="a repeat is typed"),
        pytest.param(SHORT + "|:‸", {"m:0 |: len:4"}, id="a repeat alone"),
        pytest.param("A|D6|1 DFA d2:|2 DFA d2||‸", {"m:0 len:4"}, id="after the second ending"),
        pytest.param(SHORT + "f||‸", {"m:1", "m:0 len:4"}, id="after a full measure"),
        pytest.param(SHORT + ":|\nM:9/8\n‸", {"m:1 time:9/8", "m:0 time:9/8 len:4"}, id="in a new metre"),
        pytest.param("D6:|‸", set(), id="in a tune without pickups"),
        pytest.param(SHORT + "f|‸", set(), id="inside a section"),
        pytest.param(SHORT + ":|A‸", set(), id="begun"),
        pytest.param(SHORT + ":|^‸", set(), id="half typed"),
        pytest.param(SHORT + ":|‸\nD6|D6|]", set(), id="music follows"),
        pytest.param("A|D6|1 DFA d2:|‸", set(), id="the second ending is due"),
        pytest.param("A|D6|1 DFA d2:|2 ‸", set(), id="an ending is typed"),
        pytest.param("V:1\nA|D6|DFA d2:|‸\nV:2\nA|D6|DFA d2:|\n", set(), id="two parts"),
        pytest.param("M:none\nA|D6|DFA d2:|‸", set(), id="free metre"),
        pytest.param("A|D6|DFA d13/8:|‸", set(), id="a length without a token"),
    ],
)
def test_a_section_may_begin_with_the_pickup_that_fits(music, heads):
    prompt = prompt_of(HEADER + music)
    assert {" ".join(v.TOKENS[token_id] for token_id in head) for head in prompt.grammar.heads} == heads
    assert (v.family(v.TOKENS[prompt.ids[-1]]) == "m") <= (not heads)


@pytest.mark.parametrize("music", [SHORT + ":|‸", SHORT + ":|\n|:‸"])
def test_after_a_pickup_the_first_whole_measure_comes(music):
    grammar = prompt_of(HEADER + music).grammar
    for token_id in grammar.heads[0]:
        assert list(grammar.legal_ids()) == [token_id]
        grammar.advance(token_id)
    assert not any(grammar.legal()[v.TOKEN_IDS[word]] for word in ("|:", "ending:1", "R", "d:1/4"))
    grammar.advance(v.TOKEN_IDS["n:4:0"])
    assert {v.TOKENS[token_id] for token_id in grammar.legal_ids()} & set(v.BARLINES) == {"|"}
    grammar.advance(v.TOKEN_IDS["|"])
    assert {v.TOKENS[token_id] for token_id in grammar.legal_ids()} == {"m:1"}
