"""A run learns, ends when it should, and goes on after a kill as if nothing had happened."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import pytest
import torch

from notation.tokens.vocabulary import TOKENS
from tests.support.torch_warnings import LIGHTNING
from training import trainer
from training.config import RunConfig, TrainingConfig, load_config, load_run_config
from training.models import MODELS, ModelConfig, build_model
from training.models.checkpoint import load_checkpoint

pytestmark = LIGHTNING


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
    trainer.train(dataset, out, config, n_threads=1)
    return out


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_loss_falls(dataset, config, tmp_path, optimizer):
    trainer.train(dataset, tmp_path, longer(config, steps=40, optimizer=optimizer), n_threads=1)
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


PROGRAM = """
import sys
from pathlib import Path
from training import trainer
from training.config import load_run_config
from training.dataset.build import Dataset
data, out, config = map(Path, sys.argv[1:])
trainer.train(Dataset.open(data), out, load_run_config(config), n_threads=1)
"""


@pytest.mark.parametrize("architecture", sorted(MODELS))
def test_muon_takes_hidden_matrices_and_no_table_of_tokens(architecture):
    sizes = {"n_layer": 1, "n_head": 2, "n_kv_head": 2, "n_embd": 32, "block_size": 80}
    network = build_model(ModelConfig(architecture, len(TOKENS), **sizes))
    optimizer = trainer.TrainingModule(network, TrainingConfig(optimizer="muon")).configure_optimizers()
    by_muon = [weight for group in optimizer.param_groups if group["use_muon"] for weight in group["params"]]
    assert by_muon
    assert all(weight.dim() == 2 and not {len(TOKENS), 80} & set(weight.shape) for weight in by_muon)
    n_in_all = sum(len(group["params"]) for group in optimizer.param_groups)
    assert n_in_all == sum(1 for weight in network.parameters() if weight.requires_grad)


def written(config, path):
    path.write_text(json.dumps(config.as_dict()), encoding="utf-8")
    return path


def start(*arguments, launcher=()):
    """A run as a process of its own."""
    command = [sys.executable, "-W", "ignore", *launcher, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_run_goes_on_to_the_very_same_weights(dataset, config, tmp_path):
    """A checkpoint after every step, killed at any moment after the first; the rest is one run in another process."""
    config = longer(config, steps=60, optimizer="muon")
    trainer.train(dataset, tmp_path / "whole", config, n_threads=1)
    path = written(longer(config, checkpoint_minutes=0), tmp_path / "config.json")
    out = tmp_path / "killed"
    process = start("-c", PROGRAM, dataset.folder, out, path)
    while process.poll() is None and not (out / trainer.CHECKPOINT).exists():
        time.sleep(0.01)
    process.kill()
    output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, output.decode()
    steps = torch.load(out / trainer.CHECKPOINT, weights_only=True)["global_step"]
    assert 0 < steps < config.training.steps
    trainer.train(dataset, out, config, n_threads=1, resume=True)
    resumed, expected = (load_checkpoint(each / trainer.MODEL) for each in (out, tmp_path / "whole"))
    assert resumed.training["steps"] == expected.training["steps"]
    assert resumed.training["tokens"] == expected.training["tokens"]
    for name, weights in expected.model.state_dict().items():
        torch.testing.assert_close(resumed.model.state_dict()[name], weights, msg=name)
    assert len(logged(out, "loss")) >= config.training.steps


def test_two_processes_learn_what_one_does(dataset, config, tmp_path):
    """As `torchrun` starts them; without dropout, which every process draws for itself."""
    config = replace(config, model=replace(config.model, dropout=0.0))
    trainer.train(dataset, tmp_path / "one", config, n_threads=1)
    path = written(config, tmp_path / "config.json")
    script = tmp_path / "run.py"
    script.write_text(PROGRAM, encoding="utf-8")
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    process = start(script, dataset.folder, tmp_path / "two", path, launcher=launcher)
    output, _ = process.communicate()
    assert process.returncode == 0, output.decode()
    one, two = (load_checkpoint(tmp_path / name / trainer.MODEL) for name in ("one", "two"))
    assert two.training["tokens"] == one.training["tokens"]
    for name, weights in one.model.state_dict().items():
        torch.testing.assert_close(two.model.state_dict()[name], weights, rtol=1e-3, atol=1e-4, msg=name)
    assert logged(tmp_path / "two", "loss") == pytest.approx(logged(tmp_path / "one", "loss"), rel=1e-3)
    assert files_of(tmp_path / "two") == files_of(tmp_path / "one")


def files_of(out):
    """What a run left, but for the machine's and the process's names in those of TensorBoard."""
    return sorted(path.relative_to(out).as_posix().partition(".tfevents")[0] for path in out.rglob("*"))


def test_processes_must_be_able_to_share_a_batch(dataset, config, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ValueError, match="4 rows cannot be shared by 3 processes"):
        trainer.train(dataset, tmp_path, config)


def test_a_run_without_gain_ends_early_with_its_best_model(dataset, config, tmp_path):
    """A rate at which nothing is learned after the first validation."""
    hopeless = longer(config, minutes=5, validation_minutes=0, patience=2, learning_rate=3.0, warmup=0.0)
    trainer.train(dataset, tmp_path, hopeless, n_threads=1)
    found = load_checkpoint(tmp_path / trainer.MODEL)
    costs = logged(tmp_path, "valid_nats_per_token")
    assert found.training["valid"]["all"]["nats_per_token"] == pytest.approx(min(costs))
    assert found.training["minutes"] < 4
    assert costs.index(min(costs)) < len(costs) - 2


def test_a_run_that_diverges_says_so(dataset, config, tmp_path):
    weights = {name: torch.full_like(each, math.nan) for name, each in build_model(config.model).state_dict().items()}
    patient = longer(config, minutes=5, validation_minutes=0, patience=2)
    with pytest.raises(ValueError, match="diverged"):
        trainer.train(dataset, tmp_path, patient, weights=weights, n_threads=1)


def test_logs_go_to_weights_and_biases_if_asked_for(dataset, config, tmp_path):
    pytest.importorskip("wandb", reason="Weights & Biases is not installed: pip install wandb")
    program = PROGRAM.replace("n_threads=1", "n_threads=1, wandb=True")
    path = written(longer(config, steps=2), tmp_path / "config.json")
    environment = {**os.environ, "WANDB_MODE": "offline", "OMP_NUM_THREADS": "1"}
    arguments = [sys.executable, "-W", "ignore", "-c", program, dataset.folder, tmp_path / "run", path]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "run").rglob("*.wandb"))


def test_weights_and_biases_that_is_missing_is_said(dataset, config, tmp_path, monkeypatch):
    monkeypatch.setattr("lightning.pytorch.loggers.wandb._WANDB_AVAILABLE", False)
    with pytest.raises(ValueError, match="pip install wandb"):
        trainer.train(dataset, tmp_path, config, wandb=True)


def test_what_a_run_was_set_to_is_read_again(whole_run, config):
    assert load_run_config(whole_run / "config.json") == config
    assert load_run_config(whole_run / "config.json", seed=9).training.seed == 9


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own modules, as compiling loads them
def test_a_compiled_run_learns_the_same_and_its_checkpoint_fits_any_run(dataset, config, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))  # no C compiler, no minutes
    compiled = replace(longer(config, compile=True, steps=2), model=replace(config.model, dropout=0.0))
    trainer.train(dataset, tmp_path / "compiled", compiled, n_threads=1)
    trainer.train(dataset, tmp_path / "plain", longer(compiled, compile=False), n_threads=1)
    one, other = (load_checkpoint(tmp_path / name / trainer.MODEL).model for name in ("compiled", "plain"))
    for name, weights in one.state_dict().items():
        torch.testing.assert_close(weights, other.state_dict()[name], rtol=1e-3, atol=1e-4, msg=name)
    trainer.train(dataset, tmp_path / "compiled", longer(compiled, compile=False, steps=3), n_threads=1, resume=True)
    assert load_checkpoint(tmp_path / "compiled" / trainer.MODEL).training["steps"] == 3


@pytest.mark.parametrize("clock", ["wall", "processor"])
def test_a_timed_run_ends_with_its_schedule(dataset, config, tmp_path, clock):
    trainer.train(dataset, tmp_path, longer(config, minutes=0.05, steps=0, clock=clock), n_threads=1)
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
        trainer.train(dataset, whole_run, config)


def test_nothing_to_resume_is_an_error(dataset, config, tmp_path):
    with pytest.raises(FileNotFoundError, match="without --resume"):
        trainer.train(dataset, tmp_path, config, resume=True)


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
