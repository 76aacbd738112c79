"""Waiting for what an editor does in its own time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], what: str, seconds: float = 90) -> T:
    """Look again and again until there is something to see.

    Args:
        look: gives a true value once it is so.
        what: is waited for, for the message.
        seconds: how long at most; many, for a machine that does much else takes long to start a server.

    Raises:
        AssertionError: it did not come; the message has the last look.
    """
    end = time.monotonic() + seconds
    seen = look()
    while not seen:
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}; last seen: {seen!r}")
        time.sleep(0.05)
        seen = look()
    return seen


def until_asked(ask: Callable[[], object], look: Callable[[], T], what: str) -> T:
    """Ask, and every ten seconds again, until there is something to see.

    A server that has just started may have nothing to say yet, and a menu opens only when it is asked for.

    Args:
        ask: what a user would do again if nothing came.
        look: gives a true value once it is so.
        what: is waited for, for the message.
    """
    asked = -math.inf

    def ask_and_look() -> T:
        nonlocal asked
        if not (seen := look()) and time.monotonic() > asked + 10:
            ask()
            asked = time.monotonic()
        return seen

    return until(ask_and_look, what)


def until_saved(file: Path, before: str) -> str:
    """Wait until an editor has saved a file; gives what is in it now.

    Args:
        file: may be gone for a moment, while the editor puts another in its place.
        before: its text when the waiting began.
    """

    def look() -> str:
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        return "" if text == before else text

    return until(look, f"a new text in {file.name}")
