"""Does the exported graph compute what the trained network computes?

The graph is run by the real engine, in all the ways the engine runs it: a context in one piece, then token by token.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.bundle import load_bundle
from inference.engine import Engine
from training.models.contract import LanguageModel

TOKENS = 128
"""Positions that are compared."""


@dataclass(frozen=True)
class Parity:
    """How far a graph's logits are from the network's.

    Attributes:
        tokens: positions compared.
        max_error: largest absolute difference of a logit.
        top1_agreement: share of the positions at which both put the same token first.
        kl_divergence: mean over the positions of the divergence of the graph's distribution from the network's, nats.
    """

    tokens: int
    max_error: float
    top1_agreement: float
    kl_divergence: float


def measure_parity(model: LanguageModel, bundle: Path) -> Parity:
    """Compare over a text of the model's own, which is the kind of text that it will meet.

    Args:
        model: the network.
        bundle: the folder of the exported graph.

    Returns:
        The differences over the last half of the text.
    """
    loaded = load_bundle(bundle)
    engine = Engine(loaded, provider="cpu")
    ids = _draw(engine, min(2 * TOKENS, model.config.block_size, engine.max_length))
    half = len(ids) // 2
    engine.reset()
    rows = [engine.prefill(ids[:half])]
    batch = engine.fork(1)
    rows += [batch.step([token])[0] for token in ids[half:]]
    with torch.no_grad():
        expected = model.eval()(torch.tensor([ids]))[0, half - 1 :].numpy()  # (1, T, V) -> (T - half + 1, V)
    return _compare(expected, np.stack(rows))


def _draw(engine: Engine, count: int) -> list[int]:
    """`count` token ids sampled from the graph, the same every time."""
    random = np.random.default_rng(0)
    ids = [0]
    logits = engine.prefill(ids)
    batch = engine.fork(1)
    while len(ids) < count:
        probabilities = np.exp(_log_softmax(logits[None])[0])
        ids.append(int(random.choice(len(probabilities), p=probabilities)))
        logits = batch.step(ids[-1:])[0]
    return ids


def _compare(expected: NDArray[np.float32], actual: NDArray[np.float32]) -> Parity:
    """Both (T, V)."""
    p, q = _log_softmax(expected), _log_softmax(actual)
    return Parity(
        tokens=len(expected),
        max_error=float(np.abs(expected - actual).max()),
        top1_agreement=float((expected.argmax(1) == actual.argmax(1)).mean()),
        kl_divergence=float((np.exp(p) * (p - q)).sum(1).mean()),
    )


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_probabilities: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_probabilities
