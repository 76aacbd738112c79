"""What is remembered of earlier prompts never shows: every prompt is the one that a fresh process would make."""

from __future__ import annotations

import random
import re

import pytest

from notation.language import language
from notation.site import CompletionSite
from notation.tokens import earlier
from notation.tokens.earlier import MEMORY
from notation.tokens.prompt import Prompt, make_prompt

ABC = (
    "X:1\nM:6/8\nL:1/8\nK:D\nA|DFA d2f|gfe dcB-|[1 B3 AFD:|[2 B6||\n[K:G][M:9/8]GAB c3 {g}d3|\n"
    '[M:6/8]"G"[GB]3- [GB]3|z6|DFA d2f|gfe dcB|]\n'
)
VOICES = "X:1\nM:2/4\nL:1/4\nV:1\nV:2\nK:C\n[V:1]CD|EF-|FG|CD|\n[V:2]EF|E-E|EF|EF|\n"
NOTE = "<note><pitch><step>G</step><octave>4</octave></pitch><duration>2</duration><voice>1</voice></note>"
XML = (
    '<score-partwise><part-list><score-part id="P1"/><score-part id="P2"/></part-list>'
    + "".join(
        f'<part id="P{part}">'
        + "".join(
            f'<measure number="{number}">'
            + ("<attributes><divisions>2</divisions></attributes>" if number == 1 else "")
            + NOTE * 4
            + "</measure>"
            for number in range(1, 9)
        )
        + "</part>"
        for part in (1, 2)
    )
    + "</score-partwise>"
)


PLACES = re.compile(r"</note>|</measure>|[|\n ](?![^<]*>)")


def said(prompt: Prompt | None) -> str:
    if prompt is not None:
        prompt.later.opening(16)  # it is made when it is asked for
    return repr(prompt)


def fresh(site: CompletionSite) -> str:
    """The prompt where nothing is remembered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(earlier, "MEMORY", earlier._Memory())
        return said(make_prompt(site, 300))


@pytest.mark.parametrize(
    ("name", "text", "pieces"),
    [
        pytest.param("abc", ABC, ["c", "|", "\n", "DFA d2f|", "[K:A]", "-", "|:", "z6|"], id="abc"),
        pytest.param("abc", VOICES, ["c", "|", "CD|", "[V:1]", "-"], id="abc, two voices"),
        pytest.param("musicxml", XML, [NOTE, f"<measure>{NOTE * 4}</measure>", "<!-- -->"], id="musicxml"),
    ],
)
def test_prompts_do_not_depend_on_those_before(name: str, text: str, pieces: list[str]) -> None:
    notation, chance = language(name), random.Random(name)
    n_prompts = 0
    for _ in range(60):
        offset = chance.choice([match.end() for match in PLACES.finditer(text)])
        document = notation.parse(text)
        site = notation.completion_site(document, offset)
        if site is not None:
            assert said(make_prompt(site, 300)) == fresh(site)
            n_prompts += 1
        if len(text) < 2 * len(XML):
            text = text[:offset] + chance.choice(pieces) + text[offset:]
    assert n_prompts > 10


def test_only_measures_beside_the_edit_are_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    notation = language("musicxml")
    offset = XML.index("</part>")
    edited = XML[:offset] + f'<measure number="9">{NOTE * 4}</measure>' + XML[offset:]
    site = notation.completion_site(notation.parse(XML), offset)
    assert site is not None
    make_prompt(site, 300)
    encoded = []
    original = earlier._encode
    monkeypatch.setattr(earlier, "_encode", lambda *args: encoded.append(args) or original(*args))
    site = notation.completion_site(notation.parse(edited), edited.index("</part>"))
    assert site is not None
    make_prompt(site, 300)
    assert 1 <= len(encoded) <= 2


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier, "MAX_REMEMBERED", 20)
    notation = language("abc")
    for key in "ABCDEFG":
        text = f"X:1\nK:{key}\n" + f"{key}2 c2 d2 e2|" * 9
        site = notation.completion_site(notation.parse(text), len(text))
        assert site is not None
        make_prompt(site, 300)
    assert sum(len(piece.measures) for piece in MEMORY._pieces.values()) <= 20
