"""What the tests of every editor share: the pieces in the making."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.programs import ROOT

ABC = (ROOT / "examples" / "irish-washerwoman.abc").read_text(encoding="utf-8")
XML = (ROOT / "examples" / "old-hundredth.musicxml").read_text(encoding="utf-8")


@pytest.fixture
def abc_file(tmp_path: Path) -> Path:
    """A jig of which the pickup and three measures are written; nothing follows."""
    file = tmp_path / "jig.abc"
    file.write_text(ABC[: ABC.index("cAc edc")].rstrip() + "\n", encoding="utf-8")
    return file


@pytest.fixture
def xml_file(tmp_path: Path) -> Path:
    """A hymn whose last part lacks its measures from the fourth on."""
    start = XML.rindex("<part ")
    for _ in range(3):
        start = XML.index("</measure>", start) + len("</measure>")
    end = XML.index("</part>", start)
    file = tmp_path / "hymn.musicxml"
    file.write_text(XML[:start] + "\n  " + XML[end:], encoding="utf-8")
    return file
