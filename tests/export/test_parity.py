"""Every architecture of the registry computes the same in the graph as in torch."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from export.parity import measure_parity
from inference.bundle import MANIFEST, load_bundle
from inference.engine import Engine
from tests.support.bundles import tiny_bundle, tiny_checkpoint
from training.models import MODELS, build_model


@pytest.mark.parametrize("architecture", sorted(MODELS))
def test_float_graphs_compute_what_the_network_does(architecture: str) -> None:
    parity = measure_parity(tiny_checkpoint(architecture).model, tiny_bundle(architecture, "fp32"))
    assert parity.tokens > 100
    assert parity.max_error < 1e-4
    assert parity.top1_agreement == 1
    assert parity.kl_divergence < 1e-8


@pytest.mark.parametrize("architecture", sorted(MODELS))
def test_quantised_graphs_stay_close(architecture: str) -> None:
    parity = measure_parity(tiny_checkpoint(architecture).model, tiny_bundle(architecture, "int8"))
    assert parity.max_error > 0
    assert parity.top1_agreement > 0.9
    assert parity.kl_divergence < 0.01


@pytest.mark.parametrize("architecture", sorted(MODELS))
def test_another_network_is_told_apart(architecture: str) -> None:
    """Parity measures something: the graph of other weights fails it."""
    config = tiny_checkpoint(architecture).model.config
    parity = measure_parity(build_model(config), tiny_bundle(architecture, "fp32"))
    assert parity.max_error > 0.1


@pytest.mark.parametrize("architecture", sorted(MODELS))
def test_the_manifest_states_the_parity(architecture: str) -> None:
    path = tiny_bundle(architecture, "int8")
    stated = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["parity"]
    assert stated == dataclasses.asdict(measure_parity(tiny_checkpoint(architecture).model, path))


@pytest.mark.parametrize("architecture", sorted(MODELS))
def test_int8_is_smaller(architecture: str) -> None:
    sizes = [(tiny_bundle(architecture, precision) / "model.onnx").stat().st_size for precision in ("int8", "fp32")]
    assert sizes[0] < sizes[1]


def test_the_graph_names_nothing_of_the_exporting_machine() -> None:
    content = (tiny_bundle("llama") / "model.onnx").read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b".py" not in content


def test_the_bundle_runs_in_the_engine() -> None:
    bundle = load_bundle(tiny_bundle("llama", "int8"))
    assert Engine(bundle, "cpu").prefill([1, 2, 3]).shape == (len(bundle.vocabulary),)
