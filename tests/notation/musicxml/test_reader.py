"""Reading: what the elements of MusicXML mean, and what is said about those that are wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest

from notation.musicxml import parse
from notation.score import (
    FREE_METRE,
    Barline,
    ChordSymbol,
    Event,
    KeySignature,
    Measure,
    Pitch,
    TimeSignature,
    Voice,
)
from tests.notation.musicxml.documents import ATTRIBUTES, FIRST, HEAD, QUARTERS, document, measure, note, part

F = Fraction


def measures_of(*measures: str) -> tuple[Measure, ...]:
    return parse(document(part("P1", *measures))).scores[0].parts[0].measures


def first(content: str) -> Measure:
    return measures_of(measure(1, ATTRIBUTES + content))[0]


def events(content: str) -> tuple[Event, ...]:
    return first(content).voices[0].events


def codes(*measures: str) -> list[str]:
    return [one.code for one in parse(document(part("P1", *measures))).diagnostics]


def test_header() -> None:
    text = document(part("P1", FIRST), part("P2", FIRST))
    text = text.replace(
        "  <part-list>",
        '  <identification><creator type="composer">J. S. &amp; Co</creator>'
        '<creator type="lyricist">N. N.</creator><miscellaneous><miscellaneous-field name="rhythm">reel'
        "</miscellaneous-field></miscellaneous></identification>\n  <part-list>",
    )
    score = parse(text).scores[0]
    assert (score.title, score.composer, score.rhythm) == ("Air", "J. S. & Co", "reel")
    assert score.fields == (("identification/creator[lyricist]", "N. N."),)
    assert [(one.id, one.name, one.instrument) for one in score.parts] == [
        ("P1", "Violin", "violin"),
        ("P2", "Piano", "piano"),
    ]


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        ("Violino I", "violin"),
        ("Violoncello", "cello"),
        ("Kontrabass", "double-bass"),
        ("Klarinette in B", "clarinet"),
        ("Gesang", "voice"),
        ("Bass", "bass-voice"),
        ("Bass Clarinet", "clarinet"),
        ("Tenor Saxophone", "saxophone"),
        ("Corno Inglese", "oboe"),
        ("Corni in F", "horn"),
        ("Pauken", "timpani"),
        ("Mezzo-soprano", "soprano"),
        ("Harpsichord", "harpsichord"),
        ("Part 1", ""),
    ],
)
def test_instruments_by_name(name: str, instrument: str) -> None:
    text = document(part("P1", FIRST)).replace(">Violin<", f">{name}<")
    assert parse(text).scores[0].parts[0].instrument == instrument


def test_notes_onsets_and_spans() -> None:
    text = document(part("P1", FIRST))
    read = parse(text).scores[0].parts[0].measures[0]
    found = read.voices[0].events
    assert [event.onset for event in found] == [F(0), F(1, 4), F(1, 2)]
    assert {event.duration for event in found} == {F(1, 4)}
    assert [event.notes[0].pitch for event in found] == [Pitch("G", 4), Pitch("A", 4), Pitch("B", 4)]
    for event in found:
        assert event.span.text(text).startswith("<note>")
        assert event.span.text(text).endswith("</note>")
    assert (read.time, read.key, read.clefs) == (TimeSignature((3,), 4), KeySignature(1, "major"), ("treble",))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(note("C4", 2, "<tie type='start'/>"), [(Pitch("C", 4), True)], id="tie"),
        pytest.param(
            note("C4", 2, '<notations><tied type="start"/></notations>'), [(Pitch("C", 4), True)], id="only printed tie"
        ),
        pytest.param(
            note("E4", 2) + note("C4", 2, "<chord/>"),
            [(Pitch("C", 4), False), (Pitch("E", 4), False)],
            id="chord from the lowest note up",
        ),
        pytest.param(
            "<note><unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
            "<duration>2</duration></note>",
            [(Pitch("E", 4), False)],
            id="percussion",
        ),
        pytest.param(note("", 2), [], id="rest"),
    ],
)
def test_one_event(content: str, expected: list[tuple[Pitch, bool]]) -> None:
    (event,) = events(content)
    assert [(one.pitch, one.tie) for one in event.notes] == expected
    assert event.duration == F(1, 4)


def test_a_short_grace_note_is_an_acciaccatura() -> None:
    short, long, _ = events(note("A4", 0, '<grace slash="yes"/>') + note("A4", 0, "<grace/>") + note("G4", 2))
    assert short.marks.decorations == ("acciaccatura",)
    assert long.marks.decorations == ()


def test_grace_notes_last_nothing() -> None:
    grace, main = events(note("A4", 0, "<grace/>") + note("G4", 2))
    assert (grace.grace, grace.onset, grace.duration) == (True, F(0), F(0))
    assert (main.grace, main.onset) == (False, F(0))


def test_cue_notes_leave_a_gap() -> None:
    gap, main = events(note("C5", 2, "<cue/>") + note("G4", 2))
    assert (gap.hidden, gap.duration, main.onset) == (True, F(1, 4), F(1, 4))


@pytest.mark.parametrize(("ratio", "tuplet"), [((3, 2), (3, 2)), ((6, 4), (3, 2)), ((5, 4), (5, 4)), ((1, 1), None)])
def test_tuplets_are_reduced(ratio: tuple[int, int], tuplet: tuple[int, int] | None) -> None:
    modification = (
        f"<time-modification><actual-notes>{ratio[0]}</actual-notes><normal-notes>{ratio[1]}</normal-notes>"
        "</time-modification>"
    )
    assert events(note("G4", 1, modification))[0].tuplet == tuplet


def test_whole_measure_rests() -> None:
    said = first("<note><rest measure='yes'/><duration>6</duration></note>").voices[0].events
    meant = first("<note><rest/><duration>6</duration></note>").voices[0].events
    assert said == meant == (Event(F(0), F(3, 4), whole_measure=True),)


def test_voices_and_staves() -> None:
    content = (
        note("G4", 6, voice="7", staff="1")
        + "<backup><duration>6</duration></backup>"
        + note("E4", 2, voice="9", staff="1")
        + "<backup><duration>2</duration></backup>"
        + note("C3", 6, voice="2", staff="2")
    )
    read = first(content)
    assert [(voice.staff, voice.number) for voice in read.voices] == [(1, 1), (1, 2), (2, 1)]
    filling = read.voices[1].events[1]
    assert (filling.hidden, filling.duration) == (True, F(1, 2))


def test_a_voice_that_overlaps_itself_keeps_all_its_notes() -> None:
    read = first(note("G4", 6) + "<backup><duration>6</duration></backup>" + note("C3", 6, staff="2"))
    assert [voice.staff for voice in read.voices] == [1, 2]
    assert [voice.events[0].notes[0].pitch.step for voice in read.voices] == ["G", "C"]


def test_forward_leaves_a_hidden_rest() -> None:
    gap, sounding = events("<forward><duration>2</duration></forward>" + note("G4", 4))
    assert (gap.hidden, gap.duration, sounding.onset) == (True, F(1, 4), F(1, 4))


def test_divisions_may_change_inside_a_measure() -> None:
    change = "<attributes><divisions>6</divisions></attributes>"
    assert [event.duration for event in events(note("G4", 2) + change + note("A4", 2))] == [F(1, 4), F(1, 12)]


def test_signatures_change_with_the_measure_in_which_they_stand_first() -> None:
    key = "<attributes><key><fifths>-2</fifths><mode>minor</mode></key></attributes>"
    time = "<attributes><time symbol='common'><beats>2+3</beats><beat-type>8</beat-type></time></attributes>"
    read = measures_of(FIRST, measure(2, key + QUARTERS), measure(3, QUARTERS + time), measure(4, note("G4", 5)))
    assert [one.key.fifths for one in read] == [1, -2, -2, -2]
    assert [one.time.beats for one in read] == [(3,), (3,), (3,), (2, 3)]
    assert read[3].time.symbol == "common"


@pytest.mark.parametrize(
    ("element", "time"),
    [
        ("<time><senza-misura/></time>", FREE_METRE),
        (
            "<time><beats>3</beats><beat-type>8</beat-type><beats>2</beats><beat-type>4</beat-type></time>",
            TimeSignature((3, 4), 8),
        ),
        ("<time><beats>0</beats><beat-type>4</beat-type></time>", TimeSignature((3,), 4)),
    ],
)
def test_metres(element: str, time: TimeSignature) -> None:
    assert first(f"<attributes>{element}</attributes>{QUARTERS}").time == time


@pytest.mark.parametrize(
    ("sign", "line", "octaves", "clef"),
    [("F", 4, 0, "bass"), ("C", 3, 0, "alto"), ("G", 2, -1, "treble-8"), ("C", 1, 0, "alto1")],
)
def test_clefs(sign: str, line: int, octaves: int, clef: str) -> None:
    change = f"<clef-octave-change>{octaves}</clef-octave-change>" if octaves else ""
    element = f"<attributes><clef><sign>{sign}</sign><line>{line}</line>{change}</clef></attributes>"
    assert first(element + QUARTERS).clefs == (clef,)


def test_transposition() -> None:
    element = "<transpose><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose>"
    assert first(f"<attributes>{element}</attributes>{QUARTERS}").transpose == -14


def test_barlines_repeats_and_endings() -> None:
    left = '<barline location="left"><ending number="1, 2" type="start"/><repeat direction="forward"/></barline>'
    right = (
        '<barline location="right"><bar-style>light-heavy</bar-style><ending number="1, 2" type="stop"/>'
        '<repeat direction="backward"/></barline>'
    )
    read = first(left + QUARTERS + right)
    assert (read.repeat_start, read.ending, read.barline) == (True, (1, 2), Barline("regular", True))
    assert first(QUARTERS + "<barline><bar-style>light-light</bar-style></barline>").barline == Barline("double")


def test_chord_symbols_stand_on_the_event_at_or_after_them() -> None:
    chord = (
        "<harmony><root><root-step>F</root-step><root-alter>1</root-alter></root>"
        '<kind text="m7">minor-seventh</kind><bass><bass-step>C</bass-step></bass></harmony>'
    )
    late = chord.replace("</harmony>", "<offset>3</offset></harmony>")
    symbol = ChordSymbol(("F", 1), "minor-seventh", ("C", 0))
    assert [event.chord_symbol for event in events(chord + QUARTERS)] == [symbol, None, None]
    assert [event.chord_symbol for event in events(late + QUARTERS)] == [None, None, symbol]
    assert events(chord + QUARTERS)[0].chord_symbol.text == "F#m7/C"  # type: ignore[union-attr]


def test_marks() -> None:
    words = (
        '<direction placement="below"><direction-type><words>dolce</words></direction-type></direction>'
        "<direction><direction-type><dynamics><mf/></dynamics></direction-type></direction>"
    )
    notations = (
        '<notations><slur type="start" number="1"/><articulations><staccato/></articulations><fermata/></notations>'
        '<lyric number="1"><syllabic>begin</syllabic><text>Glo</text></lyric><lyric number="2"><extend/></lyric>'
    )
    marks = events(words + note("G4", 2, notations))[0].marks
    assert marks.decorations == ("mf", "staccato", "fermata")
    assert (marks.annotations, marks.slur_starts, marks.slur_ends) == (("_dolce",), 1, 0)
    assert marks.lyrics == ("Glo-", "_")


def test_timewise_says_the_same_as_partwise() -> None:
    partwise = document(part("P1", FIRST, measure(2, QUARTERS)), part("P2", FIRST, measure(2, QUARTERS)))
    inner = ATTRIBUTES + QUARTERS
    rows = [
        f'<measure number="{number}"><part id="P1">{content}</part><part id="P2">{content}</part></measure>'
        for number, content in ((1, inner), (2, QUARTERS))
    ]
    timewise = (HEAD + "".join(rows) + "</score-timewise>").replace("<score-partwise", "<score-timewise")
    assert parse(timewise).scores == parse(partwise).scores
    assert parse(timewise).diagnostics == ()


@pytest.mark.parametrize(
    ("measures", "found"),
    [
        pytest.param((FIRST, measure(2, QUARTERS), measure(3, QUARTERS)), [], id="nothing wrong"),
        pytest.param((FIRST, measure(2, note("G4", 2)), measure(3, QUARTERS)), ["measure-too-short"], id="too short"),
        pytest.param((FIRST, measure(2, QUARTERS + QUARTERS)), ["measure-too-long"], id="too long"),
        pytest.param((measure(0, ATTRIBUTES + note("G4", 2)), measure(1, QUARTERS)), [], id="pickup"),
        pytest.param((FIRST, measure(2, QUARTERS), measure(3, note("G4", 4))), [], id="complement at the end"),
        pytest.param(
            (FIRST, measure(2, note("G4", 2)).replace("<measure", '<measure implicit="yes"'), measure(3, QUARTERS)),
            [],
            id="implicit",
        ),
        pytest.param((measure(1, QUARTERS),), ["no-divisions"] * 3, id="no divisions"),
        pytest.param((FIRST, measure(2, QUARTERS + "<rest/>")), ["unknown-element"], id="unknown element"),
        pytest.param(
            (measure(1, ATTRIBUTES + note("G4", 6, "<type>quarter</type>")),),
            ["duration-mismatch"],
            id="type and duration",
        ),
        pytest.param(
            (FIRST, measure(2, QUARTERS + "<backup><duration>8</duration></backup>")), ["backup-too-far"], id="backup"
        ),
    ],
)
def test_diagnostics(measures: tuple[str, ...], found: list[str]) -> None:
    assert codes(*measures) == found


def test_reading_again_after_an_edit_moves_the_spans() -> None:
    text = document(part("P1", FIRST, measure(2, QUARTERS)))
    parse(text)
    moved = text.replace("Air", "A longer title")
    assert parse(moved).scores[0].parts[0].measures[1].voices[0].events[0].span.text(moved).startswith("<note>")
    span = parse(moved).scores[0].parts[0].measures[1].span
    assert span.text(moved).strip() == QUARTERS.strip()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\U0001d11e", id="astral"),
        pytest.param("a\u2028b", id="line separator"),
        pytest.param("e\u0301", id="combining"),
    ],
)
def test_offsets_count_code_points(text: str) -> None:
    source = document(part("P1", FIRST)).replace("Air", text).replace("\n", "\r\n")
    read = parse(source).scores[0].parts[0].measures[0]
    assert read.voices == Measure((Voice(events(QUARTERS)),)).voices
    assert read.voices[0].events[0].span.text(source).startswith("<note>")
