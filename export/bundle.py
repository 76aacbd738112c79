"""A trained model as the bundle that the engine loads: traced, quantised, compared, described, sealed.

The bundle is written beside its final place and moved there when it is whole and the real engine has run it, so what
stands there is never half a bundle.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import torch

from export.card import model_card
from export.graph import OPSET, build_graph
from export.parity import Parity, measure_parity
from export.quantize import quantize_graph
from inference.bundle import CARD, HASHED_FILES, MANIFEST, MODEL, SCHEMA_VERSION, VOCABULARY, Precision, vocabulary_hash
from training.models.checkpoint import Checkpoint
from training.models.contract import LanguageModel

FP32_TOLERANCE = 1e-3
"""Most that a logit of a graph in float32 may be off: more is a wrong graph, not rounding."""


def export_bundle(
    checkpoint: Checkpoint,
    out: Path,
    *,
    precision: Precision = "int8",
    max_length: int | None = None,
    name: str | None = None,
    quality: Mapping[str, Any] | None = None,
) -> Parity:
    """Write a bundle.

    Args:
        checkpoint: the trained model.
        out: the bundle's folder; an older bundle there is replaced, anything else is left alone.
        precision: `fp32`; `fp16` for all, which CUDA runs faster; `int8` for the large matrices, which processors do.
        max_length: tokens that the state has room for; None is the model's block size. More than that is beyond what
            the model was trained on.
        name: of the bundle; None is the folder's name.
        quality: measured figures for the manifest and the card.

    Returns:
        How far the graph is from the network.

    Raises:
        ValueError: `out` holds something that is no bundle, or the graph does not compute what the network does.
    """
    check_replaceable(out)
    length = max_length or checkpoint.model.config.block_size
    graph = build_graph(checkpoint.model, length, torch.float16 if precision == "fp16" else torch.float32)
    if precision == "int8":
        quantize_graph(graph)
    onnx.checker.check_model(graph)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / MODEL).write_bytes(graph.SerializeToString())
    (partial / VOCABULARY).write_text(json.dumps(checkpoint.vocabulary, ensure_ascii=False, indent=0), encoding="utf-8")
    manifest = _manifest(checkpoint, name or out.name, precision, length, dict(quality or {}))
    _seal(partial, manifest)
    parity = measure_parity(checkpoint.model, partial)
    if precision == "fp32" and parity.max_error > FP32_TOLERANCE:
        raise ValueError(
            f"the graph's logits are off by {parity.max_error:.2e}, more than {FP32_TOLERANCE:.0e}: the step of "
            f"architecture {manifest['architecture']!r} does not compute what its forward does. See {partial}."
        )
    _seal(partial, {**manifest, "parity": asdict(parity)})
    shutil.rmtree(out, ignore_errors=True)
    partial.replace(out)
    return parity


def check_replaceable(out: Path) -> None:
    """See to it that a bundle may be written.

    Raises:
        ValueError: `out` holds something that is no bundle.
    """
    if out.exists() and not (out / MANIFEST).is_file():
        raise ValueError(f"{out} exists and is no bundle: choose another folder, or remove it first.")


def parameter_count(model: LanguageModel) -> int:
    """The number of weights; shared ones count once."""
    return sum(weights.numel() for weights in model.parameters())


def _manifest(
    checkpoint: Checkpoint, name: str, precision: Precision, max_length: int, quality: dict[str, Any]
) -> dict[str, Any]:
    model = checkpoint.model
    state = model.step_module(max_length).state
    dtype = "float16" if precision == "fp16" else "float32"
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "architecture": model.config.architecture,
        "config": asdict(model.config),
        "parameters": parameter_count(model),
        "precision": precision,
        "opset": OPSET,
        "max_length": max_length,
        "vocabulary_hash": vocabulary_hash(checkpoint.vocabulary),
        "state": [{"name": each.name, "shape": list(each.shape), "dtype": dtype, "kind": each.kind} for each in state],
        "parity": {},
        "training": checkpoint.training,
        "quality": quality,
        "sha256": {},
    }


def _seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the card, then the manifest with the digest of every file."""
    (folder / CARD).write_text(model_card(manifest), encoding="utf-8")
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in HASHED_FILES}
    content = json.dumps({**manifest, "sha256": digests}, ensure_ascii=False, indent=2) + "\n"
    (folder / MANIFEST).write_text(content, encoding="utf-8")
