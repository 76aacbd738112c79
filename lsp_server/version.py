"""The version of the installed package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version


def version() -> str:
    """The version, or `0` when run from a checkout that is not installed."""
    try:
        return installed_version("ghostnote")
    except PackageNotFoundError:
        return "0"
