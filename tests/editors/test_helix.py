"""Helix in a terminal with the real server: the measures in its completion menu."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tests.editors.programs import ROOT, environment, of_next, server_command
from tests.editors.terminal import terminal
from tests.editors.waiting import until, until_asked, until_saved

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
            return sum(line.rstrip().endswith(" text") for line in screen.screen().splitlines()) >= 3

        until_asked(lambda: screen.press("C-x"), menu, "three measures in the menu")
        listed = screen.screen()
        screen.press("Tab")
        until(lambda: screen.screen() != listed, "the chosen measure in the text")
        screen.press("Enter")

        def normal() -> bool:
            if "NOR" not in screen.screen():
                screen.press("Escape")  # the first may only close a menu that came up again
            return "NOR" in screen.screen()

        until(normal, "the end of typing")
        screen.type(":w")
        screen.wait_for(":w")
        screen.press("Enter")
        written = until_saved(abc_file, before)
    assert written.startswith(before.rstrip("\n"))
    assert "|" in written[len(before.rstrip("\n")) :]
