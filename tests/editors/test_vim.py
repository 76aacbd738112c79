"""The Vim plugin in a Vim in a terminal, with the real server."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.editors.programs import ROOT, environment, of_debian, server_command
from tests.editors.terminal import Terminal, terminal
from tests.editors.waiting import until, until_asked, until_saved

PLUGIN = ROOT / "editors" / "vim"
GREY = "\x1b[38;5;244m"


@contextmanager
def vim(folder: Path, file: Path, command: list[str], *more: str) -> Iterator[Terminal]:
    """A Vim with the plugin and nothing else but `more`, editing a file; only suggestions have a colour: grey."""
    (program,) = of_debian("vim", "vim").command
    lines = [
        "source $VIMRUNTIME/defaults.vim",
        f"set runtimepath^={PLUGIN} t_Co=256 noruler",
        f"let g:ghostnote_cmd = {json.dumps(command)}",
        "syntax off",
        "highlight GhostnoteSuggestion ctermfg=244",
        *more,
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


def run(screen: Terminal, *commands: str) -> None:
    """Leave insert mode and run commands."""
    screen.press("Escape")
    until(lambda: "INSERT" not in screen.screen(), "the end of typing")
    for command in commands:
        screen.type(f":{command}")
        screen.press("Enter")


def saved(screen: Terminal, file: Path, before: str) -> str:
    """Leave insert mode and save; gives the saved text."""
    run(screen, "w")
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


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param(["edit other.abc", "edit jig.abc"], id="two files and back"),
        pytest.param(["edit!"], id="read again"),
    ],
)
def test_suggestions_go_on_when_a_document_is_opened_again(
    commands: list[str], tmp_path: Path, abc_file: Path, model: str
) -> None:
    with vim(tmp_path, abc_file, server_command(model), f"cd {tmp_path}") as screen:
        screen.press("G", "A")
        wait_for_grey(screen)
        run(screen, *commands)
        until(lambda: not grey(screen), "no suggestion")
        screen.press("G", "A", "Space")
        wait_for_grey(screen)


def test_the_server_hears_of_another_name(tmp_path: Path, abc_file: Path, model: str) -> None:
    program, heard = tmp_path / "ghostnote", tmp_path / "heard"
    program.write_text(f"#!/bin/sh\ntee '{heard}' | {' '.join(server_command(model))}\n", encoding="utf-8")
    program.chmod(0o755)
    with vim(tmp_path, abc_file, [str(program)]) as screen:
        screen.press("G", "A")
        wait_for_grey(screen)
        run(screen, f"saveas {tmp_path}/other.abc")
        told = [("textDocument/didClose", "jig.abc"), ("textDocument/didOpen", "other.abc")]
        until(lambda: messages(heard)[-2:] == told, f"the server to hear {told}")


def messages(heard: Path) -> list[tuple[str, str]]:
    """What a server was told of documents: each method, and the name of the file."""
    return re.findall(r'"method":"(textDocument/did\w+)".*?/([\w.]+)"', heard.read_text(encoding="utf-8"))


def test_accepting_leaves_the_undolevels_of_the_buffer(tmp_path: Path, abc_file: Path, model: str) -> None:
    with vim(tmp_path, abc_file, server_command(model), "autocmd FileType abc setlocal undolevels=77") as screen:
        screen.press("G", "A")
        ghost = wait_for_grey(screen)
        screen.press("Tab")
        until(lambda: not grey(screen).startswith(ghost), "the measure in the text")
        run(screen, "echo 'undolevels' &l:undolevels &g:undolevels")
        screen.wait_for("undolevels 77 1000")
        screen.press("u")
        until(lambda: ghost.strip() not in screen.screen(), "the measure undone")


def test_a_restart_is_no_crash_and_a_crash_is_said(tmp_path: Path, abc_file: Path, model: str) -> None:
    with vim(tmp_path, abc_file, server_command(model)) as screen:
        screen.press("G", "A")
        wait_for_grey(screen)
        run(screen, "call ghostnote#restart()")
        screen.press("A")
        wait_for_grey(screen)
        assert "ended" not in screen.screen()
        run(screen, "echo 'server' job_info(job_info()[0]).process")
        process = int(until(lambda: re.findall(r"server (\d+)", screen.screen()), "its number")[0])
        os.kill(process, signal.SIGKILL)
        screen.wait_for("the server ended")


def test_a_suggestion_can_be_asked_for(tmp_path: Path, abc_file: Path, model: str) -> None:
    more = ["let g:ghostnote_settings = #{trigger: 'manual'}", "imap <C-G><C-N> <Plug>(ghostnote-suggest)"]
    with vim(tmp_path, abc_file, server_command(model), *more) as screen:
        screen.press("G", "A")
        until_asked(lambda: screen.press("C-g", "C-n"), lambda: grey(screen), "grey text")
