"""Shows the main job: two pieces are cut at a cursor, and Ghostnote writes what comes next.

Everything goes through the program itself, `ghostnote complete FILE --line L --column C --json`, as anyone can run it.
A cursor is drawn as `‸`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

EXAMPLES = Path(__file__).parent
LINES_BEFORE = 3
LINES_SHOWN = 8
NOTE = re.compile(r"<note\b.*?</note>", re.DOTALL)
PITCH = re.compile(r"<step>(\w)</step>\s*(?:<alter>(-?\d)</alter>\s*)?<octave>(\d)</octave>")
ALTERS = {"": "", "0": "", "1": "#", "-1": "b", "2": "x", "-2": "bb"}


@dataclass(frozen=True)
class Scene:
    """A document with a cursor; `offset` counts characters."""

    title: str
    name: str
    text: str
    offset: int


def scenes() -> Iterator[Scene]:
    """Where the composer is, in both pieces."""
    tune = (EXAMPLES / "irish-washerwoman.abc").read_text(encoding="utf-8")
    for title, last in (
        ("At the end of a measure", "cAA EAA | cAc edc |"),
        ("In the middle of a measure", "|: d |\\\ngdg gdg | gdg ba"),
    ):
        text = tune[: tune.index(last) + len(last)]
        yield Scene(f"{title} of a jig (ABC)", "jig.abc", text, len(text))
    start = tune.index(" fdf agf |")
    text = tune[:start] + tune[start + len(" fdf agf |") :]
    yield Scene("Between measures of a jig (ABC): what follows is known", "jig.abc", text, start)
    hymn = (EXAMPLES / "old-hundredth.musicxml").read_text(encoding="utf-8")
    text = without_measures(hymn, dict.fromkeys(("P1", "P2", "P3", "P4"), 5))
    yield Scene("The next measure of a hymn's soprano (MusicXML)", "hymn.musicxml", text, end_of(text, "P1"))
    text = without_measures(hymn, {"P1": 6, "P2": 6, "P3": 6, "P4": 5})
    yield Scene("Its bass, under three finished voices (MusicXML)", "hymn.musicxml", text, end_of(text, "P4"))


def without_measures(hymn: str, kept: dict[str, int]) -> str:
    """The score with only the first measures of each part, by part id."""

    def cut(part: re.Match[str]) -> str:
        measures = part[0].split("    <measure ")
        end = "  </part>" if len(measures) > kept[part[1]] + 1 else ""
        return "    <measure ".join(measures[: kept[part[1]] + 1]) + end

    return re.sub(r'<part id="(\w+)">.*?</part>', cut, hymn, flags=re.DOTALL)


def end_of(text: str, part: str) -> int:
    """The offset after the last measure of a part."""
    end = text.index("</part>", text.index(f'<part id="{part}">'))
    return text.rindex("</measure>", 0, end) + len("</measure>")


def complete(scene: Scene, folder: Path) -> dict:
    """What the program answers.

    Raises:
        SystemExit: it failed; what it said is shown.
    """
    file = folder / scene.name
    file.write_text(scene.text, encoding="utf-8")
    before = scene.text[: scene.offset].split("\n")
    place = ["--line", str(len(before)), "--column", str(len(before[-1]) + 1)]
    done = subprocess.run(
        [sys.executable, "-m", "lsp_server", "complete", str(file), *place, "--json"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"ghostnote complete {' '.join(place)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def show(console: Console, scene: Scene, answer: dict) -> None:
    """Print the surroundings of the cursor with the suggestion in it."""
    console.print()
    console.print(f"[bold]{scene.title}[/bold]")
    picture = Text("\n".join(scene.text[: scene.offset].split("\n")[-LINES_BEFORE:]))
    picture.append("‸", style="bold yellow")
    after = scene.text[scene.offset :].split("\n")
    if not answer["suggestions"]:
        console.print(picture.append("  (no suggestion)", style="red"))
        return
    text = answer["suggestions"][0]["text"]
    suggested = "\n".join(shortened(text))
    picture.append(suggested if console.color_system else f"«{suggested}»", style="green italic")
    picture.append("\n".join(after[:2]), style="dim")
    console.print(picture)
    if notes := sounding(text):
        console.print(Text(f"      in short: {notes}", style="green"))
    timing = answer["timing_ms"]
    console.print(
        f"[dim]{timing['total']:.0f} ms (of which the model {timing['prefill'] + timing['decode']:.0f} ms) "
        f"on {answer['provider']}, model {answer['model']}[/dim]"
    )


def shortened(text: str) -> list[str]:
    """The lines of a suggestion, long ones with their middle left out."""
    lines = text.split("\n")
    if len(lines) <= 2 * LINES_SHOWN:
        return lines
    return [*lines[:LINES_SHOWN], f"      ... {len(lines) - LINES_SHOWN - 2} lines ...", *lines[-2:]]


def sounding(text: str) -> str:
    """The pitches of MusicXML text, such as `G4 F#4 rest`; empty for other text."""
    pitches = (PITCH.search(note) for note in NOTE.findall(text))
    return " ".join(f"{one[1]}{ALTERS.get(one[2] or '', '?')}{one[3]}" if one else "rest" for one in pitches)


def main() -> None:
    """Show every scene."""
    console = Console(highlight=False)
    marked = "[green]green[/]" if console.color_system else "between « and »"
    console.print(f"What was typed is plain, the cursor is [bold yellow]‸[/], what Ghostnote adds is {marked}.")
    with TemporaryDirectory() as folder:
        for scene in scenes():
            show(console, scene, complete(scene, Path(folder)))
    console.print("\nIn an editor the same text stands at the cursor as ghost text, and Tab accepts it: see README.md.")


if __name__ == "__main__":
    main()
