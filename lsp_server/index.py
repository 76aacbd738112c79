"""The pieces in the files of a workspace, found in the background.

One thread walks the folders and reads the heads of files, one at a time. After each it rests four times as long as that
took, and longer while somebody waits for the worker, so ghost text comes no later. When all is read it sleeps: the
client tells what changes. Nothing is written to disk.

Bounds: `MAX_FILES` files of at most `MAX_BYTES`, `MAX_PIECES` pieces. Folders whose names begin with a dot, and those
that hold other people's programs, are passed over; links to folders are not followed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from lsp_server.log import log_failure

if TYPE_CHECKING:
    from notation.contents import Entry

MAX_FILES = 20_000
MAX_PIECES = 200_000
MAX_BYTES = 4_000_000
"""Of a larger file only so much is read."""
_HEAD_BYTES = 1 << 16
"""What is read of a file that holds one piece and says in the beginning what it is called."""
_PASSED_OVER = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
_REST = 0.001
"""Seconds between two files, at least."""
_RESTS = 4
"""Otherwise so many times as long as the last one took."""
_PAUSE = 0.02
"""Seconds until it is looked again whether the worker has become free."""


@dataclass(frozen=True, slots=True)
class FoundPiece:
    """A piece in a file.

    Attributes:
        path: of the file.
        entry: what the piece is called, and on which line it begins.
    """

    path: Path
    entry: Entry

    @property
    def name(self) -> str:
        """Its title, or else what the file is called."""
        return self.entry.title or self.path.stem


class WorkspaceIndex:
    """The pieces of a client's folders. Its methods return at once; the reading is done by a thread of its own.

    Args:
        is_busy: whether somebody waits for the worker.
    """

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._files: dict[Path, tuple[tuple[str, FoundPiece], ...]] = {}  # with what is searched, in lower case
        self._n_pieces = 0
        self._lock = Lock()
        self._todo: SimpleQueue[Path | None] = SimpleQueue()
        self._closed = Event()
        self._thread: Thread | None = None

    def read(self, path: Path) -> None:
        """Read a file or all of a folder, or forget what is no longer there, as soon as there is time."""
        self._todo.put(path)
        if self._thread is None:
            self._thread = Thread(target=self._work, name="ghostnote-index", daemon=True)
            self._thread.start()

    def forget(self, path: Path) -> None:
        """Forget a file, or a folder with all that is in it."""
        with self._lock:
            for known in [each for each in self._files if each.is_relative_to(path)]:
                self._n_pieces -= len(self._files.pop(known))

    def close(self) -> None:
        """Let the thread end."""
        self._closed.set()
        self._todo.put(None)

    def find(self, query: str, limit: int) -> list[FoundPiece]:
        """Pieces with every word of a query in title, composer or file name, those that begin with it first."""
        words, wanted = query.casefold().split(), query.casefold().strip()
        with self._lock:
            known = list(self._files.values())
        found = [
            (not text.startswith(wanted), place, piece)
            for place, (text, piece) in enumerate(each for pieces in known for each in pieces)
            if all(word in text for word in words)
        ]
        return [piece for _, _, piece in sorted(found, key=lambda one: one[:2])[:limit]]

    def _work(self) -> None:
        while (path := self._todo.get()) is not None:
            if not path.exists():
                self.forget(path)
                continue
            for file in _files(path):
                started = time.monotonic()
                self._read_file(file)
                self._closed.wait(max(_REST, _RESTS * (time.monotonic() - started)))
                while self._is_busy() and not self._closed.is_set():
                    self._closed.wait(_PAUSE)
                if self._closed.is_set():
                    return

    def _read_file(self, path: Path) -> None:
        try:
            pieces = pieces_of(path)
        except OSError:  # it is gone, or not for us
            self.forget(path)
            return
        except Exception as error:  # a file of which nothing can be made must not end the thread
            log_failure("reading a file of the workspace", error)
            return
        with self._lock:
            self._n_pieces -= len(self._files.pop(path, ()))
            if pieces and len(self._files) < MAX_FILES and self._n_pieces < MAX_PIECES:
                self._files[path] = tuple((_searched(piece), piece) for piece in pieces)
                self._n_pieces += len(pieces)


def pieces_of(path: Path) -> list[FoundPiece]:
    """The pieces in a file; none if it is in no notation known here.

    Raises:
        OSError: it cannot be read.
    """
    from notation.language import language_of

    language = language_of(str(path))
    if language is None:
        return []
    is_whole = path.suffix.lower() in (".abc", ".mxl")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES if is_whole else _HEAD_BYTES)
    try:
        text = language.decode(data)
    except ValueError:
        return []
    return [FoundPiece(path, entry) for entry in language.contents(text)]


def _searched(piece: FoundPiece) -> str:
    return f"{piece.name} {piece.entry.composer} {piece.path.stem}".casefold()


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or the files of a folder that a language may be in."""
    from notation.language import language_of

    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _PASSED_OVER)
        yield from (Path(folder, name) for name in sorted(names) if language_of(name) is not None)
