"""Writing a bundle, and the verb that does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from export import bundle as exporting
from export.bundle import export_bundle
from export.cli import export
from export.parity import Parity
from inference.bundle import load_bundle, vocabulary_hash
from tests.support.bundles import VOCABULARY, tiny_bundle, tiny_checkpoint
from training.models.checkpoint import save_checkpoint


def test_the_manifest_describes_the_model() -> None:
    manifest = load_bundle(tiny_bundle("gru", "int8")).manifest
    assert (manifest.architecture, manifest.precision, manifest.max_length) == ("gru", "int8", 320)
    assert manifest.vocabulary_hash == vocabulary_hash(VOCABULARY)
    assert manifest.parameters == sum(each.numel() for each in tiny_checkpoint("gru").model.parameters())
    assert manifest.config["n_embd"] == 64
    assert manifest.training["data"] == [{"name": "none", "licence": "none"}]


def test_the_card_tells_data_licences_and_quality(tmp_path: Path) -> None:
    export_bundle(tiny_checkpoint("gru"), tmp_path / "waltz", quality={"folk": {"exact": 0.25}}, name="Waltz")
    card = load_bundle(tmp_path / "waltz").card
    assert all(words in card for words in ("# Waltz", "licence: none", "exact: 0.25", "gru", "int8"))


def test_the_context_may_be_shorter_than_the_block(tmp_path: Path) -> None:
    export_bundle(tiny_checkpoint("llama"), tmp_path / "short", max_length=64)
    manifest = load_bundle(tmp_path / "short").manifest
    assert manifest.max_length == 64
    assert {tensor.shape[1] for tensor in manifest.state} == {64}


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years")
    with pytest.raises(ValueError, match="is no bundle"):
        export_bundle(tiny_checkpoint("gru"), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "ten years"


def test_a_wrong_graph_leaves_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "waltz"
    export_bundle(tiny_checkpoint("gru"), out, precision="fp32", quality={"run": 1})
    monkeypatch.setattr(exporting, "measure_parity", lambda *_: Parity(1, 0.5, 1.0, 0.0))
    with pytest.raises(ValueError, match=r"off by 5.00e-01, more than 1e-03"):
        export_bundle(tiny_checkpoint("gru"), out, precision="fp32", quality={"run": 2})
    assert load_bundle(out).manifest.quality == {"run": 1}


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(export)
    return app


def test_the_verb_writes_a_bundle(app: typer.Typer, tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint("gru")
    save_checkpoint(tmp_path / "last.pt", checkpoint.model, checkpoint.vocabulary, {"steps": 3})
    (tmp_path / "quality.json").write_text(json.dumps({"exact": 0.2}))
    out = tmp_path / "made" / "waltz"
    arguments = [
        str(tmp_path / "last.pt"),
        str(out),
        "--precision",
        "fp32",
        "--quality",
        str(tmp_path / "quality.json"),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    manifest = load_bundle(out).manifest
    assert (manifest.name, manifest.precision) == ("waltz", "fp32")
    assert (manifest.training, manifest.quality) == ({"steps": 3}, {"exact": 0.2})
    assert not list(out.parent.glob("*.partial"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"not a checkpoint", "not a usable checkpoint", id="damaged"),
    ],
)
def test_the_verb_says_what_is_wrong(app: typer.Typer, tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "last.pt"
    if content is not None:
        file.write_bytes(content)
    result = CliRunner().invoke(app, [str(file), str(tmp_path / "out")])
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "out").exists()
