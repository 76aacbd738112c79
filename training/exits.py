"""How the verbs of training and export end where the user can mend what is wrong: with a line, and no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

USAGE = 2
"""Wrong usage, or files that cannot be used."""


@contextmanager
def user_errors(*more: type[Exception]) -> Iterator[None]:
    """End with `USAGE` on errors of values and files, and on those of further classes."""
    expected: tuple[type[Exception], ...] = (ValueError, OSError, *more)
    try:
        yield
    except expected as error:
        raise typer.Exit(fail(str(error), USAGE)) from error


def fail(message: str, code: int) -> int:
    """Say on standard error what is wrong; the code to end with."""
    typer.echo(f"ghostnote: {message}", err=True)
    return code
