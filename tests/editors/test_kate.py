"""Kate in a window of its own with the real server: the measures in its completion menu."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.editors.desktop import UNFINISHED, Desktop, assert_continued, desktop
from tests.editors.programs import ROOT, environment, of_debian, server_command
from tests.editors.waiting import until_asked, until_saved

CONFIGURATION = ROOT / "editors" / "kate"
TICKED = """[General]
Show welcome view for new window=false

[Kate Plugins]
lspclientplugin=true

[KTextEditor View]
Word Completion=false
"""


def configure(folder: Path, model: str) -> None:
    """What the page tells to do, with words of the file left out of the menu."""
    given = json.loads((CONFIGURATION / "lspclient.json").read_text(encoding="utf-8"))
    for server in given["servers"].values():
        assert server["command"] == ["ghostnote", "serve"]
        server["command"] = server_command(model)
    settings = folder / "config" / "kate" / "lspclient" / "settings.json"
    syntax = folder / "data" / "org.kde.syntax-highlighting" / "syntax" / "musicxml.xml"
    for file, text in (
        (folder / "config" / "katerc", TICKED),
        (settings, json.dumps(given)),
        (syntax, (CONFIGURATION / "musicxml.xml").read_text(encoding="utf-8")),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def take_the_first_entry(kate: Desktop, file: Path, *keys: str) -> str:
    """Go to a place by `keys`, open the menu there, take its first entry; gives the saved text."""
    before = file.read_text(encoding="utf-8")
    question = "LSP server start requested"
    kate.focus(question)
    until_asked(lambda: kate.press("Return"), lambda: not kate.windows("name", question), "the yes")
    kate.focus(f"^{file.name}")
    kate.press(*keys)
    until_asked(lambda: kate.press("ctrl+space"), lambda: len(kate.windows("class", "kate")) > 1, "the menu")
    kate.press("Return", "ctrl+s")
    return until_saved(file, before)


@UNFINISHED
def test_the_next_measure(
    fixture: str, keys: tuple[str, ...], request: pytest.FixtureRequest, tmp_path: Path, model: str
) -> None:
    (kate,) = of_debian("kate", "kate").command
    configure(tmp_path, model)
    file: Path = request.getfixturevalue(fixture)
    before = file.read_text(encoding="utf-8")
    with desktop([kate, "-n", str(file)], tmp_path, environment(tmp_path)) as screen:
        assert_continued(before, take_the_first_entry(screen, file, *keys))
