"""A bundle's graph as the trained network it was made of, so that training can go on from what the user has.

Which constant of the graph is which weight of the network is not guessed from names. The same architecture is exported
with numbers for weights, all different and large: where a number stands in that graph, transposed or cut and joined as
may be, the bundle's graph has that weight. So it holds for every architecture without a line of its own.

What was stored in half precision or in 8 bits comes back as what the runtime computes with, not as it was before.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from export.graph import build_graph
from export.quantize import constants_in_use
from inference.bundle import Bundle, load_bundle
from training.models import LanguageModel, ModelConfig, build_model
from training.models.checkpoint import Checkpoint

_NUMBERS = range(2**20, 2**24)
"""Larger than any other constant of a graph, yet exact in float32; a larger network is numbered in several rounds."""


def checkpoint_of_bundle(folder: Path) -> Checkpoint:
    """The network of a bundle.

    Args:
        folder: the bundle.

    Returns:
        The network, with the bundle's vocabulary and the figures of its training.

    Raises:
        BundleError: the bundle cannot be used.
        ValueError: its graph is not what this build makes of its architecture.
    """
    bundle = load_bundle(folder)
    network = build_model(ModelConfig(**bundle.manifest.config)).eval()
    weights = _weights(network, bundle)
    n_missing = int(np.isnan(weights).sum())
    if n_missing:
        raise _foreign(bundle, f"{n_missing} of {len(weights)} weights are not in its graph")
    vector_to_parameters(torch.from_numpy(weights), network.parameters())
    return Checkpoint(network, list(bundle.vocabulary), dict(bundle.manifest.training))


def _weights(network: LanguageModel, bundle: Bundle) -> NDArray[np.float32]:
    """All weights, one after another in the order of `parameters()`; nan where the graph has none. Spoils `network`."""
    n_weights = len(parameters_to_vector(network.parameters()))
    weights = np.full(n_weights, np.nan, np.float32)
    stored = constants_in_use(onnx.load_from_string(bundle.model))
    for first in range(0, n_weights, len(_NUMBERS)):
        numbers = torch.zeros(n_weights)
        numbered = numbers[first : first + len(_NUMBERS)]
        numbered[:] = torch.arange(len(numbered)) + _NUMBERS[0]
        vector_to_parameters(numbers, network.parameters())
        own = constants_in_use(build_graph(network, bundle.manifest.max_length))
        if [each.shape for each in own] != [each.shape for each in stored]:
            raise _foreign(bundle, f"its graph has {len(stored)} constants, or their shapes, and not our {len(own)}")
        for marks, values in zip(own, stored, strict=True):
            here = (marks >= _NUMBERS[0]) & (marks <= _NUMBERS[-1])
            places = first + marks[here].astype(np.int64) - _NUMBERS[0]
            # A weight that is used twice may be exact in one place and rounded in the other: the exact one comes first.
            weights[places] = np.where(np.isnan(weights[places]), values[here], weights[places])
    return weights


def _foreign(bundle: Bundle, what: str) -> ValueError:
    return ValueError(
        f"cannot give back the weights of '{bundle.manifest.name}': {what}, as this build exports "
        f"'{bundle.manifest.architecture}'. Name the checkpoint that it was made from instead."
    )
