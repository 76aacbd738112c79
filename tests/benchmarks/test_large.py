"""Typing in a large score, with a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from benchmarks import large


def test_every_key_has_its_suggestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "QUIET", 0.1)
    out = tmp_path / "large.md"
    large.main(None, 0.2, 3, 0, None, out)
    page = out.read_text(encoding="utf-8")
    assert "a MusicXML score of 0.2 MB" in page
    assert "| keys that had a suggestion | 3 of 3 |" in page


def test_what_is_deleted_is_what_is_typed_again() -> None:
    text = large.document(0.2)
    for edit in large.edits(text, 5, 0):
        assert edit.before[: edit.offset] + edit.rest + edit.before[edit.offset :] == text
        assert edit.rest.startswith(edit.typed)


def test_a_score_without_notes_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="no measure with enough notes"):
        large.edits("<score-partwise><part id='P1'><measure/></part></score-partwise>", 5, 0)
