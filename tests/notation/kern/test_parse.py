"""Whole **kern texts: voices, parts, measures, ties and what is wrong."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notation.kern import parse
from notation.score import FREE_METRE, Pitch, TimeSignature


def kern(*lines):
    """A text from lines with spaces for tabs."""
    return "\n".join(line if line.startswith("!!!") else line.replace(" ", "\t").replace("_", " ") for line in lines)


def score(*lines):
    return parse(kern(*lines)).scores[0]


def events(voice):
    return [(e.onset, e.duration, [n.pitch.midi for n in e.notes], e.hidden) for e in voice.events]


def shape(measure):
    return {(v.staff, v.number): [str(e.duration) + ("x" if e.hidden else "r" * e.is_rest) for e in v.events]
            for v in measure.voices}  # fmt: skip


def test_one_spine_with_a_pickup():
    piece = score("!!!OTL: A tune", "!!!COM: Somebody", "**kern", "*clefG2", "*k[f#]", "*G:", "*M3/4", "4d", "=1",
                  "4g", "4b", "4dd", "=2", "2.g", "==", "*-")  # fmt: skip
    (part,) = piece.parts
    assert (piece.title, piece.composer) == ("A tune", "Somebody")
    assert [m.number for m in part.measures] == ["", "1", "2"]
    assert [m.implicit for m in part.measures] == [True, False, False]
    assert [m.duration for m in part.measures] == [Fraction(1, 4), Fraction(3, 4), Fraction(3, 4)]
    assert part.measures[2].barline.style == "final"
    assert {(m.key.fifths, m.key.mode, m.clefs) for m in part.measures} == {(1, "major", ("treble",))}


def test_parts_go_from_the_highest_down():
    piece = score("**kern **kern **kern", "*Icello *Iviola *Ivioln", '*I"Vc. *I"Va. *I"Vl.', "4C 4c 4cc", "==_ ==_ ==_",
                  "*- *- *-")  # fmt: skip
    assert [(part.name, part.instrument, part.staves) for part in piece.parts] == [
        ("Vl.", "violin", 1), ("Va.", "viola", 1), ("Vc.", "cello", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "staves"),
    [
        pytest.param(["*part1 *part1"], [2], id="one *part"),
        pytest.param(["*part2 *part1"], [1, 1], id="two *parts"),
        pytest.param(["*part2 *part1", "*Ipiano *Ipiano"], [2], id="a piano is one part, whatever *part says"),
        pytest.param(["*Ivioln *Ivioln"], [1, 1], id="two violins are two"),
        pytest.param(['*I"Harp *I"Harp'], [2], id="one name"),
        pytest.param(["*Ipiano *"], [2], id="a piano named once"),
        pytest.param(["*clefF4 *clefG2"], [2], id="nothing but a bass and a treble clef"),
        pytest.param(["*clefG2 *clefG2"], [1, 1], id="nothing but two treble clefs"),
    ],
)
def test_which_spines_share_a_part(header, staves):
    piece = score("**kern **kern", *header, "4C 4c", "== ==", "*- *-")
    assert [part.staves for part in piece.parts] == staves


def test_staff_1_is_the_highest():
    piece = score("**kern **kern", "*Iorgan *Iorgan", "*clefF4 *clefG2", "1C 1cc", "== ==", "*- *-")
    (measure,) = piece.parts[0].measures
    assert measure.clefs == ("treble", "bass")
    assert [(v.staff, v.events[0].notes[0].pitch) for v in measure.voices] == [(1, Pitch("C", 5)), (2, Pitch("C", 3))]


def test_a_split_spine_is_two_voices_and_gaps_are_hidden_rests():
    piece = score("**kern", "*M4/4", "=1", "4c", "*^", "4g 2e", "4a .", "*v *v", "4f", "=2", "1c", "==", "*-")
    first, second = piece.parts[0].measures
    assert shape(first) == {(1, 1): ["1/4"] * 4, (1, 2): ["1/4x", "1/2", "1/4x"]}
    assert shape(second) == {(1, 1): ["1"]}


def test_exchanged_columns_keep_their_voices():
    piece = score("**kern", "*M2/4", "*^", "4g 4c", "*x *x", "4d 4a", "==_ ==_", "*v *v", "*-")
    (measure,) = piece.parts[0].measures
    assert [events(v) for v in measure.voices] == [
        [(0, Fraction(1, 4), [67], False), (Fraction(1, 4), Fraction(1, 4), [69], False)],
        [(0, Fraction(1, 4), [60], False), (Fraction(1, 4), Fraction(1, 4), [62], False)],
    ]


def test_spines_that_merge_side_by_side_stay_apart():
    text = kern("**kern **kern", "*M1/4 *M1/4", "*^ *^", "4C 4D 4e 4f", "*v *v *v *v", "= =", "4E 4g", "== ==", "*- *-")
    document = parse(text)
    assert not document.diagnostics
    upper, lower = document.scores[0].parts
    assert [events(m.voices[0])[0][2] for m in upper.measures] == [[64], [67]]
    assert [events(m.voices[0])[0][2] for m in lower.measures] == [[48], [52]]


def test_a_merge_across_spines_keeps_the_columns_right():
    text = kern("**kern **kern", "* *^", "4C 4e 4f", "*v *v *", "4D 4g", "== ==", "*- *-")
    document = parse(text)
    assert not document.diagnostics
    assert sum(len(e.notes) for p in document.scores[0].parts for m in p.measures for v in m.voices
               for e in v.events) == 5  # fmt: skip


def test_notes_and_rests_across_barlines_are_cut():
    piece = score("**kern **kern", "*M2/4 *M2/4", "=1 =1", "1r 2.c", "=2 =2", ". .", ". 4d", "== ==", "*- *-")
    upper, lower = piece.parts
    assert [shape(m) for m in upper.measures] == [{(1, 1): ["1/2"]}, {(1, 1): ["1/4", "1/4"]}]
    assert upper.measures[0].voices[0].events[0].notes[0].tie
    assert not upper.measures[1].voices[0].events[0].notes[0].tie
    assert [m.voices[0].events[0].whole_measure for m in lower.measures] == [True, True]


def test_what_no_single_note_can_last_becomes_tied_notes():
    piece = score("**kern **kern", "*M5/8 *M5/8", "4r 1c", "4.r .", "= =", "4.r .", "4r 4d", "== ==", "*- *-")
    upper = piece.parts[0]
    assert [shape(m) for m in upper.measures] == [{(1, 1): ["1/2", "1/8"]}, {(1, 1): ["3/8", "1/4"]}]
    assert [n.tie for m in upper.measures for e in m.voices[0].events for n in e.notes] == [True, True, False, False]


@pytest.mark.parametrize(
    ("first", "second", "tied"),
    [
        pytest.param("[4c", "4c]", True, id="lands"),
        pytest.param("[4c", "4d", False, id="another pitch"),
        pytest.param("[4c", "4r", False, id="a rest"),
        pytest.param("[4c", "=\n4c]", True, id="over a barline"),
        pytest.param("[4c", "8qd\n4c]", True, id="over a grace note"),
    ],
)
def test_a_tie_is_kept_if_it_lands(first, second, tied):
    piece = score("**kern", first, *second.split("\n"), "==", "*-")
    assert piece.parts[0].measures[0].voices[0].events[0].notes[0].tie is tied


def test_grace_notes_take_no_time():
    piece = score("**kern", "*M2/4", "4c", "16qd", "16qe", "4c", "==", "*-")
    assert [(str(e.onset), str(e.duration), e.grace) for e in piece.parts[0].measures[0].voices[0].events] == [
        ("0", "1/4", False), ("1/4", "0", True), ("1/4", "0", True), ("1/4", "1/4", False),
    ]  # fmt: skip


def test_repeats_and_changes():
    piece = score("**kern", "*M2/4", "=1!|:", "2c", "=2:|!|:", "*M3/4", "*k[b-]", "2.d", "=3:|!", "*-")
    first, second = piece.parts[0].measures
    assert (first.repeat_start, first.barline.repeat_end) == (True, True)
    assert (second.repeat_start, second.barline.repeat_end) == (True, True)
    assert (second.time, second.key.fifths) == (TimeSignature((3,), 4), -1)
    assert first.key.fifths == 0


def test_without_a_metre_it_is_free():
    assert score("**kern", "4c", "==", "*-").parts[0].measures[0].time == FREE_METRE


def test_transposing_parts_are_written():
    piece = score("**kern", "*Iclars", "*ITrd1c2", "*k[b-e-]", "4b-", "==", "*-")
    (measure,) = piece.parts[0].measures
    assert (measure.transpose, measure.key.fifths) == (-2, 0)
    assert measure.voices[0].events[0].notes[0].pitch == Pitch("C", 5)


def test_an_overlong_spine_is_cut_short_and_said():
    text = kern("**kern **kern", "*M2/4 *M2/4", "=1 =1", "2c 2.e", "=2 =2", "2d 2f", "== ==", "*- *-")
    document = parse(text)
    assert [d.code for d in document.diagnostics] == ["overlapping-notes"]
    assert [shape(m) for m in document.scores[0].parts[0].measures] == [{(1, 1): ["1/2"]}] * 2


def test_durations_beyond_the_grid_are_exact():
    piece = score("**kern", "37c", "41d", "==", "*-")
    assert [e.onset for e in piece.parts[0].measures[0].voices[0].events] == [0, Fraction(1, 37)]


def test_text_makes_a_voice_and_other_spines_are_passed_over():
    piece = score("**kern **text **dynam", "4c la f", "== == ==", "*- *- *-")
    assert [part.instrument for part in piece.parts] == ["voice"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("", "no-kern", id="empty"),
        pytest.param("hello", "no-kern", id="something else"),
        pytest.param("**kern\t**kern\n4c\n*-\t*-", "column-count", id="a missing column"),
        pytest.param("**kern\nhello\n4c\n*-", "unreadable-token", id="no note"),
    ],
)
def test_what_is_wrong_is_said(text, code):
    document = parse(text)
    assert code in [d.code for d in document.diagnostics]
    assert all(0 <= d.span.start <= d.span.end <= len(text) for d in document.diagnostics)


def test_windows_line_ends_read_alike():
    text = kern("**kern", "*M2/4", "4c", "4d", "==", "*-")
    assert parse(text.replace("\n", "\r\n")).scores == parse(text).scores


_CELLS = st.sampled_from(
    ["*", "*^", "*v", "*x", "*-", "*+", "**kern", "**text", ".", "=", "=2:|!", "==", "=3-", "4c", "8.d 8.f", "[2e",
     "2e]", "1r", "0.g", "12a", "37%3b", "16qc", "*M3/4", "*M2/8", "*k[f#]", "*ITrd1c2", "!x", "4", "q", "%",
     "\u2028", ""]
)  # fmt: skip
_LINES = st.lists(_CELLS, min_size=1, max_size=4).map("\t".join)


@given(st.lists(_LINES, max_size=25).map("\n".join), st.integers(1, 3))
@example("4c\n=\n*-\n**kern", 1)
def test_any_text_gives_full_voices(text, n_spines):
    document = parse("\t".join(["**kern"] * n_spines) + "\n" + text)
    (piece,) = document.scores
    assert len({len(part.measures) for part in piece.parts}) == 1
    for index in range(piece.n_measures):
        durations = {voice.duration for part in piece.parts for voice in part.measures[index].voices}
        assert len(durations) == 1
    for voice in (voice for part in piece.parts for measure in part.measures for voice in measure.voices):
        clock = Fraction(0)
        for event in voice.events:
            assert event.onset == clock
            clock = event.end


@given(st.text())
def test_parsing_never_fails(text):
    assert len(parse(text).scores) == 1
