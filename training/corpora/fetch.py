"""Fetch a public corpus: the very files that the released dataset was made from.

A corpus that lies in a git repository is pinned to a commit (`base.Pin`). Only the files that are read, and those that
say their licence, are transferred. A folder gets its name when it was checked, so what is there is whole: its commit is
the pinned one, git finds no file changed, and there are as many files to read as there should be. Until then it is
called `NAME.partial`; a fetch that was interrupted goes on there.

Needs the program git, 2.35 or later, and the network; nothing else in Ghostnote uses it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.corpora.base import Corpus, Pin

Progress = Callable[[str, int, int], None]
"""(what is being done, steps done, steps in all; 0 steps in all where nobody knows)."""

_STEP = re.compile(r"([A-Z][A-Za-z ]+):\s+\d+% \((\d+)/(\d+)\)")
_LICENCES = ("/LICEN[SC]E*", "/COPYING*", "/README*")


class FetchError(Exception):
    """A corpus could not be fetched; the message says why and the way out."""


def fetch(corpus: Corpus, out: Path, *, progress: Progress = lambda *_: None) -> Path:
    """Bring a corpus into the folder `out`/NAME, or check the one that is there.

    Args:
        corpus: which.
        out: the folder for all corpora; it is made.
        progress: told how far it is.

    Returns:
        The corpus's folder: `out`/NAME, or where the corpus lies already, for one that is part of a package.

    Raises:
        FetchError: git is missing, the network or the repository fails, or what came is not what it should be.
    """
    installed = corpus.default_root()
    if installed is not None:
        return installed
    if corpus.pin is None:
        raise FetchError(_not_to_be_fetched(corpus))
    if shutil.which("git") is None:
        raise FetchError(f"cannot fetch '{corpus.name}': the program git is not installed. See https://git-scm.com.")
    folder = out / corpus.name
    if folder.exists():
        _Clone(corpus, corpus.pin, folder, progress).check()
        return folder
    clone = _Clone(corpus, corpus.pin, out / f"{corpus.name}.partial", progress)
    clone.transfer()
    clone.check()
    return clone.folder.rename(folder)


def commit_of(folder: Path) -> str:
    """The commit that a folder made by `fetch` is at; empty for any other folder."""
    head = folder / ".git" / "HEAD"
    said = head.read_text(encoding="utf-8").strip() if head.is_file() else ""
    return said if re.fullmatch("[0-9a-f]{40,64}", said) else ""


def _not_to_be_fetched(corpus: Corpus) -> str:
    if corpus.source_url:
        return f"corpus '{corpus.name}' is part of a package that is not installed: pip install 'ghostnote[training]'."
    return (
        f"'{corpus.name}' is a folder of your own, with nothing to fetch: `corpus build {corpus.name}=PATH` reads it."
    )


@dataclass(frozen=True)
class _Clone:
    """A folder that holds, or will hold, the pinned files of a corpus."""

    corpus: Corpus
    pin: Pin
    folder: Path
    progress: Progress

    def transfer(self) -> None:
        """Bring the files, as far as they are not there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for lock in self.folder.glob(".git/**/*.lock"):  # of a fetch that was killed
            lock.unlink()
        self._git("init", "--quiet")
        for name, value in (
            ("remote.origin.url", self.corpus.source_url),
            ("core.autocrlf", "false"),
            ("core.longpaths", "true"),
        ):
            self._git("config", name, value)
        self._git("sparse-checkout", "set", "--no-cone", *self.pin.patterns, *_LICENCES)
        if not self._has_commit():
            self._watch_git("fetch", "--progress", "--depth=1", "--filter=blob:none", "origin", self.pin.commit)
        self._watch_git("checkout", "--progress", "--force", "--detach", self.pin.commit)

    def check(self) -> None:
        """Compare the folder with the pin.

        Raises:
            FetchError: it is another commit, or files were changed, or there are too many or too few.
        """
        self.progress("checking", 0, 0)
        way_out = f"Move '{self.folder}' away and fetch again."
        commit = self._git("rev-parse", "HEAD").strip() if (self.folder / ".git").exists() else "no git repository"
        if commit != self.pin.commit:
            wanted = f"'{self.corpus.name}' is pinned to {self.pin.commit}"
            raise FetchError(f"'{self.folder}' holds {commit}, {wanted}. {way_out}")
        changed = self._git("status", "--porcelain", "--", *self.pin.patterns).splitlines()
        if changed:
            where = f"'{self.folder}' differs from commit {commit[:12]} in {len(changed)} files"
            raise FetchError(f"{where}, the first is {changed[0][3:]}. {way_out}")
        n_files = self._count()
        if n_files != self.pin.n_files:
            where = f"'{self.folder}' has {n_files} files to read"
            wanted = f"commit {commit[:12]} of '{self.corpus.name}' should have {self.pin.n_files}"
            raise FetchError(f"{where}, {wanted}. {way_out}")

    def _count(self) -> int:
        try:
            return len(self.corpus.list_files(self.folder))
        except FileNotFoundError:
            return 0

    def _has_commit(self) -> bool:
        try:
            self._git("rev-parse", "--verify", "--quiet", f"{self.pin.commit}^{{tree}}")
        except FetchError:
            return False
        return True

    def _git(self, *arguments: str) -> str:
        """Run git in the folder and give what it prints."""
        done = subprocess.run(
            _command(arguments), cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        if done.returncode:
            raise self._failure(arguments[0], done.stderr.splitlines())
        return done.stdout

    def _watch_git(self, *arguments: str) -> None:
        """Run git in the folder and pass on its progress while it works."""
        said = []
        with subprocess.Popen(
            _command(arguments), cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
        ) as git:  # fmt: skip
            assert git.stderr is not None
            for line in git.stderr:  # universal newlines: git ends a state of its progress with a carriage return
                step = _STEP.search(line)
                if step:
                    self.progress(step[1].lower(), int(step[2]), int(step[3]))
                else:
                    said.append(line.strip())
        if git.returncode:
            raise self._failure(arguments[0], said)

    def _environment(self) -> dict[str, str]:
        """No question may wait for an answer, and no repository but the corpus's own may be taken for it.

        Git's hooks and `git rebase --exec` name theirs in variables.
        """
        listed = subprocess.run(["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True)
        others = {name: value for name, value in os.environ.items() if name not in listed.stdout.split()}
        ceiling = str(self.folder.resolve().parent)
        return {**others, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_CEILING_DIRECTORIES": ceiling}

    def _failure(self, verb: str, said: Sequence[str]) -> FetchError:
        reasons = [line for line in said if line.startswith(("fatal:", "error:"))] or list(said) or ["no reason given"]
        return FetchError(
            f"cannot fetch '{self.corpus.name}' from {self.corpus.source_url}: git {verb} failed: {reasons[0]}\n"
            f"Check the network and run the same command again; what arrived is kept in '{self.folder}'. If the "
            f"repository has no commit {self.pin.commit} any more, clone it yourself and give that folder to "
            "`corpus build`: the dataset is then not the released one."
        )


def _command(arguments: Sequence[str]) -> list[str]:
    return ["git", "-c", "advice.detachedHead=false", "-c", "core.quotePath=false", *arguments]
