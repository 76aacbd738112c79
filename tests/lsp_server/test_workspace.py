"""Tunes and scores of the open folder are found by title, and stay found as files change."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from lsprotocol import types

from lsp_server import index
from lsp_server.index import WorkspaceIndex
from tests.support.clients import PROFILES
from tests.support.lsp import REAL_SERVER, Editor, editor, listening, remote_editor

SCORE = "<score-partwise><movement-title>Du bist die Ruh</movement-title></score-partwise>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a book, a song, a packed song, and what must not be read."""
    (tmp_path / "reels").mkdir()
    (tmp_path / "reels" / "book.abc").write_text("X:1\nT:The Silver Spear\nK:D\n\nX:2\nK:G\n", encoding="utf-8")
    (tmp_path / "song.musicxml").write_text(SCORE, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "packed.mxl", "w") as archive:
        container = '<container><rootfiles><rootfile full-path="a.xml"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("a.xml", SCORE.replace("Du bist", "Wo bist"))
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "no.abc").write_text("X:1\nT:Not mine\nK:C\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("X:1\nT:No music\n", encoding="utf-8")
    (tmp_path / "broken.mxl").write_bytes(b"PK\x03\x04 no archive")
    return tmp_path


async def names(one: Editor, query: str = "") -> list[str]:
    found = await one.client.workspace_symbol_async(types.WorkspaceSymbolParams(query))
    return sorted(symbol.name for symbol in found or [])


async def until(one: Editor, query: str, wanted: list[str]) -> None:
    """Ask until the answer is what it must become."""
    for _ in range(500):
        if await names(one, query) == wanted:
            return
    raise AssertionError(f"{query!r} gives {await names(one, query)}, not {wanted}")


@pytest.mark.parametrize("profile", PROFILES)
async def test_pieces_are_found_by_every_word(profile: str, folder: Path) -> None:
    async with editor(profile, REAL_SERVER, folder=folder) as one:
        await until(one, "", ["Du bist die Ruh", "The Silver Spear", "Wo bist die Ruh", "book"])
        assert await names(one, "spear SILVER") == ["The Silver Spear"]
        assert await names(one, "spear golden") == []
        assert await names(one, "book") == ["The Silver Spear", "book"]


async def test_a_symbol_leads_to_its_tune(folder: Path) -> None:
    async with editor(command=REAL_SERVER, folder=folder) as one:
        await until(one, "silver", ["The Silver Spear"])
        await until(one, "book", ["The Silver Spear", "book"])
        found = await one.client.workspace_symbol_async(types.WorkspaceSymbolParams("book"))
        places = {(symbol.location.uri, symbol.location.range.start.line) for symbol in found or []}
        assert places == {((folder / "reels" / "book.abc").as_uri(), line) for line in (0, 4)}


async def test_changed_files_and_folders_are_read_again(folder: Path) -> None:
    async with editor(command=REAL_SERVER, folder=folder) as one:
        await until(one, "ruh", ["Du bist die Ruh", "Wo bist die Ruh"])
        await one.until(lambda: types.WORKSPACE_DID_CHANGE_WATCHED_FILES in one.registrations, "watching files")
        book, song = folder / "reels" / "book.abc", folder / "song.musicxml"
        book.write_text("X:1\nT:Another\nK:D\n", encoding="utf-8")
        song.unlink()
        kinds = types.FileChangeType
        changes = [types.FileEvent(book.as_uri(), kinds.Changed), types.FileEvent(song.as_uri(), kinds.Deleted)]
        one.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes))
        await until(one, "", ["Another", "Wo bist die Ruh"])
        shutil.rmtree(book.parent)
        changes = [types.FileEvent(book.parent.as_uri(), kinds.Deleted)]
        one.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes))
        await until(one, "", ["Wo bist die Ruh"])
        removed = [types.WorkspaceFolder(folder.as_uri(), "music")]
        event = types.WorkspaceFoldersChangeEvent(added=[], removed=removed)
        one.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
        await until(one, "", [])


async def test_who_shares_a_server_does_not_see_its_disk(folder: Path) -> None:
    with listening(*REAL_SERVER, "--tcp", "127.0.0.1:0") as port:
        async with remote_editor(port, folder=folder) as one:
            assert await names(one) == []
            assert types.WORKSPACE_DID_CHANGE_WATCHED_FILES not in one.registrations


@pytest.fixture
def busy() -> Iterator[Event]:
    """Set while somebody waits for the worker."""
    event = Event()
    event.set()
    yield event
    event.clear()


def test_nothing_is_read_while_somebody_waits(folder: Path, busy: Event) -> None:
    first, more = Event(), Event()

    def is_busy() -> bool:
        (more if first.is_set() else first).set()
        return busy.is_set()

    found = WorkspaceIndex(is_busy)
    found.read(folder)
    assert more.wait(20)  # it has asked twice after the first file
    before = found.find("", 10)
    assert len(before) < 4
    busy.clear()
    while len(found.find("", 10)) < 4:
        assert found._thread is not None
        assert found._thread.is_alive()
    found.close()
    found._thread.join(20)
    assert not found._thread.is_alive()


def test_a_huge_folder_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.abc").write_text(f"X:1\nT:Tune {number}\n", encoding="utf-8")
    found = WorkspaceIndex(lambda: False)
    found.read(tmp_path)
    found._todo.put(None)  # the thread ends when it has read all
    assert found._thread is not None
    found._thread.join(20)
    assert len(found.find("", 10)) == 3
