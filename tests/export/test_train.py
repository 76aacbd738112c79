"""The verb `train`, from scores to a model and from a bundle to the user's own."""

import json

import pytest
import torch
import typer
from typer.testing import CliRunner

from export.bundle import export_bundle
from export.train import train
from inference.bundle import find_bundle, load_bundle
from inference.engine import Engine
from notation.tokens.vocabulary import TOKENS
from tests.support.torch_warnings import EXPORTER, LIGHTNING
from tests.support.tunes import write_tunes
from training import cli, trainer
from training.corpora import CORPORA
from training.models import ModelConfig, build_model
from training.models.checkpoint import Checkpoint, load_checkpoint

pytestmark = [*LIGHTNING, *EXPORTER]

CONFIG = """
[model]
n_layer = 1
n_head = 1
n_kv_head = 1
n_embd = 16
block_size = 64
[training]
steps = 2
batch_size = 2
precision = "fp32"
"""


@pytest.fixture
def run():
    program = typer.Typer()
    program.command()(train)
    return lambda *arguments: CliRunner().invoke(program, [*map(str, arguments), "--threads", "1"])


def test_from_scores_to_a_model(run, tmp_path):
    config, data, out = tmp_path / "tiny.toml", tmp_path / "data", tmp_path / "run"
    config.write_text(CONFIG, encoding="utf-8")
    source = f"music21={CORPORA['music21'].default_root()}"
    built = CliRunner().invoke(cli.corpus, ["build", "--out", str(data), "--limit", "4", source])
    assert built.exit_code == 0, built.output
    trained = run("--data", data, "--out", out, "--config", config)
    assert trained.exit_code == 0, trained.output
    assert load_checkpoint(out / trainer.MODEL).training["steps"] == 2
    assert run("--data", data, "--out", out, "--config", config).exit_code == 2
    resumed = run("--data", data, "--out", out, "--resume", "--json")  # with what the run was set to
    assert json.loads(resumed.stdout) == {"model": str(out / trainer.MODEL)}
    begun, on = out / trainer.MODEL, tmp_path / "on"
    config.write_text(
        CONFIG.replace('precision = "fp32"', 'precision = "fp32"\nlearning_rate = 1e-9'), encoding="utf-8"
    )
    went_on = run("--data", data, "--out", on, "--config", config, "--from", begun)
    assert went_on.exit_code == 0, went_on.output
    for one, other in zip(
        *(load_checkpoint(each).model.parameters() for each in (begun, on / trainer.MODEL)), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    config.write_text(CONFIG.replace("n_embd = 16", "n_embd = 32"), encoding="utf-8")
    wider = run("--data", data, "--out", tmp_path / "wider", "--config", config, "--from", begun)
    assert wider.exit_code == 2
    assert "n_embd 16 and 32" in wider.stderr


def test_from_a_bundle_to_ones_own(run, tmp_path):
    config = ModelConfig("llama", len(TOKENS), n_layer=1, n_head=1, n_kv_head=1, n_embd=32, block_size=64)
    export_bundle(Checkpoint(build_model(config).eval(), list(TOKENS), {}), tmp_path / "base")
    tunes, out = tmp_path / "my tunes", tmp_path / "own"
    tunes.mkdir()
    write_tunes(tunes, 12)
    done = run("--from", tmp_path / "base", tunes, "--out", out, "--minutes", 0.1, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["bits_per_note"]["after"] < said["bits_per_note"]["before"]
    assert said["setting"] == {"ghostnote.model": str(out)}
    loaded = load_bundle(find_bundle(said["setting"]["ghostnote.model"]))
    assert Engine(loaded).prefill([1, 2]).shape == (len(loaded.vocabulary),)
    assert not list(tmp_path.glob("*.run"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "name a dataset and a folder for the run", id="nothing"),
        pytest.param(["--data", "nowhere", "--out", "nowhere"], "no finished dataset", id="no dataset"),
        pytest.param(["--from", "no-such-model", "."], "'no-such-model'", id="no model"),
        pytest.param(["--from", "ghostnote-6m"], "name the folder of your scores", id="no folder"),
        pytest.param(["--from", "ghostnote-6m", ".", "--data", "."], "name a dataset and a folder", id="both"),
        pytest.param(["--from", "ghostnote-6m", ".", "--config", "small"], "and no --config", id="a configuration too"),
        pytest.param(["--from", "ghostnote-6m", ".", "--minutes", "0"], "0 minutes", id="no time"),
        pytest.param(["--from", "no-such-model", ".", "--out", "."], "is no bundle", id="no place for a bundle"),
    ],
)
def test_wrong_usage_is_said(run, arguments, message):
    done = run(*arguments)
    assert done.exit_code == 2
    assert "ghostnote: " in done.stderr
    assert message in done.stderr
