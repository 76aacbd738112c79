"""The VS Code extension: lint, types, unit tests and bundle, by its own tools; and, where asked for, the real editor.

Without Node the tests are skipped. The end-to-end checks (real VS Code in a browser, minutes) run where
`GHOSTNOTE_E2E=1`; `make vscode` installs what they need and sets it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.programs import ROOT

fcntl = pytest.importorskip("fcntl", reason="the tests of VS Code's extension lock its folder as POSIX does")

EXTENSION = ROOT / "editors" / "vscode"
LEAST_NODE = 20
# What one npm command may take, in seconds: installing from nothing on a slow, busy machine takes minutes.
PATIENCE = 1200
UNREACHABLE = re.compile(
    r"E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTCACHED)|ERR_SOCKET_TIMEOUT"
)


def npm(*arguments: str, seconds: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Run npm in the extension's folder, to its end."""
    return subprocess.run(
        ["npm", *arguments],
        cwd=EXTENSION,
        env=os.environ | {"CI": "1", "NO_COLOR": "1", "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


def succeed(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said.

    Raises:
        AssertionError: it failed; the message has the end of what it said.
    """
    assert done.returncode == 0, f"{' '.join(done.args)}: exit code {done.returncode}\n{done.stdout[-6000:]}"
    return done.stdout


def install() -> None:
    """Install the extension's packages as they are locked; without npm's registry the test is skipped."""
    retries = ("--fetch-timeout=60000", "--fetch-retries=2", "--fetch-retry-mintimeout=1000")
    done = npm("ci", "--no-audit", "--no-fund", *retries, "--fetch-retry-maxtimeout=5000")
    unreachable = UNREACHABLE.search(done.stdout)
    if done.returncode != 0 and unreachable:
        pytest.skip(f"EDITOR MISSING: npm's registry cannot be reached ({unreachable[0]}): run npm ci in {EXTENSION}")
    succeed(done)


@pytest.fixture
def extension() -> Iterator[Path]:
    """The extension's folder with its packages installed, for one test at a time: npm must not work twice in it."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip("EDITOR MISSING: VS Code's extension is tested with node and npm. Run apt-get install nodejs npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < LEAST_NODE:
        pytest.skip(f"EDITOR MISSING: VS Code's extension needs Node {LEAST_NODE} or later; this is {version}")
    with (EXTENSION / "package.json").open() as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        locked, installed = EXTENSION / "package-lock.json", EXTENSION / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
            install()
        yield EXTENSION


@pytest.mark.timeout(4 * PATIENCE)
def test_lint_units_and_bundles(extension: Path) -> None:
    succeed(npm("run", "lint"))
    assert "passed" in succeed(npm("test"))
    succeed(npm("run", "build"))
    manifest = json.loads((extension / "package.json").read_text(encoding="utf-8"))
    built = {path.relative_to(extension / "dist").as_posix() for path in (extension / "dist").rglob("*.*")}
    assert manifest["main"] == "./dist/extension.cjs"
    assert {"extension.cjs", "webview/abc.js", "webview/musicxml.js", "sounds/A4.mp3"} <= built


@pytest.mark.skipif(os.environ.get("GHOSTNOTE_E2E") != "1", reason="real VS Code takes minutes: run make vscode")
@pytest.mark.timeout(0)
def test_real_vscode(extension: Path) -> None:
    succeed(npm("run", "package"))
    with zipfile.ZipFile(extension / "ghostnote.vsix") as package:
        assert any(name.startswith("extension/server/ghostnote-") for name in package.namelist())
    succeed(npm("run", "e2e", seconds=7200))
