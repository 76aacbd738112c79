"""The architectures, one file each; a new one is a file here and a line in `MODELS`."""

from __future__ import annotations

from dataclasses import replace

from training.models.contract import LanguageModel, ModelConfig
from training.models.ensemble import Ensemble
from training.models.gpt2 import GPT2
from training.models.gru import GRU
from training.models.gru_encoder_decoder import GRUEncoderDecoder
from training.models.llama import Llama
from training.models.lstm import LSTM
from training.models.lstm_heads import LSTMHeads
from training.models.music_transformer import MusicTransformer

MODELS: dict[str, type[LanguageModel]] = {
    "gpt2": GPT2,
    "gru": GRU,
    "gru_encoder_decoder": GRUEncoderDecoder,
    "llama": Llama,
    "lstm": LSTM,
    "lstm_heads": LSTMHeads,
    "music_transformer": MusicTransformer,
}


def build_model(config: ModelConfig) -> LanguageModel:
    """A model with random weights; of several networks, if the configuration says so.

    Raises:
        ValueError: `config.architecture` is not in `MODELS`.
    """
    if config.architecture not in MODELS:
        raise ValueError(
            f"unknown architecture {config.architecture!r}: this build has {', '.join(sorted(MODELS))}. "
            "Choose one of these in the training configuration."
        )
    architecture = MODELS[config.architecture]
    if config.n_networks == 1:
        return architecture(config)
    single = replace(config, n_networks=1)
    return Ensemble(config, [architecture(single) for _ in range(config.n_networks)])


__all__ = ["MODELS", "LanguageModel", "ModelConfig", "build_model"]
