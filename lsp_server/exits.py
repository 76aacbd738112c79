"""Exit codes of the command line, and how it says that something went wrong."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

INPUT = 1
"""The input has errors."""
USAGE = 2
"""The program was called wrongly, or a part of it is not installed."""
MODEL = 3
"""The model or its provider cannot be used."""


def fail(message: str, code: int) -> NoReturn:
    """Say on standard error what went wrong, and end with an exit code."""
    print(f"ghostnote: {message}", file=sys.stderr)
    raise typer.Exit(code)
