"""From ABC to MusicXML and back: notes, rhythm, voices, keys, metres, repeats, tuplets, ties and chord symbols stay."""

from __future__ import annotations

import pytest

from notation.language import language
from notation.musicxml import LANGUAGE, normal_form
from notation.score import Score
from tests.notation.musicxml.schema import schema_errors

HEAD = "X:1\nT:A tune\nC:Trad.\nR:jig\nM:6/8\nL:1/8\nK:"

TUNES = {
    "repeats and endings": HEAD + "D\nA|:DFA dfa|1 gec d2A:|2 gec d3||\n",
    "chord symbols and ties": HEAD + 'Am\n"Am"A2B c2d-|"E7/G#"d3 e3|"N.C."z6|]\n',
    "tuplets": "X:1\nM:2/4\nL:1/8\nK:Gdor\n(3GAB (3c2B2A2|(5GABcd e2|G4|]\n",
    "chords and grace notes": "X:1\nM:3/4\nL:1/4\nK:Eb\n[EGB]2 {fg}[Ac]|[E2B2]- [EB]|]\n",
    "a duration without a notehead": "X:1\nM:5/8\nL:1/8\nK:C\nG5|z5|A2B3|]\n",
    "voices": "X:1\nM:4/4\nL:1/4\nK:F clef=treble\nV:1\nV:2 clef=bass\n[V:1]FGAB|c4|]\n[V:2]F,2C,2|F,4|]\n",
    "overlays": "X:1\nM:2/4\nL:1/8\nK:C\nc4&E2G2|c2z2&G4|]\n",
    "changes": "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|[K:D][M:3/4]DEF|[M:none]DEFGA|]\n",
    "explicit accidentals": "X:1\nM:4/4\nL:1/4\nK:Gm ^f\nGABc|=f^f_d=d|]\n",
}


def music(score: Score) -> list[object]:
    """What must survive, in a form in which both languages say the same."""
    return [
        [
            (
                [measure.key.alter_of(step) for step in "CDEFGAB"],
                (measure.time.beats, measure.time.unit),
                (measure.barline, measure.repeat_start, measure.ending),
                [
                    [
                        (
                            event.onset,
                            event.duration,
                            [(note.pitch, note.tie) for note in event.notes],
                            event.tuplet,
                            event.chord_symbol,
                        )
                        for event in voice.events
                        if not event.hidden
                    ]
                    for voice in measure.voices
                ],
            )
            for measure in part.measures
        ]
        for part in score.parts
    ]


@pytest.mark.parametrize("tune", TUNES.values(), ids=TUNES)
def test_there_and_back(tune: str) -> None:
    abc = language("abc")
    (score,) = abc.parse(tune).scores
    text = LANGUAGE.print([score])
    assert schema_errors(text) == []
    read = LANGUAGE.parse(text).scores[0]
    assert read == normal_form(score)
    (back,) = abc.parse(abc.print([read])).scores
    assert music(back) == music(read)
    assert (back.title, back.composer, back.rhythm) == (score.title, score.composer, score.rhythm)
