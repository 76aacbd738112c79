"""The Vim plugin in a Vim in a terminal, with the real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.editors.programs import ROOT, environment, of_debian, server_command
from tests.editors.terminal import Terminal, terminal
from tests.editors.waiting import until, until_asked, until_saved

PLUGIN = ROOT / "editors" / "vim"
GREY = "\x1b[38;5;244m"


@contextmanager
def vim(folder: Path, file: Path, command: list[str]) -> Iterator[Terminal]:
    """A Vim with the plugin and nothing else, editing a file; suggestions are grey, nothing else has a colour."""
    (program,) = of_debian("vim", "vim").command
    lines = [
        "source $VIMRUNTIME/defaults.vim",
        f"set runtimepath^={PLUGIN} t_Co=256 noruler",
        f"let g:ghostnote_cmd = {json.dumps(command)}",
        "syntax off",
        "highlight GhostnoteSuggestion ctermfg=244",
    ]
    (folder / "vimrc").write_text("\n".join(lines) + "\n", encoding="utf-8")
    start = [program, "-u", str(folder / "vimrc"), "-i", "NONE", "-n", str(file)]
    with terminal(start, folder, environment(folder)) as screen:
        yield screen


def grey(screen: Terminal) -> str:
    """The grey text on the screen, its lines joined."""
    return "\n".join(re.findall(re.escape(GREY) + r"([^\x1b\n]*)", screen.screen(colours=True)))


def wait_for_grey(screen: Terminal) -> str:
    """Wait for a suggestion; gives its text."""
    return until(lambda: grey(screen), "grey text")


def saved(screen: Terminal, file: Path, before: str) -> str:
    """Leave insert mode and save; gives the saved text."""
    screen.press("Escape")
    until(lambda: "INSERT" not in screen.screen(), "the end of typing")
    screen.type(":w")
    screen.press("Enter")
    return until_saved(file, before)


def test_the_next_measure_stands_there_and_tab_accepts_it(tmp_path: Path, abc_file: Path, model: str) -> None:
    file = abc_file.rename(tmp_path / "jig – 1.abc")
    before = file.read_text(encoding="utf-8")
    with vim(tmp_path, file, server_command(model)) as screen:
        screen.press("G", "A")
        ghost = wait_for_grey(screen)
        screen.press("Tab")
        last = before.splitlines()[-1]
        until(lambda: not grey(screen).startswith(ghost), "the measure in the text")
        written = saved(screen, file, before)
        assert written.startswith(before.rstrip("\n"))
        assert ghost.strip() in written[len(before) - 1 :]
        screen.press("u")
        until(lambda: ghost.strip() not in screen.screen().split(last)[-1], "the measure undone in one step")


def test_typing_through_a_suggestion_keeps_its_rest(tmp_path: Path, abc_file: Path, model: str) -> None:
    with vim(tmp_path, abc_file, server_command(model)) as screen:
        screen.press("G", "A", "Space")
        ghost = wait_for_grey(screen)
        screen.type(ghost[:2])
        until(lambda: grey(screen) == ghost[2:], f"the rest {ghost[2:]!r}")
        screen.press("C-]")
        until(lambda: not grey(screen), "no suggestion")


def test_tab_without_a_suggestion_is_a_tab(tmp_path: Path, abc_file: Path, model: str) -> None:
    before = abc_file.read_text(encoding="utf-8")
    with vim(tmp_path, abc_file, server_command(model)) as screen:
        screen.press("G", "A")
        wait_for_grey(screen)
        screen.press("Escape", "g", "g", "O")
        screen.type("%")
        screen.press("Tab", "x")
        assert saved(screen, abc_file, before) == "%\tx\n" + before


def test_the_completion_menu_has_the_measures_too(tmp_path: Path, abc_file: Path, model: str) -> None:
    before = abc_file.read_text(encoding="utf-8")
    with vim(tmp_path, abc_file, server_command(model)) as screen:
        screen.press("G", "A")
        wait_for_grey(screen)
        until_asked(lambda: screen.press("C-x", "C-o"), lambda: "1 measure" in screen.screen(), "the menu")
        screen.press("C-y")
        written = saved(screen, abc_file, before)
    assert written.startswith(before.rstrip("\n"))
    assert "|" in written[len(before) :]
    assert "\0" not in written


def test_musicxml_of_many_lines(tmp_path: Path, xml_file: Path, model: str) -> None:
    before = xml_file.read_text(encoding="utf-8")
    row = before[: before.rindex("</measure>")].count("\n") + 1
    with vim(tmp_path, xml_file, server_command(model)) as screen:
        screen.type(f"{row}GA")
        assert "<measure" in wait_for_grey(screen)
        screen.press("Tab")
        written = saved(screen, xml_file, before)
    assert written.count("</measure>") == before.count("</measure>") + 1
    assert written.startswith(before[: before.rindex("</measure>")])


def test_a_missing_server_is_said_with_the_way_out(tmp_path: Path, abc_file: Path) -> None:
    with vim(tmp_path, abc_file, ["no-such-ghostnote", "serve"]) as screen:
        assert "Install Ghostnote" in " ".join(screen.wait_for("no-such-ghostnote").split())
