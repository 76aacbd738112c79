"""Small bundles with random weights, made once a test process, for tests that need a model but not a good one."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import torch

from export.bundle import export_bundle
from inference.bundle import Precision
from notation.tokens.vocabulary import TOKENS
from training.models import MODELS, ModelConfig, build_model
from training.models.checkpoint import Checkpoint

VOCABULARY = [f"token-{index}" for index in range(50)]
BLOCK_SIZE = 320
"""More than one chunk of the engine, so that tests can cross its edge."""
NETWORKS = (*sorted(MODELS), "2 x llama", "2 x gru")
"""Every architecture, and networks that vote."""


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ghostnote-bundles-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def tiny_config(architecture: str, **changes: int) -> ModelConfig:
    """A network of some 100,000 weights, with two query heads to a key head; or several, as `NETWORKS` has them."""
    n_networks, _, name = architecture.rpartition(" x ")
    dimensions = {"n_layer": 2, "n_head": 4, "n_kv_head": 2, "n_embd": 64, "block_size": BLOCK_SIZE} | changes
    return ModelConfig(name, len(VOCABULARY), n_networks=int(n_networks or 1), **dimensions)


@cache
def tiny_checkpoint(architecture: str) -> Checkpoint:
    """Random weights, large enough that each token of the context tells in the logits."""
    generator = torch.Generator().manual_seed(1)
    model = build_model(tiny_config(architecture)).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 2:
                weights.normal_(std=0.2, generator=generator)
    return Checkpoint(model, VOCABULARY, {"data": [{"name": "none", "licence": "none"}]})


@cache
def tiny_bundle(architecture: str, precision: Precision = "fp32") -> Path:
    """The folder of the exported bundle; tests that change it copy it first."""
    out = _folder() / f"{architecture}-{precision}"
    export_bundle(tiny_checkpoint(architecture), out, precision=precision)
    return out


@cache
def music_bundle(seed: int = 1) -> Path:
    """A bundle with the real vocabulary and random weights: it composes nonsense, and all of it must fit."""
    generator = torch.Generator().manual_seed(seed)
    config = ModelConfig("llama", len(TOKENS), n_layer=1, n_head=2, n_kv_head=1, n_embd=64, block_size=512)
    model = build_model(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 2:
                weights.normal_(std=0.1, generator=generator)
    out = _folder() / f"music-{seed}"
    export_bundle(Checkpoint(model, list(TOKENS), {"data": []}), out, precision="fp32")
    return out
