"""Tunes made by chance, all of one habit: quavers that move by step, and a third bar that is the first again."""

from __future__ import annotations

import random
from pathlib import Path

LETTERS = "CDEFGABcdefgab"


def write_tunes(folder: Path, count: int) -> None:
    """Write `count` different tunes into a folder, a file each; always the same."""
    chance = random.Random(0)
    for number in range(count):
        first, second, last = (_bar(chance) for _ in range(3))
        title = "".join(chance.choices("abcdefghij", k=9))
        text = f"X:1\nT:{title}\nM:4/4\nL:1/8\nK:C\n{first}|{second}|{first}|{last}|{first}|{second}|{first}|C8|]\n"
        (folder / f"tune{number}.abc").write_text(text, encoding="utf-8")


def _bar(chance: random.Random) -> str:
    place = chance.randrange(len(LETTERS))
    bar = []
    for _ in range(8):
        bar.append(LETTERS[place])
        place = min(len(LETTERS) - 1, max(0, place + chance.choice((-1, 1))))
    return "".join(bar)
