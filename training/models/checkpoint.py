"""A trained model on disk, and back.

The file holds `config`, `vocabulary` (the tokens in the order of their ids), `state_dict` and `training` (figures of
the run that made it, for the manifest and the model card). It is read without running code from the file.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from training.models import LanguageModel, ModelConfig, build_model
from training.models.ensemble import ensemble_of


@dataclass(frozen=True)
class Checkpoint:
    """A model with what must travel with it.

    Attributes:
        model: the network, in evaluation mode, on the CPU.
        vocabulary: the tokens, in the order of their ids.
        training: figures of the run: plain numbers, strings, lists and dicts.
    """

    model: LanguageModel
    vocabulary: list[str]
    training: dict[str, Any]


def save_checkpoint(
    path: Path, model: LanguageModel, vocabulary: Sequence[str], training: Mapping[str, Any] | None = None
) -> None:
    """Write a checkpoint; a crash leaves either the old file or the new one.

    Raises:
        ValueError: the vocabulary does not fit the model.
    """
    if len(vocabulary) != model.config.vocabulary_size:
        raise ValueError(
            f"the vocabulary has {len(vocabulary)} tokens, the model {model.config.vocabulary_size}: "
            "build the model with the vocabulary it is trained on."
        )
    content = {
        "config": asdict(model.config),
        "vocabulary": list(vocabulary),
        "state_dict": model.state_dict(),
        "training": dict(training or {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(content, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint, or its weights do not fit its configuration.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        model = build_model(ModelConfig(**content["config"]))
        model.load_state_dict(content["state_dict"])
        vocabulary, training = list(content["vocabulary"]), dict(content["training"])
    except FileNotFoundError:
        raise
    except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a usable checkpoint: {error}. Train the model again.") from error
    return Checkpoint(model.eval(), vocabulary, training)


def load_checkpoints(paths: Sequence[Path]) -> Checkpoint:
    """Read one checkpoint, or several whose networks are to vote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is no checkpoint, or they differ in shape or vocabulary.
    """
    checkpoints = [load_checkpoint(path) for path in paths]
    model = ensemble_of([each.model for each in checkpoints])
    first, *others = checkpoints
    if not others:
        return first
    if any(each.vocabulary != first.vocabulary for each in others):
        raise ValueError("the models have different vocabularies: only those that were trained with one can vote.")
    data: dict[str, Any] = {}
    for each in checkpoints:
        data.update(each.training.get("data", {}))
    runs = [{name: figure for name, figure in each.training.items() if name != "data"} for each in checkpoints]
    return Checkpoint(model, first.vocabulary, {"networks": runs, "data": data})
