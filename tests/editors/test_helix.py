"""Helix in a terminal with the real server: the measures in its completion menu."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tests.editors.programs import ROOT, environment, of_next, server_command
from tests.editors.terminal import terminal
from tests.editors.waiting import until

CONFIGURATION = ROOT / "editors" / "helix" / "languages.toml"


def test_the_menu_has_the_next_measures(tmp_path: Path, abc_file: Path, model: str) -> None:
    helix = of_next("hx", {})
    program, *arguments = server_command(model)
    text = CONFIGURATION.read_text(encoding="utf-8")
    text = text.replace('"ghostnote"\nargs = ["serve"]', f"{json.dumps(program)}\nargs = {json.dumps(arguments)}")
    assert tomllib.loads(text)["language-server"]["ghostnote"]["args"] == arguments
    folder = tmp_path / "config" / "helix"
    folder.mkdir(parents=True)
    (folder / "languages.toml").write_text(text, encoding="utf-8")
    before = abc_file.read_text(encoding="utf-8")
    command = [*helix.command, str(abc_file)]
    with terminal(command, tmp_path, environment(tmp_path, helix.environment)) as screen:
        screen.wait_for("The Irish Washerwoman")
        screen.press("g", "e", "A")
        screen.wait_for("INS")

        def menu() -> bool:
            entries = [line for line in screen.screen().splitlines() if line.rstrip().endswith(" text")]
            if not entries:
                screen.press("C-x")
            return len(entries) >= 3

        until(menu, "three measures in the menu")
        screen.press("Tab")
        screen.press("Enter")
        screen.press("Escape")
        screen.type(":w")
        screen.press("Enter")
        until(lambda: abc_file.read_text(encoding="utf-8") != before, "the measure in the file")
        assert abc_file.read_text(encoding="utf-8").startswith(before[:-1])
