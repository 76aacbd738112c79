"""Which judges are here, and how to get the others.

No judge is ours: programs and schemas that other people wrote. `scripts/setup-judges.sh` installs what is missing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

NODE_FOLDER = Path(__file__).parent / "node"
ABC_JUDGES = ("abcm2ps", "abc2midi", "abc2abc", "abcjs")
MUSICXML_JUDGES = ("xsd", "music21", "musescore")
JUDGES = ABC_JUDGES + MUSICXML_JUDGES


class MissingJudgeError(RuntimeError):
    """A judge that was asked for is not installed."""


@lru_cache
def available() -> dict[str, bool]:
    """Whether each judge can be asked on this machine."""
    has_package = {name: importlib.util.find_spec(name) is not None for name in ("musicxml", "xmlschema", "music21")}
    return {
        **{name: shutil.which(name) is not None for name in ("abcm2ps", "abc2midi", "abc2abc")},
        "abcjs": shutil.which("node") is not None and (NODE_FOLDER / "node_modules" / "abcjs").is_dir(),
        "xsd": has_package["musicxml"] and has_package["xmlschema"],
        "music21": has_package["music21"],
        "musescore": musescore() is not None,
    }


def musescore() -> str | None:
    """The MuseScore program, if there is one."""
    return next(
        (path for name in ("mscore3", "mscore", "musescore3", "musescore") if (path := shutil.which(name))), None
    )


def check(judges: Sequence[str]) -> None:
    """Make sure that judges are here.

    Raises:
        MissingJudgeError: one is not; the message says how to get it.
    """
    if unknown := [name for name in judges if name not in JUDGES]:
        raise ValueError(f"there is no judge {', '.join(unknown)}; there are {', '.join(JUDGES)}")
    if missing := [name for name in judges if not available()[name]]:
        raise MissingJudgeError(
            f"these judges are not installed: {', '.join(missing)}. Run scripts/setup-judges.sh, "
            "or name the judges that are here"
        )


def must_be_complete() -> bool:
    """Whether a missing judge is an error rather than a reason to skip: on CI."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def run(
    command: Sequence[str | Path], stdin: str | None = None, timeout: float = 600, folder: Path | None = None
) -> tuple[int, str]:
    """Run a judge; its exit status, and what it said on stdout and stderr together. 124: it took too long."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    if folder is not None:
        environment |= {name: str(folder) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    try:
        done = subprocess.run(
            list(map(str, command)),
            input=stdin.encode() if stdin is not None else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            cwd=folder,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        return 124, (expired.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace")
