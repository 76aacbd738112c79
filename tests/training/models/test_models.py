"""What every architecture promises to the training loop, and the checkpoint that carries it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.bundles import BLOCK_SIZE, NETWORKS, VOCABULARY, tiny_checkpoint, tiny_config
from training.models import ModelConfig, build_model
from training.models.checkpoint import load_checkpoint, load_checkpoints, save_checkpoint
from training.models.llama import Llama, rotary_tables, rotate

ARCHITECTURES = pytest.mark.parametrize("architecture", NETWORKS)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(len(VOCABULARY), shape, generator=torch.Generator().manual_seed(seed))


@ARCHITECTURES
def test_logits_have_a_row_a_position(architecture: str) -> None:
    assert build_model(tiny_config(architecture))(draw(3, 7)).shape == (3, 7, len(VOCABULARY))


@ARCHITECTURES
def test_no_position_sees_what_follows(architecture: str) -> None:
    model, tokens = tiny_checkpoint(architecture).model, draw(1, 20)
    changed = tokens.clone()
    changed[0, 12:] = (changed[0, 12:] + 1) % len(VOCABULARY)
    with torch.no_grad():
        before, after = model(tokens), model(changed)
    torch.testing.assert_close(before[:, :12], after[:, :12], rtol=0, atol=1e-5)
    assert (before[:, 12:] - after[:, 12:]).abs().max() > 0.01


@ARCHITECTURES
def test_rows_of_a_batch_are_independent(architecture: str) -> None:
    model, tokens = tiny_checkpoint(architecture).model, draw(4, 15)
    with torch.no_grad():
        together, alone = model(tokens), torch.cat([model(row[None]) for row in tokens])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


@ARCHITECTURES
def test_it_learns_a_pattern(architecture: str) -> None:
    """Twenty tokens said over and over: a network that can learn at all predicts the next one."""
    torch.manual_seed(0)
    model = build_model(tiny_config(architecture)).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    tokens = torch.arange(20).repeat(4)[None]  # (20,) -> (1, 80)
    first = last = torch.tensor(0.0)
    for step in range(60):
        last = torch.nn.functional.cross_entropy(model(tokens[:, :-1])[0], tokens[0, 1:])
        first = last.detach() if step == 0 else first
        optimiser.zero_grad()
        last.backward()
        optimiser.step()
    assert first > 3
    assert last < 0.1


@ARCHITECTURES
def test_a_fresh_model_is_undecided(architecture: str) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        logits = build_model(tiny_config(architecture)).eval()(draw(8, 30))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), draw(8, 30, seed=1).flatten())
    assert abs(float(loss) - float(torch.tensor(len(VOCABULARY)).log())) < 0.2


@ARCHITECTURES
def test_dropout_only_acts_in_training(architecture: str) -> None:
    model = build_model(ModelConfig(**(vars(tiny_config(architecture)) | {"dropout": 0.5})))
    tokens = draw(1, 10)
    with torch.no_grad():
        assert not torch.equal(model.train()(tokens), model(tokens))
        assert torch.equal(model.eval()(tokens), model(tokens))


def test_rotation_depends_on_distance_alone() -> None:
    cos, sin = rotary_tables(50, 16, 10_000.0)
    q, k = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))

    def score(at: int, other: int) -> float:
        return float(rotate(q, cos[at], sin[at]) @ rotate(k, cos[other], sin[other]))

    assert score(7, 3) == pytest.approx(score(44, 40), abs=1e-4)
    assert score(7, 3) != pytest.approx(score(7, 5), abs=1e-2)


def test_the_default_is_the_release_model() -> None:
    model = Llama(ModelConfig("llama", 1000))
    assert model.config.head_size == 64
    assert 4.5e6 < sum(weights.numel() for weights in model.parameters()) < 5.5e6


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "music_transformer"])
def test_too_long_a_window_is_refused(architecture: str) -> None:
    with pytest.raises(ValueError, match=f"{BLOCK_SIZE + 1} tokens.*window of {BLOCK_SIZE}"):
        build_model(tiny_config(architecture))(draw(1, BLOCK_SIZE + 1))


@pytest.mark.parametrize("architecture", ["gpt2", "music_transformer"])
def test_positions_that_were_not_learned_have_no_state(architecture: str) -> None:
    with pytest.raises(ValueError, match=f"{BLOCK_SIZE + 1} tokens.*window of {BLOCK_SIZE}"):
        build_model(tiny_config(architecture)).step_module(BLOCK_SIZE + 1)


def test_heads_must_divide() -> None:
    with pytest.raises(ValueError, match=r"n_embd 64.*n_head 5"):
        tiny_config("llama", n_head=5)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'oracle'.*gpt2, gru"):
        build_model(ModelConfig("oracle", 10))


@ARCHITECTURES
def test_a_checkpoint_comes_back(architecture: str, tmp_path: Path) -> None:
    model = tiny_checkpoint(architecture).model
    save_checkpoint(tmp_path / "runs" / "last.pt", model, VOCABULARY, {"steps": 5, "loss": 1.25})
    loaded = load_checkpoint(tmp_path / "runs" / "last.pt")
    assert loaded.model.config == model.config
    assert loaded.vocabulary == VOCABULARY
    assert loaded.training == {"steps": 5, "loss": 1.25}
    assert not loaded.model.training
    with torch.no_grad():
        assert torch.equal(loaded.model(draw(2, 9)), model(draw(2, 9)))


def test_a_vocabulary_of_another_size_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3 tokens, the model 50"):
        save_checkpoint(tmp_path / "last.pt", tiny_checkpoint("gru").model, ["a", "b", "c"])


def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "last.pt"
    save_checkpoint(file, tiny_checkpoint("gru").model, VOCABULARY)
    content = torch.load(file)
    content["config"]["n_embd"] = 32
    torch.save(content, file)
    with pytest.raises(ValueError, match=r"last\.pt is not a usable checkpoint"):
        load_checkpoint(file)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return Path.write_text, (tmp_path / "sprung", "x")  # type: ignore[return-value]

    torch.save({"config": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(ValueError, match="not a usable checkpoint"):
        load_checkpoint(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


def test_networks_that_vote_give_the_mean_of_their_logits(tmp_path: Path) -> None:
    paths = [tmp_path / "one.pt", tmp_path / "other.pt"]
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        save_checkpoint(path, build_model(tiny_config("llama")), VOCABULARY, {"steps": seed, "data": {path.stem: 1}})
    one, other = (load_checkpoint(path).model for path in paths)
    both = load_checkpoints(paths)
    with torch.no_grad():
        torch.testing.assert_close(both.model(draw(2, 9)), (one(draw(2, 9)) + other(draw(2, 9))) / 2)
    assert both.training == {"networks": [{"steps": 0}, {"steps": 1}], "data": {"one": 1, "other": 1}}
    save_checkpoint(tmp_path / "both.pt", both.model, VOCABULARY)
    assert load_checkpoint(tmp_path / "both.pt").model.config.n_networks == 2
    assert load_checkpoints(paths[:1]).training == {"steps": 0, "data": {"one": 1}}


def test_networks_of_different_shapes_do_not_vote(tmp_path: Path) -> None:
    for name, width in (("narrow", 32), ("wide", 64)):
        save_checkpoint(tmp_path / name, build_model(tiny_config("llama", n_embd=width)), VOCABULARY)
    with pytest.raises(ValueError, match="n_embd 32 and 64"):
        load_checkpoints([tmp_path / "narrow", tmp_path / "wide"])


def test_a_vote_does_not_vote_again(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "both.pt", build_model(tiny_config("2 x llama")), VOCABULARY)
    with pytest.raises(ValueError, match="name the models that it was made of"):
        load_checkpoints([tmp_path / "both.pt", tmp_path / "both.pt"])


def test_a_model_has_a_network() -> None:
    with pytest.raises(ValueError, match="n_networks is 0"):
        tiny_config("0 x llama")
