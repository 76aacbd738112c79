"""Where the text of a benchmark goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path | None, typer.Option(help="a Markdown file for the tables; standard output if not given")]


def publish(text: str, out: Path | None) -> None:
    """Write a page to its file, or print it."""
    if out is None:
        print(text)
    else:
        out.write_text(text, encoding="utf-8")
