"""A terminal that a test can look at and type in: tmux, with a server of its own."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.editors.programs import of_debian
from tests.editors.waiting import until


class Terminal:
    """One screen of 100 by 30 characters.

    Attributes:
        socket: of its tmux.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def tmux(self, *words: str, check: bool = True, env: dict[str, str] | None = None) -> str:
        """Ask tmux; gives what it says."""
        command = ["tmux", "-S", str(self.socket), "-f", "/dev/null", *words]
        return subprocess.run(command, capture_output=True, text=True, check=check, env=env).stdout

    def type(self, text: str) -> None:
        """Type characters as they are."""
        self.tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by their tmux names, such as Tab, Escape, C-x."""
        self.tmux("send-keys", *keys)

    def screen(self, colours: bool = False) -> str:
        """What is on the screen; with escape sequences if colours are wanted."""
        return self.tmux("capture-pane", "-p", *(("-e",) if colours else ()))

    def wait_for(self, text: str) -> str:
        """Wait until a text is on the screen; gives the screen."""
        try:
            return until(lambda: self.screen() if text in self.screen() else "", f"{text!r} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.screen()}") from None


@contextmanager
def terminal(command: list[str], folder: Path, env: dict[str, str]) -> Iterator[Terminal]:
    """Run a program in a terminal."""
    of_debian("tmux", "tmux")
    one = Terminal(folder / "tmux.sock")
    env = env | {"TERM": "screen-256color"}
    size = ("-x", "100", "-y", "30", "-c", str(folder))
    one.tmux("new-session", "-d", *size, shlex.join(command), ";", "set", "-g", "escape-time", "0", env=env)
    try:
        yield one
    finally:
        one.tmux("kill-server", check=False)
