"""A screen without a monitor on which a test types into windows: Xvfb, and xdotool for the keys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.editors.programs import of_debian
from tests.editors.waiting import until

UNFINISHED = pytest.mark.parametrize(
    ("fixture", "keys"),
    [
        pytest.param("abc_file", ("ctrl+End", "Up", "End", "space"), id="tune"),
        pytest.param("xml_file", ("ctrl+End", "Up", "Up", "Up", "End"), id="score"),
    ],
)
"""The pieces in the making, and the keys that go to where the next measure is missing."""


def assert_continued(before: str, written: str) -> None:
    """A piece in the making has a measure more."""
    if "</measure>" in before:
        assert written.count("</measure>") == before.count("</measure>") + 1
    else:
        text = before.rstrip("\n")
        assert written.startswith(text + " ")
        assert "|" in written[len(text) :]


class Desktop:
    """One screen.

    Attributes:
        env: the environment of the programs on it.
    """

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env

    def _xdotool(self, *words: str, check: bool = True) -> str:
        command = ["xdotool", *words]
        return subprocess.run(command, capture_output=True, text=True, check=check, env=self.env, timeout=30).stdout

    def windows(self, by: str, pattern: str) -> list[str]:
        """The visible windows whose "name" or "class" matches a pattern."""
        return self._xdotool("search", "--onlyvisible", f"--{by}", pattern, check=False).split()

    def focus(self, title: str) -> None:
        """Wait for a window and let the keys go to it; no window manager does."""
        windows = until(lambda: self.windows("name", title), f"the window {title!r}")
        self._xdotool("windowfocus", "--sync", windows[-1])

    def press(self, *keys: str) -> None:
        """Press keys by their X names, such as Return, ctrl+s."""
        self._xdotool("key", "--delay", "20", *keys)


@contextmanager
def desktop(command: list[str], folder: Path, env: dict[str, str]) -> Iterator[Desktop]:
    """Run a program on a screen of its own."""
    (xvfb,) = of_debian("Xvfb", "xvfb").command
    of_debian("xdotool", "xdotool")
    reading, writing = os.pipe()
    server = [xvfb, "-displayfd", str(writing), "-screen", "0", "1100x700x24", "-nolisten", "tcp"]
    with (
        (folder / "screen.log").open("wb") as log,
        subprocess.Popen(server, stdout=log, stderr=log, pass_fds=[writing], env=env) as screen,
    ):
        os.close(writing)
        try:
            with os.fdopen(reading) as said:
                number = said.readline().strip()
            env = env | {"DISPLAY": f":{number}"}
            with subprocess.Popen(command, stdout=log, stderr=log, env=env, cwd=folder) as program:
                try:
                    yield Desktop(env)
                finally:
                    program.kill()
        finally:
            screen.terminate()
