"""Are the pieces that the demo shows sound, and does it put the cursor where music can be written?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from notation.language import language
from tests.support import judges

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))

import demo  # noqa: E402  (the demo is a script, not a package)

SCENES = list(demo.scenes())


def test_the_examples_are_sound_to_all_judges() -> None:
    judges.need(*judges.JUDGES)
    assert judges.judge_abc((EXAMPLES / "irish-washerwoman.abc").read_text(encoding="utf-8")) == []
    assert judges.judge_musicxml((EXAMPLES / "old-hundredth.musicxml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("scene", SCENES, ids=[scene.title for scene in SCENES])
def test_the_demos_cursors_stand_where_music_can_be_written(scene: demo.Scene) -> None:
    notation = language({".abc": "abc", ".musicxml": "musicxml"}[Path(scene.name).suffix])
    document = notation.parse(scene.text)
    assert document.diagnostics == ()
    assert notation.completion_site(document, scene.offset) is not None


def test_what_the_demo_says_of_musicxml_is_what_it_sounds() -> None:
    note = "<note><pitch><step>F</step><alter>1</alter><octave>4</octave></pitch></note>"
    assert demo.sounding(
        f"{note}\n<note>\n<rest/></note><note><pitch><step>G</step><octave>3</octave></pitch></note>"
    ) == ("F#4 rest G3")
