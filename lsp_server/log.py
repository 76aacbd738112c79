"""What goes to the log: kinds of errors and places in our code, never text of a score."""

from __future__ import annotations

import logging
import sys
import traceback

logger = logging.getLogger("ghostnote")


def log_to_standard_error() -> None:
    """Write the log to standard error: standard output belongs to the protocol."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(levelname)s: %(message)s")


def log_failure(what: str, error: BaseException) -> None:
    """Log that something failed: the kind of error and where, without its message, which may quote the score."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    logger.error("%s failed: %s at %s", what, type(error).__name__, where)
