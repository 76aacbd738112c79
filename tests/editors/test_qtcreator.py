"""Qt Creator in a window of its own with the real server: the measures in its completion menu.

Its settings hold the list of language servers as Qt's binary form of a variant: `as_variant` writes it.
Source: Qt 6, "Serializing Qt Data Types", in the version Qt_4_0 that QSettings uses.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from tests.editors.desktop import UNFINISHED, Desktop, assert_continued, desktop
from tests.editors.programs import ROOT, environment, of_debian, server_command
from tests.editors.waiting import until, until_asked, until_saved

PAGE = (ROOT / "editors" / "qtcreator" / "README.md").read_text(encoding="utf-8")
WHEN_A_FILE_IS_OPEN = 1

Value = bool | int | str | list[str] | dict[str, "Value"]


def as_string(text: str) -> bytes:
    """A string with its length in bytes before it."""
    encoded = text.encode("utf-16-be")
    return struct.pack(">I", len(encoded)) + encoded


def as_variant(value: Value) -> bytes:
    """A value with the number of its type before it."""
    match value:
        case bool():
            return struct.pack(">I?", 1, value)
        case int():
            return struct.pack(">Ii", 2, value)
        case dict():
            entries = (as_string(name) + as_variant(one) for name, one in value.items())
            return struct.pack(">II", 8, len(value)) + b"".join(entries)
        case str():
            return struct.pack(">I", 10) + as_string(value)
        case list():
            return struct.pack(">II", 11, len(value)) + b"".join(map(as_string, value))


def told(label: str) -> list[str]:
    """What the page tells to enter behind a label."""
    (line,) = re.findall(rf"^ +- .*\*{label}\*:?(.*)$", PAGE, re.MULTILINE)
    return re.findall(r"`([^`]+)`", line)


def configure(folder: Path, model: str) -> Path:
    """What the page tells to enter, with the server behind a copy of what it hears; gives the file of that copy."""
    assert told("Arguments") == ["serve"]
    heard, program = folder / "heard", folder / "ghostnote"
    program.write_text(f"#!/bin/sh\ntee '{heard}' | {' '.join(server_command(model))}\n", encoding="utf-8")
    program.chmod(0o755)
    client: dict[str, Value] = {
        "typeId": "LanguageClient::StdIOSettingsID",
        "id": "ghostnote",
        "name": told("Name")[0],
        "enabled": True,
        "startupBehavior": WHEN_A_FILE_IS_OPEN,
        "filePattern": told("Language"),
        "executable": str(program),
        "arguments": told("Arguments")[-1],
        "initializationOptions": told("Initialization options")[0],
    }
    clients = struct.pack(">II", 9, 1) + as_variant(client)
    settings = folder / "settings" / "QtProject" / "QtCreator.ini"
    settings.parent.mkdir(parents=True)
    escaped = "".join(f"\\x{byte:02x}" for byte in clients)
    settings.write_text(
        f"[LanguageClient]\nclients=@Variant({escaped})\n\n[General]\nSuppressedWarnings=TakeUITour\n", encoding="utf-8"
    )
    return heard


def take_the_first_entry(folder: Path, model: str, file: Path, *keys: str) -> str:
    """Go to a place by `keys`, open the menu there, take its first entry; gives the saved text."""
    (program,) = of_debian("qtcreator", "qtcreator").command
    heard = configure(folder, model)
    before = file.read_text(encoding="utf-8")
    options = ["-settingspath", str(folder / "settings"), "-noload", "Welcome", "-load", "LanguageClient"]
    with desktop([program, *options, str(file)], folder, environment(folder)) as screen:
        until(
            lambda: heard.exists() and b"textDocument/didOpen" in heard.read_bytes(), "the server to hear of the file"
        )
        screen.focus(f"^{file.name}")
        screen.press(*keys)
        ask_for_menu(screen, heard)
        screen.press("Return", "ctrl+s")
        return until_saved(file, before)


def ask_for_menu(screen: Desktop, heard: Path) -> None:
    """Ask until the menu is there: a window that was not there before the server was asked."""
    others = set(screen.windows("class", "[qQ]t[cC]reator"))
    until_asked(
        lambda: screen.press("ctrl+space"),
        lambda: (
            b"textDocument/completion" in heard.read_bytes()
            and set(screen.windows("class", "[qQ]t[cC]reator")) - others
        ),
        "the menu",
    )


@UNFINISHED
def test_the_next_measure(
    fixture: str, keys: tuple[str, ...], request: pytest.FixtureRequest, tmp_path: Path, model: str
) -> None:
    file: Path = request.getfixturevalue(fixture)
    before = file.read_text(encoding="utf-8")
    assert_continued(before, take_the_first_entry(tmp_path, model, file, *keys))
