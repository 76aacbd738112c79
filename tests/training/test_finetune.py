"""Fine-tuning learns the user's tunes, holds some out, and keeps the weights that predict those best."""

import pytest
import torch

from notation.tokens.vocabulary import TOKENS
from tests.support.torch_warnings import LIGHTNING
from tests.support.tunes import write_tunes
from training.dataset.build import build
from training.finetune import CORPUS, OwnTunes, best_between, between, fine_tune, genre_sizes
from training.models import ModelConfig, build_model
from training.models.checkpoint import Checkpoint
from training.trainer import CHECKPOINT
from training.validation import validate, whole_pieces

pytestmark = LIGHTNING

N_TUNES = 30


@pytest.fixture(scope="module")
def checkpoint():
    torch.manual_seed(0)
    config = ModelConfig("llama", len(TOKENS), n_layer=1, n_head=2, n_kv_head=2, n_embd=32, block_size=96)
    return Checkpoint(build_model(config).eval(), list(TOKENS), {"steps": 7})


@pytest.fixture(scope="module")
def tuned(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tunes")
    write_tunes(folder, N_TUNES)
    return fine_tune(checkpoint, folder, tmp_path_factory.mktemp("run"), minutes=0.1, n_threads=1)


def test_tunes_that_were_held_out_are_predicted_better(tuned, checkpoint):
    assert tuned.after.bits_per_note < tuned.before.bits_per_note
    assert tuned.after.n_notes == tuned.before.n_notes
    assert tuned.share_of_new > 0
    assert sum(tuned.n_tunes) == N_TUNES
    assert min(tuned.n_tunes) >= 1
    assert tuned.checkpoint.model.config == checkpoint.model.config
    assert tuned.checkpoint.training["began_with"] == {"steps": 7}


def test_works_are_split_apart_and_always_alike(tmp_path):
    (tmp_path / "tunes").mkdir()
    write_tunes(tmp_path / "tunes", N_TUNES)
    splits = []
    for name in ("one", "two"):
        build(tmp_path / name, {CORPUS: tmp_path / "tunes"})
        tunes = OwnTunes(tmp_path / name, (CORPUS,))
        splits.append({split: tunes.tables(split)[CORPUS] for split in ("train", "valid", "test")})
    for split, tables in splits[0].items():
        assert (tables.ids == splits[1][split].ids).all()
    assert sum(len(tables.pieces) for tables in splits[0].values()) == N_TUNES


def test_too_few_tunes_are_refused(checkpoint, tmp_path):
    (tmp_path / "tunes").mkdir()
    write_tunes(tmp_path / "tunes", 2)
    with pytest.raises(ValueError, match="2 different tunes"):
        fine_tune(checkpoint, tmp_path / "tunes", tmp_path / "run")


def test_a_model_of_another_vocabulary_is_refused(checkpoint, tmp_path):
    other = Checkpoint(checkpoint.model, [*checkpoint.vocabulary[1:], "new"], {})
    with pytest.raises(ValueError, match="another vocabulary"):
        fine_tune(other, tmp_path, tmp_path / "run")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"minutes": 0}, "0 minutes", id="no time"),
        pytest.param({}, "holds a run already", id="another run"),
        pytest.param({"resume": True}, "without --resume", id="nothing to go on from"),
    ],
)
def test_what_cannot_be_trained_is_said_before_scores_are_read(checkpoint, tmp_path, monkeypatch, settings, message):
    monkeypatch.setattr("training.finetune.build", lambda *_, **__: pytest.fail("the scores were read"))
    if not settings.get("resume"):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / CHECKPOINT).touch()
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        fine_tune(checkpoint, tmp_path, tmp_path, **settings)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_lie_between_the_two_models(checkpoint, share):
    old, new = checkpoint.model, build_model(checkpoint.model.config)
    mixed = between(old, new, share).state_dict()
    for name, weights in old.state_dict().items():
        torch.testing.assert_close(mixed[name], (1 - share) * weights + share * new.state_dict()[name])


@pytest.mark.parametrize("factor", [pytest.param(30, id="worse"), pytest.param(float("nan"), id="diverged")])
def test_a_model_that_got_worse_is_not_kept(checkpoint, train_tables, factor):
    batches = whole_pieces([train_tables], block_size=96, batch_size=8)[:2]
    spoiled = build_model(checkpoint.model.config)
    with torch.no_grad():
        for weights in spoiled.parameters():
            weights.mul_(factor)
    share, model = best_between(checkpoint.model, spoiled, batches)
    assert share == 0
    assert validate(model, batches, bf16=False) == validate(checkpoint.model, batches, bf16=False)


def test_every_piece_is_validated_once(train_tables):
    batches = whole_pieces([train_tables], block_size=4000, batch_size=4)
    ids = sorted(int((row != 0).sum()) for batch in batches for row in batch.inputs)
    assert len(ids) == len(train_tables.pieces)
    assert sum(genre_sizes([train_tables]).values()) == train_tables.pieces["n_tokens"].sum()
