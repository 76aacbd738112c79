"""How completions look in a terminal: the place in the score, what is suggested, and how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from notation.source import line_and_column

if TYPE_CHECKING:
    from inference.completion import CompletionResult

CURSOR = "‸"
_LINES_BEFORE = 4
_LINES_AFTER = 2


def show_completion(text: str, offset: int, result: CompletionResult, timing_ms: dict[str, float]) -> None:
    """Print what `ghostnote complete` found, for people."""
    console = Console(highlight=False, soft_wrap=True)
    line, column = line_and_column(text, offset)
    site = result.site
    if site is None:
        console.print(_in_context(text, offset, ""))
        console.print(Text(f"No music can be written at line {line}, column {column}.", style="yellow"))
        return
    remaining = "free metre" if site.remaining is None else f"{site.remaining} of a whole note left in it"
    console.print(Text(f"line {line}, column {column}: measure {site.measure + 1}, {remaining}", style="bold"))
    for number, one in enumerate(result.suggestions, start=1):
        console.print()
        console.print(_in_context(text, one.offset, one.text))
        console.print(Text(f"  {number}. {one.explanation} (score {one.score:.2f})", style="dim"))
    if not result.suggestions:
        console.print(_in_context(text, offset, ""))
        console.print(Text("The model found nothing that fits here.", style="yellow"))
    stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in timing_ms.items() if stage != "total")
    console.print()
    console.print(f"{timing_ms.get('total', 0.0):.1f} ms ({stages}) with {result.model} on {result.provider}")


def _in_context(text: str, offset: int, inserted: str) -> Text:
    """The lines around the cursor, with the suggestion where it would stand."""
    before = text[:offset].splitlines(keepends=True)[-_LINES_BEFORE:]
    after = text[offset:].splitlines(keepends=True)[:_LINES_AFTER]
    shown = Text("".join(before))
    shown.append(CURSOR, style="bold red")
    shown.append(inserted, style="bold green")
    shown.append("".join(after).rstrip("\r\n"))
    return shown
