"""The runs that are compared are such as training takes, and differ in what they are named after."""

from pathlib import Path

import pytest
import torch

from benchmarks import architectures, scarcity
from benchmarks.runs import Settings, changed, toml
from training.config import load_config
from training.dataset.build import Dataset, build
from training.models import MODELS, ModelConfig, build_model

SETTINGS = {name: architectures.settings_of(name, 2.5) for name in architectures.DESIGNS}
CHANGES = scarcity.changes(90)


def test_every_architecture_has_a_design() -> None:
    assert set(architectures.DESIGNS) == set(MODELS)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_architectures_get_the_same_time(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(toml(settings), encoding="utf-8")
    config = load_config(str(path))
    assert (config.training.minutes, config.training.clock) == (2.5, "processor")
    weights = sum(weight.numel() for weight in build_model(config.model).parameters())
    assert weights == pytest.approx(3.2e6, rel=0.1)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_run_is_the_recipe_but_for_its_change(change: Settings, tmp_path: Path) -> None:
    base = scarcity.settings_of(90)
    path = tmp_path / "run.toml"
    path.write_text(toml(changed(base, change)), encoding="utf-8")
    found = load_config(str(path)).as_dict()
    path.write_text(toml(base), encoding="utf-8")
    recipe = load_config(str(path)).as_dict()
    differing = {
        (table, name)
        for table, values in found.items()
        for name, value in values.items()
        if value != recipe[table][name]
    }
    assert differing == {(table, name) for table, values in change.items() for name in values}


def test_a_thinned_dataset_has_fewer_pieces_to_learn_from_and_the_same_to_ask_about(tmp_path: Path) -> None:
    source = tmp_path / "tunes"
    source.mkdir()
    for number in range(40):
        notes = " ".join("CDEFGAB"[(number * step) % 7] + "2" for step in range(1, 5))
        (source / f"{number}.abc").write_text(f"X:1\nT:Tune {number}\nM:4/4\nL:1/8\nK:C\n{notes}|{notes}|\n")
    build(tmp_path / "whole", {"folder": source})
    whole = Dataset.open(tmp_path / "whole")
    thin = scarcity.thinned(whole, tmp_path / "thin", 3)
    counts = [len(each.tables("train")["folder"].pieces) for each in (whole, thin)]
    assert counts[1] == -(-counts[0] // 3) < counts[0]
    for split in ("valid", "test"):
        whole_tables, thin_tables = (each.tables(split)["folder"] for each in (whole, thin))
        assert thin_tables.ids.tolist() == whole_tables.ids.tolist()


def test_networks_that_vote_give_the_mean_of_their_probabilities() -> None:
    config = ModelConfig("gru", vocabulary_size=11, n_layer=1, n_embd=8, block_size=16)
    networks = [build_model(config).eval() for _ in range(2)]
    ids = torch.arange(6)[None]
    voted = scarcity.Ensemble(networks).eval()(ids).softmax(-1)
    torch.testing.assert_close(voted, sum(network(ids).softmax(-1) for network in networks) / 2)
