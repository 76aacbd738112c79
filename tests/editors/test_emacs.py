"""The Emacs package in a real Emacs with the real server: ERT in batch, and a screen that is looked at."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.editors.programs import ROOT, environment, missing, of_debian, server_command
from tests.editors.terminal import terminal
from tests.editors.waiting import until, until_saved

PACKAGE = ROOT / "editors" / "emacs"
TESTS = Path(__file__).parent / "emacs" / "ghostnote-tests.el"
N_TESTS = 11
CLIENTS = [("eglot", "elpa-eglot"), ("lsp-mode", "elpa-lsp-mode")]


def emacs(client: str, package: str) -> str:
    """The program, if it has the client."""
    (program,) = of_debian("emacs", "emacs-nox").command
    look = [program, "-q", "--batch", "--eval", f"(require '{client})"]
    if subprocess.run(look, capture_output=True, check=False).returncode:
        missing(package, f"Emacs has no {client}")
    return program


@pytest.mark.parametrize(("client", "package"), CLIENTS)
def test_the_ert_tests_pass(
    client: str, package: str, tmp_path: Path, abc_file: Path, xml_file: Path, model: str
) -> None:
    program = emacs(client, package)
    given = {
        "GHOSTNOTE_COMMAND": "\n".join(server_command(model)),
        "GHOSTNOTE_CLIENT": client,
        "GHOSTNOTE_ABC": str(abc_file),
        "GHOSTNOTE_XML": str(xml_file),
    }
    command = [
        program,
        "-q",
        "--batch",
        "-f",
        "package-initialize",
        "-L",
        str(PACKAGE),
        "-l",
        client,
        "-l",
        "ert",
        "-l",
        str(TESTS),
    ]
    command += ["-f", "ert-run-tests-batch-and-exit"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path, given), timeout=280)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    assert re.search(rf"Ran {N_TESTS} tests", said), said[-1000:]


def test_it_compiles_without_a_warning(tmp_path: Path) -> None:
    program = emacs(*CLIENTS[0])
    copy = tmp_path / "ghostnote.el"
    copy.write_text((PACKAGE / "ghostnote.el").read_text(encoding="utf-8"), encoding="utf-8")
    command = [program, "-q", "--batch", "--eval", "(setq byte-compile-error-on-warn t)"]
    done = subprocess.run(
        [*command, "-f", "batch-byte-compile", str(copy)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_screen_shows_the_measure_and_tab_accepts_it(tmp_path: Path, abc_file: Path, model: str) -> None:
    program = emacs(*CLIENTS[0])
    words = " ".join(f'"{word}"' for word in server_command(model))
    start = f"(progn (require 'ghostnote) (setq ghostnote-command '({words}) create-lockfiles nil) (ghostnote-setup))"
    command = [program, "-q", "-nw", "-L", str(PACKAGE), "--eval", start, str(abc_file)]
    before = abc_file.read_text(encoding="utf-8")
    with terminal(command, tmp_path, environment(tmp_path)) as screen:
        screen.wait_for("[eglot")
        screen.press("M->", "Left", "Space")
        last = before.splitlines()[-1]
        until(lambda: re.search(re.escape(last) + r" \S", screen.screen()), "the grey measure on the screen")
        assert abc_file.read_text(encoding="utf-8") == before
        screen.press("Tab", "C-x", "C-s")
        written = until_saved(abc_file, before)
    assert written.startswith(before[:-1] + " ")
    assert len(written) > len(before) + 4
