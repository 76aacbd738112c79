"""What single **kern tokens say."""

from fractions import Fraction

import pytest

from notation.kern import tokens
from notation.score import FREE_METRE, KeySignature, Pitch, TimeSignature


@pytest.mark.parametrize(
    ("token", "duration", "tuplet"),
    [
        pytest.param("4c", Fraction(1, 4), None, id="quarter"),
        pytest.param("8.c", Fraction(3, 16), None, id="dotted"),
        pytest.param("4..c", Fraction(7, 16), None, id="two dots"),
        pytest.param("0c", Fraction(2), None, id="breve"),
        pytest.param("00c", Fraction(4), None, id="long"),
        pytest.param("0.c", Fraction(3), None, id="dotted breve"),
        pytest.param("12c", Fraction(1, 12), (3, 2), id="triplet eighth"),
        pytest.param("20c", Fraction(1, 20), (5, 4), id="quintuplet"),
        pytest.param("28c", Fraction(1, 28), (7, 4), id="septuplet"),
        pytest.param("36c", Fraction(1, 36), (9, 8), id="nonuplet"),
        pytest.param("3%2c", Fraction(2, 3), (3, 2), id="rational reciprocal"),
        pytest.param("16qc", Fraction(0), None, id="grace note"),
        pytest.param("qqc", Fraction(0), None, id="grace note without a value"),
        pytest.param("4r", Fraction(1, 4), None, id="rest"),
        pytest.param("4.c", Fraction(3, 8), None, id="dot"),
        pytest.param("4a.\\L", Fraction(3, 8), None, id="dot after the pitch"),
        pytest.param("2..c 2..e", Fraction(7, 8), None, id="two dots in a chord"),
    ],
)
def test_durations(token, duration, tuplet):
    read = tokens.note_token(token)
    assert (read.duration, read.tuplet) == (duration, tuplet)


@pytest.mark.parametrize(
    ("token", "pitches"),
    [
        pytest.param("4c", [Pitch("C", 4)], id="middle C"),
        pytest.param("4C", [Pitch("C", 3)], id="capital"),
        pytest.param("4BBB-", [Pitch("B", 1, -1)], id="three capitals, flat"),
        pytest.param("4fff##\\L", [Pitch("F", 6, 2)], id="double sharp with stem and beam"),
        pytest.param("4e--X", [Pitch("E", 4, -2)], id="double flat, printed"),
        pytest.param("(>2gnXT;", [Pitch("G", 4)], id="natural among signifiers"),
        pytest.param("4ee 4c 4g", [Pitch("C", 4), Pitch("G", 4), Pitch("E", 5)], id="chord, sorted"),
        pytest.param("4c 4c", [Pitch("C", 4)], id="unison is one note"),
        pytest.param("4ggr", [], id="rest with a place on the staff"),
        pytest.param("8A<- 8F<", [Pitch("F", 3), Pitch("A", 3, -1)], id="placing before the accidental"),
        pytest.param("8c>c", [Pitch("C", 5)], id="placing inside the pitch"),
    ],
)
def test_pitches(token, pitches):
    assert [note.pitch for note in tokens.note_token(token).notes] == pitches


@pytest.mark.parametrize(
    "token",
    ["", "c", "xyz", "4%0c", "0%3c", "r", "16qr", "99999999c", "q"],
)
def test_what_is_no_note_is_none(token):
    assert tokens.note_token(token) is None


def test_ties_rests_and_marks():
    assert [note.tie for note in tokens.note_token("[4c 4e_ 4g]").notes] == [True, True, False]
    assert tokens.note_token("4ryy").hidden
    assert tokens.note_token("4yy").hidden
    assert not tokens.note_token("4r").hidden
    marks = tokens.note_token("((4cT;)").marks
    assert (set(marks.decorations), marks.slur_starts, marks.slur_ends) == ({"trill", "fermata"}, 2, 1)


@pytest.mark.parametrize(
    ("token", "style", "ends", "starts", "number"),
    [
        pytest.param("=12", "regular", False, False, "12", id="plain"),
        pytest.param("==", "final", False, False, "", id="final"),
        pytest.param("=5||", "double", False, False, "5", id="double"),
        pytest.param("=5-", "none", False, False, "5", id="invisible"),
        pytest.param("=9:|!", "regular", True, False, "9", id="repeat end"),
        pytest.param("=1!|:", "regular", False, True, "1", id="repeat start"),
        pytest.param("=4:|!|:", "regular", True, True, "4", id="both"),
        pytest.param("==:|!;", "regular", True, False, "", id="repeat at the end, fermata"),
        pytest.param("=|!", "final", False, False, "", id="light and heavy"),
    ],
)
def test_barlines(token, style, ends, starts, number):
    assert tokens.barline_token(token) == tokens.BarlineToken(style, ends, starts, number)


@pytest.mark.parametrize(
    ("token", "key"),
    [
        pytest.param("*k[]", KeySignature(0), id="none"),
        pytest.param("*k[f#c#]", KeySignature(2), id="two sharps"),
        pytest.param("*k[c#f#]", KeySignature(2), id="order does not matter"),
        pytest.param("*k[b-e-a-]", KeySignature(-3), id="three flats"),
        pytest.param("*k[f#b-]", KeySignature(0, "", (("B", -1), ("F", 1))), id="none of the usual"),
        pytest.param("*k[c#]", KeySignature(0, "", (("C", 1),)), id="one sharp, but not F"),
        pytest.param("*G:", None, id="a name is no signature"),
    ],
)
def test_key_signatures(token, key):
    assert tokens.key_signature(token) == key


@pytest.mark.parametrize(
    ("token", "fifths", "mode"),
    [
        pytest.param("*G:", 1, "major", id="major"),
        pytest.param("*e:", 1, "minor", id="minor"),
        pytest.param("*B-:", -2, "major", id="flat tonic"),
        pytest.param("*f#:", 3, "minor", id="sharp tonic"),
        pytest.param("*d:dor", 0, "dorian", id="dorian"),
        pytest.param("*f:", -1, "", id="the name belongs to another signature"),
        pytest.param("*k[]", 0, None, id="no name"),
    ],
)
def test_modes(token, fifths, mode):
    assert tokens.key_mode(token, KeySignature(fifths)) == mode


def test_metres():
    assert tokens.time_signature("*M6/8") == TimeSignature((6,), 8)
    assert tokens.time_signature("*M2+3/8") == TimeSignature((2, 3), 8)
    for no_metre in ("*M3/5", "*M0/4", "*M4", "*MM120", "*met(c)"):
        assert tokens.time_signature(no_metre) is None
    assert tokens.mensuration_symbol("*met(c)", TimeSignature()) == "common"
    assert tokens.mensuration_symbol("*met(c|)", TimeSignature((2,), 2)) == "cut"
    assert tokens.mensuration_symbol("*met(c)", FREE_METRE) == ""


@pytest.mark.parametrize(
    ("token", "sounding", "written", "key"),
    [
        pytest.param("*ITrd1c2", Pitch("B", 3, -1), Pitch("C", 4), KeySignature(2), id="clarinet in B flat"),
        pytest.param("*ITrd2c3", Pitch("A", 4), Pitch("C", 5), KeySignature(-3), id="clarinet in A"),
        pytest.param("*ITrd4c7", Pitch("F", 3), Pitch("C", 4), KeySignature(1), id="horn in F"),
        pytest.param("*ITrd7c12", Pitch("F", 1, 1), Pitch("F", 2, 1), KeySignature(0), id="double bass"),
        pytest.param("*ITrd8c12", Pitch("F", 1, 1), Pitch("F", 2, 1), KeySignature(0), id="an octave of eight steps"),
    ],
)
def test_transpositions(token, sounding, written, key):
    interval = tokens.transposition(token)
    assert interval.pitch(sounding) == written
    assert interval.key(KeySignature(0)) == key


def test_an_interval_of_no_instrument_is_no_transposition():
    assert tokens.transposition("*ITrd9c13") is None
