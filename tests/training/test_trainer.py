"""A run learns, ends when it should, and goes on after a kill as if nothing had happened."""

import csv
import json
import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from typer.testing import CliRunner

from training import cli, trainer
from training.config import RunConfig, TrainingConfig, load_config
from training.models.checkpoint import load_checkpoint

# Lightning's own use of torch's internals, and its advice on numbers of workers.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:lightning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:lightning"),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec.*"),
]


@pytest.fixture(scope="module")
def config():
    small = load_config("small", seed=5)
    training = replace(
        small.training, steps=8, batch_size=4, log_steps=1, validation_batches=2, learning_rate=5e-3, precision="fp32"
    )
    model = replace(small.model, n_layer=1, n_head=2, n_embd=32, block_size=96, dropout=0.1)
    return RunConfig(model, small.sampler, training)


def longer(config, **changes):
    return replace(config, training=replace(config.training, **changes))


def logged(out, name):
    rows = []
    for path in sorted((out / "logs").glob("*/metrics.csv")):
        with path.open(newline="") as file:
            rows += [float(row[name]) for row in csv.DictReader(file) if row.get(name)]
    return rows


@pytest.fixture(scope="module")
def whole_run(dataset, config, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "whole"
    trainer.train(dataset.folder, out, config, n_threads=1)
    return out


def test_the_loss_falls(dataset, config, tmp_path):
    trainer.train(dataset.folder, tmp_path, longer(config, steps=40), n_threads=1)
    losses = logged(tmp_path, "loss")
    assert losses[0] == pytest.approx(math.log(config.model.vocabulary_size), rel=0.1)
    assert sum(losses[-5:]) / 5 < 0.75 * losses[0]


def test_a_run_leaves_a_model_with_its_figures(whole_run, config):
    found = load_checkpoint(whole_run / trainer.MODEL)
    assert found.model.config == config.model
    assert found.training["steps"] == config.training.steps
    assert found.training["tokens"] == 8 * 4 * 96
    assert found.training["config"]["training"]["learning_rate"] == config.training.learning_rate
    assert found.training["data"]["music21"]["licence"]
    assert found.training["valid"]["all"]["bits_per_note"] > 0
    json.dumps(found.training, allow_nan=False)


def test_a_killed_run_goes_on_to_the_very_same_weights(dataset, config, whole_run, tmp_path, monkeypatch):
    """Saved after every step, killed after the fifth; the rest is one run with another process's state."""

    class Killed(BaseException):
        pass

    save = trainer.Housekeeping._save

    def save_and_die(self, lightning_trainer, module):
        save(self, lightning_trainer, module)
        if lightning_trainer.global_step == 5:
            raise Killed

    monkeypatch.setattr(trainer.Housekeeping, "_save", save_and_die)
    with pytest.raises(Killed):
        trainer.train(dataset.folder, tmp_path, longer(config, checkpoint_minutes=0), n_threads=1)
    monkeypatch.undo()
    torch.manual_seed(999)
    trainer.train(dataset.folder, tmp_path, config, n_threads=1, resume=True)
    resumed, expected = (load_checkpoint(out / trainer.MODEL) for out in (tmp_path, whole_run))
    assert resumed.training["steps"] == expected.training["steps"]
    assert resumed.training["tokens"] == expected.training["tokens"]
    for name, weights in expected.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], weights, msg=name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own modules, as compiling loads them
def test_a_compiled_run_learns_the_same_and_its_checkpoint_fits_any_run(dataset, config, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))  # no C compiler, no minutes
    compiled = replace(longer(config, compile=True, steps=2), model=replace(config.model, dropout=0.0))
    trainer.train(dataset.folder, tmp_path / "compiled", compiled, n_threads=1)
    trainer.train(dataset.folder, tmp_path / "plain", longer(compiled, compile=False), n_threads=1)
    one, other = (load_checkpoint(tmp_path / name / trainer.MODEL).model for name in ("compiled", "plain"))
    for name, weights in one.state_dict().items():
        torch.testing.assert_close(weights, other.state_dict()[name], rtol=1e-3, atol=1e-4, msg=name)
    trainer.train(
        dataset.folder, tmp_path / "compiled", longer(compiled, compile=False, steps=3), n_threads=1, resume=True
    )
    assert load_checkpoint(tmp_path / "compiled" / trainer.MODEL).training["steps"] == 3


def test_a_timed_run_ends_with_its_schedule(dataset, config, tmp_path):
    trainer.train(dataset.folder, tmp_path, longer(config, minutes=0.05, steps=0), n_threads=1)
    rates = logged(tmp_path, "learning_rate")
    assert rates[-1] < 0.1 * max(rates)
    assert load_checkpoint(tmp_path / trainer.MODEL).training["minutes"] == pytest.approx(0.05, rel=0.5)


@pytest.mark.parametrize("schedule", ["cosine", "wsd"])
def test_the_rate_rises_then_falls(schedule):
    config = TrainingConfig(schedule=schedule, warmup=0.1, decay=0.2, final_rate=0.05, learning_rate=1.0)
    rates = [trainer.learning_rate(config, fraction / 100) for fraction in range(101)]
    assert rates[0] == 0
    assert rates[10] == max(rates) == pytest.approx(1)
    assert rates[100] == pytest.approx(0.05)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    if schedule == "wsd":
        assert rates[80] == pytest.approx(1)
        assert rates[90] == pytest.approx(0.525)


def test_a_folder_that_holds_a_run_is_not_overwritten(dataset, config, whole_run):
    with pytest.raises(ValueError, match="--resume"):
        trainer.train(dataset.folder, whole_run, config)


def test_nothing_to_resume_is_an_error(dataset, config, tmp_path):
    with pytest.raises(FileNotFoundError, match="without --resume"):
        trainer.train(dataset.folder, tmp_path, config, resume=True)


@pytest.mark.parametrize("name", ["small", "release"])
def test_the_configurations_of_the_package_can_be_read(name):
    config = load_config(name, minutes=3)
    assert config.training.minutes == 3
    assert config.model.block_size > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[model]\nn_layers = 2\n", "has no setting 'n_layers'", id="setting"),
        pytest.param("[optimiser]\n", r"table \[optimiser\]", id="table"),
        pytest.param("[training\n", "is not TOML", id="syntax"),
        pytest.param("[training]\nschedule = 'linear'\n", "choose among cosine, wsd", id="choice"),
        pytest.param("[training]\nsteps = 0\n", "set one of them", id="no end"),
        pytest.param("[model]\nn_embd = 30\nn_head = 4\n", "multiple", id="dimensions"),
    ],
)
def test_an_impossible_configuration_is_refused(tmp_path, text, message):
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_config(str(path))


def test_the_command_line_from_scores_to_a_model(tmp_path, corpus_root):
    (tmp_path / "tiny.toml").write_text(
        "[model]\nn_layer = 1\nn_head = 1\nn_kv_head = 1\nn_embd = 16\nblock_size = 64\n"
        "[training]\nsteps = 2\nbatch_size = 2\nprecision = 'fp32'\n",
        encoding="utf-8",
    )
    run, out, data = CliRunner().invoke, str(tmp_path / "run"), str(tmp_path / "data")
    built = run(cli.corpus, ["build", "--out", data, "--limit", "4", f"music21={corpus_root}"])
    assert built.exit_code == 0, built.output
    import typer

    program = typer.Typer()
    program.command()(cli.train)
    trained = run(program, ["--data", data, "--out", out, "--config", str(tmp_path / "tiny.toml"), "--threads", "1"])
    assert trained.exit_code == 0, trained.output
    assert load_checkpoint(tmp_path / "run" / trainer.MODEL).training["steps"] == 2
    again = run(program, ["--data", data, "--out", out, "--config", str(tmp_path / "tiny.toml"), "--threads", "1"])
    assert again.exit_code == 2


def test_the_corpora_are_listed_with_their_licences():
    listed = CliRunner().invoke(cli.corpus, ["list"])
    assert listed.exit_code == 0
    assert "nifc_polish" in listed.output


@pytest.mark.parametrize("source", ["music21", "music21=", "nothing=here"])
def test_a_wrong_source_is_refused(tmp_path, source):
    assert CliRunner().invoke(cli.corpus, ["build", "--out", str(tmp_path), source]).exit_code == 2
