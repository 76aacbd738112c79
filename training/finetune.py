"""A trained model fitted to a few tunes of one person, without forgetting the rest.

The tunes are split by work: a tenth is held out to choose by, another tenth to report on, and nothing else is learned
from them. The general data that the model was trained on is not at hand, so three things keep what it taught: a low
rate; an end where the tunes held out gain no more; and weights between the old and the new ones, as near to the old as
most of the gain allows (Wortsman et al., arXiv 2109.01903: between the two, what is new comes early and what is lost
goes late).

Bits a note are over all held-out tunes, each from its beginning, as far as a window goes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from notation.tokens.vocabulary import GENRES, TOKENS
from training.config import RunConfig, TrainingConfig
from training.corpora.fetch import Progress
from training.dataset.build import Dataset, build
from training.dataset.sampler import Batch, SamplerConfig
from training.dataset.tables import Tables, concatenate, select_pieces
from training.models import LanguageModel, build_model
from training.models.checkpoint import Checkpoint, load_checkpoint
from training.trainer import checkpoint_to_resume, train
from training.validation import Quality, validate, whole_pieces

CORPUS = "folder"
SHARES_OF_NEW = tuple(tenths / 10 for tenths in range(11))
"""How far from the old weights to the new the kept ones may lie."""

MOST_OF_THE_GAIN = 0.9
"""Of what the tunes held out to choose by could gain, this much is enough: the rest costs the most elsewhere."""

DROPOUT = 0.1
_HELD_OUT = 10
"""One work in so many is held out to choose by, and as many to report on."""


@dataclass(frozen=True)
class FineTuned:
    """What came of it.

    Attributes:
        checkpoint: the model.
        n_tunes: tunes learned from, chosen by, reported on.
        before, after: quality on the tunes held out to report on.
        share_of_new: how far from the old weights to the new those that were kept lie; 0 if the tunes taught nothing.
    """

    checkpoint: Checkpoint
    n_tunes: tuple[int, int, int]
    before: Quality
    after: Quality
    share_of_new: float


@dataclass(frozen=True)
class OwnTunes(Dataset):
    """A dataset of one corpus, split anew so that even of few works some are held out.

    Works are ordered by a hash of their names: the same folder is always split alike. `pieces` still tells the splits
    that the dataset was built with.
    """

    def tables(self, split: str) -> dict[str, Tables]:
        """The pieces of a split."""
        return {CORPUS: self._splits[split]}

    @cached_property
    def _splits(self) -> dict[str, Tables]:
        stored = super().tables
        pieces = {split: self.pieces(split) for split in ("train", "valid", "test")}
        clusters = sorted({each["cluster"] for own in pieces.values() for each in own}, key=_digest)
        n_held_out = max(1, len(clusters) // _HELD_OUT)
        if len(clusters) < 3:
            raise ValueError(
                f"there are {len(clusters)} different tunes in the folder: at least 3 are needed, to learn from, to "
                "choose by and to report on, and a hundred to learn much."
            )
        chosen = {"test": clusters[:n_held_out], "valid": clusters[n_held_out : 2 * n_held_out]}
        chosen["train"] = clusters[2 * n_held_out :]
        return {
            split: concatenate(
                [
                    select_pieces(stored(kept)[CORPUS], [each["index"] for each in own if each["cluster"] in names])
                    for kept, own in pieces.items()
                ]
            )
            for split, names in chosen.items()
        }


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def settings_for(checkpoint: Checkpoint, tables: Sequence[Tables], minutes: float, seed: int) -> RunConfig:
    """What a fine-tuning run is set to: the model's own shape, and genres as often as the tunes have them."""
    return RunConfig(
        replace(checkpoint.model.config, dropout=DROPOUT),
        SamplerConfig(genre_sizes(tables)),
        TrainingConfig(
            minutes=minutes,
            batch_size=8,
            learning_rate=3e-4,
            warmup=0.05,
            weight_decay=0.01,
            precision="auto",
            checkpoint_minutes=max(0.1, minutes / 10),
            validation_minutes=minutes / 20,
            patience=5,
            seed=seed,
        ),
    )


def genre_sizes(tables: Sequence[Tables]) -> Mapping[str, float]:
    """The number of tokens of each genre that there is."""
    sizes = {
        genre: float(sum(each.pieces["n_tokens"][each.pieces["genre"] == index].sum() for each in tables))
        for index, genre in enumerate(GENRES)
    }
    return {genre: size for genre, size in sizes.items() if size}


def fine_tune(
    checkpoint: Checkpoint,
    folder: Path,
    out: Path,
    *,
    minutes: float = 10.0,
    n_threads: int = 0,
    seed: int = 0,
    resume: bool = False,
    progress: Progress = lambda *_: None,
) -> FineTuned:
    """Fit a model to the scores of a folder.

    Args:
        checkpoint: the model to begin with.
        folder: scores, at any depth.
        out: the folder of the run; it gets the dataset too.
        minutes: most time that training takes.
        n_threads: threads of torch; 0 leaves its own choice.
        seed: of windows and dropout.
        resume: go on with the run in `out`.
        progress: told how far reading the scores is.

    Raises:
        FileNotFoundError: the folder holds no score.
        ValueError: there are too few tunes, the model has another vocabulary, there is no time, or see
            `training.trainer.train`.
    """
    if checkpoint.vocabulary != list(TOKENS):
        raise ValueError("the model has another vocabulary than this build: train or install one made for this build.")
    if minutes <= 0:
        raise ValueError(f"fine-tuning for {minutes:g} minutes teaches nothing: give it more than 0.")
    checkpoint_to_resume(out / "run", resume)  # it is asked for before the scores are read, which takes its time
    build(out / "data", {CORPUS: folder}, progress=progress)
    tunes = OwnTunes(out / "data", (CORPUS,))
    splits = {split: list(tunes.tables(split).values()) for split in ("train", "valid", "test")}
    config = settings_for(checkpoint, splits["train"], minutes, seed)
    chosen_by, reported_on = (
        whole_pieces(splits[split], block_size=config.model.block_size, batch_size=config.training.batch_size)
        for split in ("valid", "test")
    )
    old = checkpoint.model
    before = validate(old, reported_on, bf16=False)["all"]
    path = train(
        tunes,
        out / "run",
        config,
        weights=old.state_dict(),
        n_threads=n_threads,
        resume=resume,
        validation=chosen_by,
    )
    run = load_checkpoint(path)
    share, model = best_between(old, run.model, chosen_by)
    figures = {**run.training, "began_with": checkpoint.training, "share_of_new_weights": share}
    return FineTuned(
        Checkpoint(model, checkpoint.vocabulary, figures),
        (_count(splits["train"]), _count(splits["valid"]), _count(splits["test"])),
        before,
        validate(model, reported_on, bf16=False)["all"],
        share,
    )


def _count(tables: Sequence[Tables]) -> int:
    return sum(len(each.pieces) for each in tables)


def best_between(old: LanguageModel, new: LanguageModel, batches: Sequence[Batch]) -> tuple[float, LanguageModel]:
    """The least share of the new weights with most of the gain on the batches, and the model that has it."""
    models = {share: between(old, new, share) for share in SHARES_OF_NEW}
    costs = {share: validate(model, batches, bf16=False)["all"].nats for share, model in models.items()}
    enough = costs[0.0] - MOST_OF_THE_GAIN * (costs[0.0] - min(filter(math.isfinite, costs.values())))
    best = min(share for share, cost in costs.items() if cost <= enough)
    return best, models[best]


def between(old: LanguageModel, new: LanguageModel, share: float) -> LanguageModel:
    """A model whose weights lie between those of two of the same shape: `share` 0 is the old one, 1 the new."""
    model = build_model(old.config)
    model.load_state_dict(old.state_dict())
    if share:  # else weights that are not finite would spoil the old ones
        start, end = (parameters_to_vector(each.parameters()).detach() for each in (old, new))
        vector_to_parameters(torch.lerp(start, end, share), model.parameters())
    return model.eval()
