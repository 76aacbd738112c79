"""Each editor's page: does what it says to copy hold together, and does what it points to exist?

The editors themselves are driven by the other tests here; the page of one that cannot be had is checked by this alone.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lsp_server.settings import Settings
from tests.editors.programs import ROOT

EDITORS = ROOT / "editors"
PAGES = sorted(EDITORS.glob("*/README.md"))
# "enabled" is VS Code's own.
KNOWN = {field.name.replace("delay_ms", "delayMs") for field in dataclasses.fields(Settings)} | {"enabled"}
LARGEST_PICTURE = 200_000
READERS = {"json": json.loads, "toml": tomllib.loads}


def blocks(page: Path, language: str) -> list[str]:
    """What stands fenced in a page, without the indentation of its list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def inline(page: Path) -> list[str]:
    """The JSON that stands in a page's sentences and lists: objects, and members of one."""
    text = page.read_text(encoding="utf-8")
    members = re.findall(r'`("[^`"]+": [^`]*)`', text)
    return re.findall(r"`(\{[^`]*\})`", text) + [f"{{{one}}}" for one in members]


def settings_in(value: Any) -> set[str]:
    """The names below every `ghostnote` that is a table of settings, and those of dotted keys."""
    if not isinstance(value, dict):
        return set()
    found = {key.removeprefix("ghostnote.") for key in value if key.startswith("ghostnote.")}
    inner = value.get("ghostnote")
    if isinstance(inner, dict) and not {"command", "name"} & inner.keys():
        found |= inner.keys()
    return found.union(*(settings_in(one) for one in value.values()))


def names(pages: list[Path]) -> list[str]:
    return [page.parent.name for page in pages]


def test_there_is_a_page_for_every_editor() -> None:
    assert {folder.name for folder in EDITORS.iterdir() if folder.is_dir()} == set(names(PAGES))
    assert len(PAGES) >= 10


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_what_a_page_points_to_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.startswith(("https://", "#")) or (page.parent / target).exists(), target
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path
    for picture in re.findall(r"\]\(([^)]+\.png)\)", text):
        assert (page.parent / picture).stat().st_size < LARGEST_PICTURE, picture


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_page_says_how_to_install_and_what_is_tested(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "pipx install ." in text or "the one that is packed in it" in " ".join(text.split())
    assert "pip install ghostnote" not in text, "it is not in the Python package index"
    assert re.search(r"[Tt]ested with|has not been run|npm run e2e", text), "says whether it was tested"


COPIED = [
    pytest.param(language, text, id=f"{page.parent.name}-{language}-{number}")
    for page in PAGES
    for language in READERS
    for number, text in enumerate(blocks(page, language) + (inline(page) if language == "json" else []))
]


@pytest.mark.parametrize(("language", "text"), COPIED)
def test_configuration_to_copy_is_well_formed_and_names_only_settings_that_exist(language: str, text: str) -> None:
    assert settings_in(READERS[language](text)) <= KNOWN


def test_there_is_something_to_copy() -> None:
    assert len(COPIED) >= 8


def test_the_keys_of_vscodes_page_are_those_of_the_extension() -> None:
    manifest = json.loads((EDITORS / "vscode" / "package.json").read_text(encoding="utf-8"))
    text = (EDITORS / "vscode" / "README.md").read_text(encoding="utf-8").lower()
    assert len(manifest["contributes"]["keybindings"]) >= 7
    for binding in manifest["contributes"]["keybindings"]:
        assert binding["key"].replace("\\", "\\\\") in text, binding
