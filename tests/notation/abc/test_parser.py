"""Parsing ABC: what each construct of the standard says, and that no text whatever makes it fail."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from notation.abc import LANGUAGE
from notation.language import Document
from notation.score import FREE_METRE, Barline, KeySignature, Measure, Pitch, Score, TimeSignature

HEADER = "X:1\nT:t\nM:4/4\nL:1/8\nK:C\n"


def parse(music: str) -> Score:
    return LANGUAGE.parse(HEADER + music).scores[0]


def measures(music: str) -> tuple[Measure, ...]:
    return parse(music).parts[0].measures


def codes(document: Document) -> list[str]:
    return [one.code for one in document.diagnostics]


def lengths(music: str) -> list[Fraction]:
    """Sounding durations in eighths."""
    return [event.duration * 8 for event in measures(music)[0].voices[0].events]


def pitches(music: str) -> list[tuple[str, int, int]]:
    return [
        (note.pitch.step, note.pitch.octave, note.pitch.alter)
        for measure in measures(music)
        for voice in measure.voices
        for event in voice.events
        for note in event.notes
    ]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        pytest.param("A2 A/ A// A/4 A3/2 A4", ["2", "1/2", "1/4", "1/4", "3/2", "4"], id="multiples and fractions"),
        pytest.param("A>B", ["3/2", "1/2"], id="broken"),
        pytest.param("A<B", ["1/2", "3/2"], id="broken the other way"),
        pytest.param("A>>B A>>>B", ["7/4", "1/4", "15/8", "1/8"], id="broken deeper"),
        pytest.param("A > B", ["3/2", "1/2"], id="broken with spaces"),
        pytest.param("A>B>C", ["3/2", "3/4", "1/2"], id="broken in a chain"),
        pytest.param("A>{g}B", ["3/2", "0", "1/2"], id="broken around a grace note"),
        pytest.param("[CE]>[DF]", ["3/2", "1/2"], id="broken chords"),
        pytest.param("(3ABc", ["2/3", "2/3", "2/3"], id="triplet"),
        pytest.param("(3A2B", ["4/3", "2/3"], id="unfinished triplet"),
        pytest.param("(3:2:2A2B", ["4/3", "2/3"], id="triplet of two notes"),
        pytest.param("(3::2 A2B c", ["4/3", "2/3", "1"], id="triplet with a number left out"),
        pytest.param("(2AB", ["3/2", "3/2"], id="duplet"),
        pytest.param("(5ABcde", ["2/5"] * 5, id="quintuplet in simple metre"),
        pytest.param("(3ABc d", ["2/3", "2/3", "2/3", "1"], id="a tuplet ends"),
        pytest.param("[C2E2]", ["2"], id="lengths inside a chord"),
        pytest.param("[C2E2]2", ["4"], id="lengths inside and outside a chord"),
        pytest.param("[CE]/", ["1/2"], id="length outside a chord"),
        pytest.param("z2x2", ["2", "2"], id="rests"),
        pytest.param("AyB y2 c", ["1", "1", "1"], id="spacers last nothing"),
        pytest.param("{gab}A", ["0", "0", "0", "1"], id="grace notes last nothing"),
        pytest.param("A0B", ["1", "1"], id="a length of nothing is one"),
    ],
)
def test_durations(music: str, expected: list[str]) -> None:
    assert lengths(music) == [Fraction(one) for one in expected]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        pytest.param("C,,Cc'", [("C", 2, 0), ("C", 4, 0), ("C", 6, 0)], id="octaves"),
        pytest.param(
            "^C_D=E^^F__G", [("C", 4, 1), ("D", 4, -1), ("E", 4, 0), ("F", 4, 2), ("G", 4, -2)], id="accidentals"
        ),
        pytest.param("^C C c|C", [("C", 4, 1), ("C", 4, 1), ("C", 5, 0), ("C", 4, 0)], id="they hold for a measure"),
        pytest.param("^C8-|C4 C4", [("C", 4, 1), ("C", 4, 1), ("C", 4, 0)], id="they hold through a tie"),
        pytest.param("[K:D]F ^G|G", [("F", 4, 1), ("G", 4, 1), ("G", 4, 0)], id="the key"),
        pytest.param("[K:D exp _b]B F", [("B", 4, -1), ("F", 4, 0)], id="an explicit key"),
        pytest.param("[K:octave=-1]C", [("C", 3, 0)], id="octave parameter"),
        pytest.param("[GCE]", [("C", 4, 0), ("E", 4, 0), ("G", 4, 0)], id="chords are sorted"),
    ],
)
def test_pitches(music: str, expected: list[tuple[str, int, int]]) -> None:
    assert pitches(music) == expected


@pytest.mark.parametrize(
    ("sign", "barline", "repeat_start"),
    [
        pytest.param("|", Barline(), False, id="|"),
        pytest.param("||", Barline("double"), False, id="||"),
        pytest.param("|]", Barline("final"), False, id="|]"),
        pytest.param("[|", Barline("initial"), False, id="[|"),
        pytest.param(".|", Barline("dotted"), False, id=".|"),
        pytest.param("[|]", Barline("none"), False, id="[|]"),
        pytest.param(":|", Barline("regular", True), False, id=":|"),
        pytest.param(":|]", Barline("final", True), False, id=":|]"),
        pytest.param("|:", Barline(), True, id="|:"),
        pytest.param("::", Barline("regular", True), True, id="::"),
        pytest.param(":|:", Barline("regular", True), True, id=":|:"),
        pytest.param(":| |:", Barline("regular", True), True, id="two signs"),
        pytest.param("|\n|:", Barline(), True, id="two signs on two lines"),
        pytest.param("| ||", Barline("double"), False, id="the stronger of two signs"),
    ],
)
def test_barlines(sign: str, barline: Barline, repeat_start: bool) -> None:
    first, second = measures(f"c8 {sign} d8")
    assert first.barline == barline
    assert second.repeat_start == repeat_start
    assert second.barline is None


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        pytest.param("c8|1d8:|2e8|]", [(), (1,), (2,)], id="joined"),
        pytest.param("c8|[1d8:|[2e8|]", [(), (1,), (2,)], id="bracketed"),
        pytest.param("c8|[1,3 d8:|[2-4 e8|]", [(), (1, 3), (2, 3, 4)], id="lists and ranges"),
        pytest.param('c8|["1"d8:|["2"e8|]', [(), (1,), (2,)], id="in quotes"),
    ],
)
def test_endings(music: str, expected: list[tuple[int, ...]]) -> None:
    assert [measure.ending for measure in measures(music)] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("G", KeySignature(1, "major"), id="major"),
        pytest.param("F#m", KeySignature(3, "minor"), id="minor"),
        pytest.param("Bb Dorian", KeySignature(-4, "dorian"), id="a mode in words"),
        pytest.param("AMix", KeySignature(2, "mixolydian"), id="a mode joined"),
        pytest.param("E phrygian", KeySignature(0, "phrygian"), id="phrygian"),
        pytest.param("D Phr ^f", KeySignature(-2, "phrygian", (("F", 1),)), id="an added accidental"),
        pytest.param("D exp ^f ^c", KeySignature(2), id="explicit, as a signature"),
        pytest.param("D exp _b ^f", KeySignature(0, "", (("B", -1), ("F", 1))), id="explicit"),
        pytest.param("Hp", KeySignature(2), id="pipes with a signature"),
        pytest.param("HP", KeySignature(0), id="pipes"),
        pytest.param("none", KeySignature(0), id="none"),
        pytest.param("", KeySignature(0), id="empty"),
        pytest.param("C bass", KeySignature(0, "major"), id="with a clef"),
    ],
)
def test_keys(value: str, expected: KeySignature) -> None:
    document = LANGUAGE.parse(f"X:1\nK:{value} % comment\nc|\n")
    assert document.scores[0].parts[0].measures[0].key == expected
    assert "unknown-key" not in codes(document)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("6/8", TimeSignature((6,), 8), id="a fraction"),
        pytest.param("C", TimeSignature((4,), 4, "common"), id="common"),
        pytest.param("C|", TimeSignature((2,), 2, "cut"), id="cut"),
        pytest.param("(2+3)/8", TimeSignature((2, 3), 8), id="additive"),
        pytest.param("none", FREE_METRE, id="none"),
    ],
)
def test_metres(value: str, expected: TimeSignature) -> None:
    score = LANGUAGE.parse(f"X:1\nM:{value}\nK:C\nc|\n").scores[0]
    assert score.parts[0].measures[0].time == expected


@pytest.mark.parametrize(
    ("header", "length"),
    [
        pytest.param("M:2/4\n", "1/16", id="short metres count in sixteenths"),
        pytest.param("M:3/4\n", "1/8", id="others in eighths"),
        pytest.param("", "1/8", id="free metre too"),
        pytest.param("L:1/4\nM:2/4\n", "1/4", id="unless L: says it"),
    ],
)
def test_unit_length(header: str, length: str) -> None:
    score = LANGUAGE.parse(f"X:1\n{header}K:C\nc\n").scores[0]
    assert score.parts[0].measures[0].voices[0].events[0].duration == Fraction(length)


@pytest.mark.parametrize(
    "music",
    [
        pytest.param("V:1\nCDEF GABc|c8|\nV:2\nC,8|G,8|\n", id="in blocks"),
        pytest.param("[V:1] CDEF GABc|c8|\n[V:2] C,8|G,8|\n", id="line by line"),
        pytest.param("V:1\nCDEF GABc|\nV:2\nC,8|\nV:1\nc8|\nV:2\nG,8|\n", id="in alternating blocks"),
        pytest.param("[V:1]CDEF GABc|[V:2]C,8|[V:1]c8|[V:2]G,8|", id="inline"),
    ],
)
def test_voices(music: str) -> None:
    score = parse(music)
    assert [part.id for part in score.parts] == ["1", "2"]
    assert [[len(measure.voices[0].events) for measure in part.measures] for part in score.parts] == [[8, 1], [1, 1]]


def test_voice_parameters() -> None:
    text = 'X:1\nV:B name="Bass part" clef=bass transpose=-12\nV:A\nK:C\n[V:A] c|\n[V:B] C,|\n'
    first, second = LANGUAGE.parse(text).scores[0].parts
    assert (first.id, first.name) == ("B", "Bass part")
    assert (first.measures[0].clefs, first.measures[0].transpose) == (("bass",), -12)
    assert second.measures[0].clefs == ()


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        pytest.param("c8 & C8 | d8 |", [2, 1], id="one measure"),
        pytest.param("c8 & C8 & E8 | d8 |", [3, 1], id="twice"),
        pytest.param("(& c8 | d8 & e8 | f8 &) | g8 |", [2, 2, 1], id="a group of measures"),
        pytest.param("c8 | (& d8 | e8 | & f8 | g8 | & a8 | b8 | &) c8 |", [1, 3, 3, 1], id="three voices"),
        pytest.param("c8 | d8 |\n&& C8 | D8 | e8 |", [2, 2, 1], id="two measures back"),
    ],
)
def test_overlays(music: str, expected: list[int]) -> None:
    assert [len(measure.voices) for measure in measures(music)] == expected


def test_measures_of_rest() -> None:
    found = measures("c8|Z3|X|d8|]")
    assert [measure.voices[0].events[0].whole_measure for measure in found] == [False, True, True, True, True, False]
    assert [measure.voices[0].events[0].hidden for measure in found] == [False, False, False, False, True, False]
    assert all(measure.is_full for measure in found)


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        pytest.param("c-c", [True, False], id="tie"),
        pytest.param("c-|c", [True, False], id="over a barline"),
        pytest.param("c-d", [False, False], id="to another pitch is none"),
        pytest.param("c-", [True], id="at the end it waits"),
        pytest.param("[ce]-[cf]", [True, False, False, False], id="in chords note by note"),
        pytest.param("[c-e][ce]", [True, False, False, False], id="inside a chord"),
        pytest.param("(c.-c)", [True, False], id="dotted"),
    ],
)
def test_ties(music: str, expected: list[bool]) -> None:
    found = [note.tie for one in measures(music) for event in one.voices[0].events for note in event.notes]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "root", "kind", "bass"),
    [
        pytest.param("Am", ("A", 0), "minor", None, id="minor"),
        pytest.param("F#m7b5/C#", ("F", 1), "half-diminished", ("C", 1), id="half diminished over a bass"),
        pytest.param("Bbmaj7", ("B", -1), "major-seventh", None, id="major seventh"),
        pytest.param("G7#9", ("G", 0), "other", None, id="unknown kind"),
        pytest.param("N.C.", None, "none", None, id="no chord"),
    ],
)
def test_chord_symbols(text: str, root: tuple[str, int] | None, kind: str, bass: tuple[str, int] | None) -> None:
    symbol = measures(f'"{text}"c')[0].voices[0].events[0].chord_symbol
    assert symbol is not None
    assert (symbol.root, symbol.kind, symbol.bass) == (root, kind, bass)


@pytest.mark.parametrize("text", ["^slowly", "Fine", "D.C.", "Coda", "_G", "Allegro"])
def test_other_quoted_text_is_an_annotation(text: str) -> None:
    event = measures(f'"{text}"c')[0].voices[0].events[0]
    assert event.chord_symbol is None
    assert event.marks.annotations == (text,)


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        pytest.param("!trill!c", ("trill",), id="in exclamation marks"),
        pytest.param("+trill+c", ("trill",), id="in plus signs"),
        pytest.param("Tc", ("trill",), id="as a letter"),
        pytest.param(".~uc", ("staccato", "roll", "upbow"), id="several"),
        pytest.param("!crescendo(!c", ("crescendo(",), id="with a bracket"),
        pytest.param("U:W=!wedge!\nWc", ("wedge",), id="defined by the user"),
        pytest.param("!fermata!|c", (), id="on a barline"),
    ],
)
def test_decorations(music: str, expected: tuple[str, ...]) -> None:
    assert measures(music)[0].voices[0].events[0].marks.decorations == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        pytest.param("cdef|\nw:syl-la-ble two", ["syl-", "la-", "ble", "two"], id="syllables"),
        pytest.param("cdef|\nw:a _ * b~c", ["a", "_", "", "b c"], id="held, skipped, joined"),
        pytest.param("cd|ef|\nw:a | b", ["a", "", "b", ""], id="a bar sign"),
        pytest.param("czdef|\nw:a b c d", ["a", "b", "c", "d"], id="rests have none"),
        pytest.param("{g}cdef|\nw:a\\-a b c d", ["a-a", "b", "c", "d"], id="an escaped hyphen"),
        pytest.param("cd\\\nef|\nw:a b c d", ["a", "b", "c", "d"], id="a continued line"),
        pytest.param("cd\nw:a b\nef|\nw:c d", ["a", "b", "c", "d"], id="two lines"),
    ],
)
def test_lyrics(music: str, expected: list[str]) -> None:
    found = [
        (event.marks.lyrics or ("",))[0]
        for measure in measures(music)
        for event in measure.voices[0].events
        if event.notes and not event.grace
    ]
    assert found == expected


def test_verses() -> None:
    first, second = measures("cd|\nw:one\nw:two three")[0].voices[0].events
    assert first.marks.lyrics == ("one", "two")
    assert second.marks.lyrics == ("", "three")


def test_fields_of_the_body_belong_to_their_measure() -> None:
    music = "P:A\nc8|d4[Q:1/4=90]d4|\n%%text one\nN:two\n+:three\nV:2\ne8|\nV:1\nf8|\nP:coda"
    first, second = LANGUAGE.parse(f"X:1\nL:1/8\nK:C\n{music}\n").scores[0].parts
    assert [one.fields for one in first.measures] == [
        (("P", "A"),),
        (("Q", "1/4=90"),),
        (("%%text", "one"), ("N", "two three")),
    ]
    assert [one.fields for one in second.measures] == [()]
    assert first.last_fields == (("P", "coda"),)


def test_header_fields_are_kept() -> None:
    text = (
        "%%scale 0.7\nO:Ireland\n\nX:7\nT:First\nT:Second\nC:Who\nR:Jig\nN:50\\% % half\nK:C\n"
        "%%MIDI program 1\nc|\nW:words\n"
    )
    score = LANGUAGE.parse(text).scores[0]
    assert (score.title, score.composer, score.rhythm) == ("First", "Who", "jig")
    assert score.fields == (
        ("%%scale", "0.7"), ("O", "Ireland"), ("X", "7"), ("T", "Second"), ("N", "50%"), ("W", "words"),
    )  # fmt: skip


def test_a_file_header_holds_for_every_tune() -> None:
    document = LANGUAGE.parse("M:3/4\nL:1/4\n\nX:1\nK:C\nccc|\n\nfree text\n\nX:2\nM:2/4\nK:G\ncc|\n")
    first, second = (score.parts[0].measures[0] for score in document.scores)
    assert (first.time.beats, second.time.beats) == ((3,), (2,))
    assert first.is_full
    assert second.is_full


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("K:G\nGABc|", id="without X:"),
        pytest.param("GABc|", id="music alone"),
        pytest.param("X:1\nGABc|", id="without K:"),
        pytest.param("X:1\r\nK:G\r\nGABc|\r\n", id="CRLF"),
        pytest.param("X:1\nK:G\nGABc|", id="no final newline"),
        pytest.param("X:1\nK:G\n%%begintext\nCDE|\n%%endtext\nGABc|", id="a text block"),
        pytest.param("X:1\nK:G\nGA\\\nBc|", id="a continued line"),
        pytest.param("X:1\nK:G\nGA%CD\nBc|", id="a comment"),
    ],
)
def test_fragments_and_files(text: str) -> None:
    score = LANGUAGE.parse(text).scores[0]
    assert [event.notes[0].pitch.step for event in score.parts[0].measures[0].voices[0].events] == list("GABC")


def test_prose_is_no_tune() -> None:
    assert LANGUAGE.parse("Dear reader, this is a letter.\nIt has no music.\n").scores == ()


def test_spans_point_into_the_text() -> None:
    text = HEADER + '𝄞 ^c2 "Am"[CE]2| d4'
    first, second = LANGUAGE.parse(text).scores[0].parts[0].measures
    events = first.voices[0].events
    assert events[0].span.text(text) == "^c2"
    assert events[1].span.text(text) == "[CE]2"
    assert [note.span.text(text) for note in events[1].notes] == ["C", "E"]
    assert first.span.text(text).endswith("|")
    assert second.span.text(text) == "d4"


@pytest.mark.parametrize(
    ("music", "code"),
    [
        pytest.param("C8|CDEF GAB|c8|c8|", "measure-too-short", id="short measure"),
        pytest.param("C8|CDEF GABcd|c8|c8|", "measure-too-long", id="long measure"),
        pytest.param("c8 & C4|c8|", "overlay-length", id="overlay"),
        pytest.param("[CE", "unclosed-chord", id="chord"),
        pytest.param("{CE", "unclosed-grace", id="grace notes"),
        pytest.param('"Am', "unclosed-string", id="string"),
        pytest.param("!tri", "unclosed-decoration", id="decoration"),
        pytest.param("[K:G", "unclosed-inline", id="inline field"),
        pytest.param("(3AB(3ABc", "unfinished-tuplet", id="tuplet"),
        pytest.param("[K:Z]c", "unknown-key", id="key"),
        pytest.param("[M:1.5]c", "unknown-metre", id="metre"),
        pytest.param("[L:x]c", "unknown-length", id="unit length"),
        pytest.param("c}", "unknown-characters", id="unknown characters"),
        pytest.param("^|c", "accidental-without-note", id="accidental"),
        pytest.param(">c", "misplaced-sign", id="broken rhythm"),
        pytest.param("c\nw:a b c", "too-many-syllables", id="lyrics"),
        pytest.param("c0", "invalid-length", id="length"),
        pytest.param("^/c", "microtone", id="microtone"),
    ],
)
def test_diagnostics(music: str, code: str) -> None:
    document = LANGUAGE.parse(HEADER + music)
    assert codes(document) == [code]
    found = document.diagnostics[0]
    assert len(HEADER) <= found.span.start <= found.span.end <= len(document.text)
    assert found.paragraph.startswith("ABC 2.1, ")


@pytest.mark.parametrize(
    "music",
    [
        pytest.param("G|c8|d7:|", id="a pickup and its complement"),
        pytest.param("c8|d4:|:e4|f8|]", id="a repeat in mid-measure"),
        pytest.param("c8|d6|1e2:|2e2|]", id="endings"),
        pytest.param("c8|d4|e4|f8|", id="a split measure"),
        pytest.param("c8|de", id="an unfinished last measure"),
        pytest.param("[M:none]c3|d5|e|", id="free metre"),
        pytest.param("[M:3/4]c6|[M:2/4]d4|", id="metre changes"),
    ],
)
def test_no_false_alarms(music: str) -> None:
    assert codes(LANGUAGE.parse(HEADER + music)) == []


@pytest.mark.parametrize(
    ("definition", "music", "expected"),
    [
        pytest.param("~G3 = G{A}G{F}G", "~G3 c", ["G", "A", "G", "F", "G", "c"], id="static"),
        pytest.param("~n3 = n{o}n{m}n", "~G3 c", ["G", "A", "G", "F", "G", "c"], id="transposing"),
        pytest.param(
            "~n3 = n{o}n{m}n", "~B,3 ~b3", ["B,", "C", "B,", "A,", "B,", "b", "c'", "b", "a", "b"], id="octaves"
        ),
        pytest.param("tn = !trill!n", "tc", ["c"], id="a decoration"),
        pytest.param("q = cd", '"q"e !q!f q % q', ["e", "f", "c", "d"], id="not in strings, names and comments"),
        pytest.param("q = qc", "q", ["c"], id="once"),
        pytest.param("~g = c\nm:~g2 = d", "~g2", ["d"], id="the longest name"),
        pytest.param("q = c\nm:q = d", "q", ["d"], id="the last definition"),
    ],
)
def test_macros(definition: str, music: str, expected: list[str]) -> None:
    found = LANGUAGE.parse(f"X:1\nL:1/8\nm:{definition}\nK:C\n{music}").scores[0].parts[0].measures
    plain = LANGUAGE.parse("X:1\nL:1/8\nK:C\n" + "".join(expected)).scores[0].parts[0].measures
    assert [[note.pitch for event in one.voices[0].events for note in event.notes] for one in found] == [
        [note.pitch for event in one.voices[0].events for note in event.notes] for one in plain
    ]


def test_macros_have_the_place_where_they_stand() -> None:
    text = "X:1\nm:~n2={o}n[ce]|\nK:C\nA ~G2 B|\n"
    first, second = LANGUAGE.parse(text).scores[0].parts[0].measures
    assert [event.span.text(text) for event in first.voices[0].events] == ["A", "~G2", "~G2", "~G2"]
    assert first.span.text(text) == "A ~G2"
    assert second.span.text(text) == "B|"


@pytest.mark.parametrize(
    ("directive", "alters"),
    [
        pytest.param("%%propagate-accidentals not", [1, 0, 0, 0], id="not"),
        pytest.param("%%propagate-accidentals octave", [1, 1, 0, 0], id="octave"),
        pytest.param("I:propagate-accidentals pitch", [1, 1, 1, 0], id="pitch"),
        pytest.param("%%propagate-accidentals what", [1, 1, 0, 0], id="unknown"),
    ],
)
def test_how_far_accidentals_hold(directive: str, alters: list[int]) -> None:
    found = LANGUAGE.parse(f"X:1\n{directive}\nK:C\n^F F f|F|").scores[0].parts[0].measures
    assert [event.notes[0].pitch.alter for one in found for event in one.voices[0].events] == alters


@pytest.mark.parametrize(
    ("music", "sizes", "decorations"),
    [
        pytest.param("+CEG+ c", [3, 1], [(), ()], id="a chord"),
        pytest.param("+^C2_e'2+ c", [2, 1], [(), ()], id="with accidentals and lengths"),
        pytest.param("+ff+c", [1], [("ff",)], id="a dynamic"),
        pytest.param("+f+c", [1], [("f",)], id="one letter"),
        pytest.param("+trill+c", [1], [("trill",)], id="a name"),
    ],
)
def test_plus_signs(music: str, sizes: list[int], decorations: list[tuple[str, ...]]) -> None:
    events = measures(music)[0].voices[0].events
    assert [len(event.notes) for event in events] == sizes
    assert [event.marks.decorations for event in events] == decorations


def test_symbol_lines() -> None:
    first, second = measures('cdz|ef|\ns: !p! "^slow" | "Am" +trill+ *\nw:a b c d')
    events = [event for one in (first, second) for event in one.voices[0].events if event.notes]
    assert [event.marks.decorations for event in events] == [("p",), (), (), ("trill",)]
    assert [event.marks.annotations for event in events] == [(), ("^slow",), (), ()]
    assert [event.chord_symbol is not None for event in events] == [False, False, True, False]
    assert [event.marks.lyrics for event in events] == [("a",), ("b",), ("c",), ("d",)]


@pytest.mark.parametrize(
    ("music", "spans"),
    [
        pytest.param("(3ccc c2|((3ddd d2)|", ["(3ccc c2|", "((3ddd d2)|"], id="tuplets and slurs"),
        pytest.param('| "Am" !f!c8 | {g}.d8 |', ['"Am" !f!c8 |', "{g}.d8 |"], id="marks"),
        pytest.param("c8|\n ~d8|[K:G]e8|1f8|", ["c8|", "~d8|", "e8|", "f8|"], id="not fields and endings"),
        pytest.param("c8(|d8)|", ["c8(|", "d8)|"], id="a sign before the barline"),
    ],
)
def test_measures_begin_with_their_first_sign(music: str, spans: list[str]) -> None:
    assert [one.span.text(HEADER + music) for one in measures(music)] == spans


@pytest.mark.parametrize(
    "music",
    [
        pytest.param("c8|def|", id="a short measure"),
        pytest.param("c8|def|\n", id="a short measure on its line"),
        pytest.param("c8|defgabcde|", id="a long measure"),
        pytest.param("G|c8|d7|", id="a complement without a repeat"),
        pytest.param("def|", id="a pickup"),
        pytest.param("c8|d4|e4|", id="a split measure"),
        pytest.param("c8|d4:|", id="a section's end"),
        pytest.param("c8|d8 & e4|", id="an overlay"),
        pytest.param("V:1\nc8|def|\nV:2\nc8|def|", id="voices"),
    ],
)
def test_music_that_follows_adds_no_finding(music: str) -> None:
    assert codes(LANGUAGE.parse(HEADER + music + "g8|")) == codes(LANGUAGE.parse(HEADER + music))


def test_a_short_last_measure_is_found_once_it_is_closed() -> None:
    assert codes(LANGUAGE.parse(HEADER + "c8|def|")) == ["measure-too-short"]
    assert codes(LANGUAGE.parse(HEADER + "c8|def")) == []


def test_overlays_without_events_do_not_count() -> None:
    assert [voice.number for voice in measures("A&0&A")[0].voices] == [1, 2]


def test_binary_data_is_refused() -> None:
    document = LANGUAGE.parse("X:1\nK:C\nabc\0def")
    assert document.scores == ()
    assert codes(document) == ["not-text"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("X:1\nK:C\n%" + "-" * 2_000_000, "text-too-long", id="long text"),
        pytest.param("X:1\nK:C\n" + "a" * 30_000, "too-much-music", id="long line"),
    ],
)
def test_too_much_is_not_read(text: str, code: str) -> None:
    assert code in codes(LANGUAGE.parse(text))


PIECES = """X:1\\n K:G\\n M:6/8\\n [V:2] V:2\\n : :: [1 a B, c' ^ __ (3 ( { } [ ] - < >> & && \\n \\n\\n \\r\\n 𝄞
w:a-b_*\\n z Z4 "Am" " !f! ! + \\\\ y / 3/2 0 9 % [K: [M:3/4] (4:3: ~ T h +:x\\n U:T=!f!\\n %%begintext\\n K:Cexp^f\\n
| || |: :| |] [| m:~n=non\\n m:c=dd\\n s:!f!*\\n (& &) +CE+ {/ .( %%propagate-accidentals"""
WORDS = [piece.encode("ascii", "backslashreplace").decode("unicode_escape") for piece in PIECES.split()]
ABC_LIKE = st.lists(
    st.sampled_from([" ", "\u2028", *WORDS]),
    max_size=60,
).map("".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=200), ABC_LIKE, ABC_LIKE.map(lambda music: HEADER + music)))
@example("X:")
@example("!+!A")
@example("K:\nN:0")
@example("A[M:1/2]X")
@example("{A\n[M:1/2]X")
def test_no_text_makes_it_fail(text: str) -> None:
    document = LANGUAGE.parse(text)
    assert document.text == text
    assert all(0 <= one.span.start <= one.span.end <= len(text) for one in document.diagnostics)
    assert LANGUAGE.parse(LANGUAGE.print(document.scores)).scores == document.scores
    for offset in range(0, len(text) + 1, 7):
        LANGUAGE.completion_site(document, offset)
        LANGUAGE.table_items(document, offset)


def test_a_length_in_an_old_chord_may_make_no_sense() -> None:
    document = LANGUAGE.parse("X:1\nL:1/8\nK:C\n+c/2/3e+ d|\n")
    chord = document.scores[0].parts[0].measures[0].voices[0].events[0]
    assert [note.pitch for note in chord.notes] == [Pitch("C", 5), Pitch("E", 5)]
    assert [(one.code, one.span.text(document.text)) for one in document.diagnostics] == [("unknown-characters", "/3")]


def test_an_exclamation_mark_alone_says_nothing() -> None:
    assert LANGUAGE.parse("X:1\nL:1/4\nK:C\nc! d! e f|]\n").diagnostics == ()


def test_pitch_letters() -> None:
    assert measures("c")[0].voices[0].events[0].notes[0].pitch == Pitch("C", 5)
