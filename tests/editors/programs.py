"""Where the editors are that the tests drive, and how to start the server for them.

An editor that is missing is a reason to skip, loudly; where `CI` is set it is an error, if `scripts/setup-editors.sh`
promises it. Debian's next release is unpacked in `build/editors/debian-next`; its programs run with its own libraries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEXT = ROOT / "build" / "editors" / "debian-next"
SETUP = ROOT / "scripts" / "setup-editors.sh"


@dataclass(frozen=True)
class Program:
    """An editor that can be started.

    Attributes:
        command: how.
        environment: what it needs besides.
    """

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def of_debian(name: str, package: str) -> Program:
    """A program of the system; without it the test is skipped."""
    path = shutil.which(name)
    if path is None:
        missing(package, f"there is no {name} on the path")
    return Program((str(path),))


def of_next(name: str, environment: dict[str, str]) -> Program:
    """A program of Debian's next release; without it the test is skipped."""
    libraries = NEXT / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"
    loader = next(iter(sorted(libraries.glob("ld-linux*"))), None)
    program = NEXT / "usr" / "bin" / name
    if loader is None or not program.exists():
        missing(f"newest {name}", f"{program} was not unpacked")
    return Program((str(loader), "--library-path", str(libraries), str(program)), environment)


def missing(package: str, reason: str) -> None:
    """Skip the test, or fail it if the package is promised and must be there."""
    text = f"EDITOR MISSING: {package}: {reason}. Run scripts/setup-editors.sh --all"
    promised = subprocess.run([str(SETUP), "--promised"], capture_output=True, text=True, check=True).stdout.split()
    if os.environ.get("CI", "").lower() in ("1", "true") and package in promised:
        pytest.fail(text)
    pytest.skip(text)


def server_command(model: str) -> list[str]:
    """How an editor starts the server."""
    return [sys.executable, "-m", "lsp_server", "serve", "--model", model]


def environment(home: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    """An environment with a home of its own, in which Python finds the server."""
    cleaned = {
        name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "NVIM", "VIM", "EMACS"))
    }
    inside = {f"XDG_{what}_HOME": str(home / what.lower()) for what in ("CONFIG", "DATA", "STATE", "CACHE")}
    inside |= {"HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    return cleaned | inside | {"XDG_RUNTIME_DIR": str(home), "PYTHONPATH": str(ROOT)} | (extra or {})
