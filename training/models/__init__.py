"""The architectures, one file each; a new one is a file here and a line in `MODELS`."""

from __future__ import annotations

from training.models.contract import LanguageModel, ModelConfig
from training.models.gru import GRU
from training.models.llama import Llama

MODELS: dict[str, type[LanguageModel]] = {
    "gru": GRU,
    "llama": Llama,
}


def build_model(config: ModelConfig) -> LanguageModel:
    """A model with random weights.

    Raises:
        ValueError: `config.architecture` is not in `MODELS`.
    """
    if config.architecture not in MODELS:
        raise ValueError(
            f"unknown architecture {config.architecture!r}: this build has {', '.join(sorted(MODELS))}. "
            "Choose one of these in the training configuration."
        )
    return MODELS[config.architecture](config)


__all__ = ["MODELS", "LanguageModel", "ModelConfig", "build_model"]
