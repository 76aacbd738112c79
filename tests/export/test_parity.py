"""Every architecture of the registry computes the same in the graph as in torch."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from export.bundle import export_bundle
from export.parity import measure_parity
from inference.bundle import MANIFEST, Precision, load_bundle
from inference.engine import SNAPSHOT_EVERY, Engine
from notation.tokens.vocabulary import TOKENS
from tests.support.bundles import BLOCK_SIZE, NETWORKS, tiny_bundle, tiny_checkpoint
from training.models import ModelConfig, build_model
from training.models.checkpoint import Checkpoint

KNOW_THE_TOKENS = {"gru_encoder_decoder", "lstm_heads"}
"""Architectures that do something else with some tokens than with others: these need the real vocabulary."""
ARCHITECTURES = pytest.mark.parametrize("architecture", NETWORKS)


@cache
def checkpoint(architecture: str) -> Checkpoint:
    if architecture not in KNOW_THE_TOKENS:
        return tiny_checkpoint(architecture)
    config = ModelConfig(architecture, len(TOKENS), n_layer=2, n_embd=64, block_size=BLOCK_SIZE)
    model = build_model(config).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.dim() == 2:
                weights.normal_(std=0.2, generator=generator)
    return Checkpoint(model, list(TOKENS), {"data": []})


@pytest.fixture(scope="module")
def bundle_of(tmp_path_factory):
    @cache
    def made(architecture: str, precision: Precision) -> Path:
        if architecture not in KNOW_THE_TOKENS:
            return tiny_bundle(architecture, precision)
        out = tmp_path_factory.mktemp("bundles") / f"{architecture}-{precision}"
        export_bundle(checkpoint(architecture), out, precision=precision)
        return out

    return made


@pytest.fixture
def engine(architecture: str, bundle_of) -> Engine:
    return Engine(load_bundle(bundle_of(architecture, "fp32")), "cpu")


def draw(architecture: str, n: int, seed: int = 0) -> list[int]:
    """Random tokens; where measures are known of, one begins every ten tokens or so."""
    random = np.random.default_rng(seed)
    ids = random.integers(checkpoint(architecture).model.config.vocabulary_size, size=n)
    if architecture in KNOW_THE_TOKENS:
        ids[random.random(n) < 0.1] = TOKENS.index("m:3")
    return [int(each) for each in ids]


def expected(architecture: str, ids: list[int]) -> NDArray[np.float32]:
    """The network's logits after the last token, (V,)."""
    with torch.no_grad():
        logits: NDArray[np.float32] = checkpoint(architecture).model(torch.tensor([ids]))[0, -1].numpy()
    return logits


def close(actual: NDArray[np.float32], wanted: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-4)


@ARCHITECTURES
def test_float_graphs_compute_what_the_network_does(architecture: str, bundle_of) -> None:
    parity = measure_parity(checkpoint(architecture).model, bundle_of(architecture, "fp32"))
    assert parity.tokens > 100
    assert parity.max_error < 1e-4
    assert parity.top1_agreement == 1
    assert parity.kl_divergence < 1e-8


@ARCHITECTURES
@pytest.mark.parametrize(("precision", "divergence"), [("fp16", 1e-4), ("int8", 0.01)])
def test_rounded_graphs_stay_close(architecture: str, precision: Precision, divergence: float, bundle_of) -> None:
    parity = measure_parity(checkpoint(architecture).model, bundle_of(architecture, precision))
    assert parity.max_error > 0
    assert parity.top1_agreement > 0.9
    assert parity.kl_divergence < divergence


@ARCHITECTURES
def test_half_precision_is_of_weights_and_state_and_not_of_logits(architecture: str, bundle_of) -> None:
    bundle = load_bundle(bundle_of(architecture, "fp16"))
    graph = onnx.load_from_string(bundle.model).graph
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    types = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)}
    assert {types[f"past_{tensor.name}"] for tensor in bundle.manifest.state} == {half}
    assert {tensor.dtype for tensor in bundle.manifest.state} == {"float16"}
    assert types["logits"] == single
    assert not [each.name for each in graph.initializer if each.data_type == single and len(each.dims) > 1]


@ARCHITECTURES
def test_another_network_is_told_apart(architecture: str, bundle_of) -> None:
    """Parity measures something: the graph of other weights fails it."""
    config = checkpoint(architecture).model.config
    parity = measure_parity(build_model(config), bundle_of(architecture, "fp32"))
    assert parity.max_error > 0.1


@ARCHITECTURES
def test_the_manifest_states_the_parity(architecture: str, bundle_of) -> None:
    path = bundle_of(architecture, "int8")
    stated = json.loads((path / MANIFEST).read_text(encoding="utf-8"))["parity"]
    assert stated == dataclasses.asdict(measure_parity(checkpoint(architecture).model, path))


@ARCHITECTURES
@pytest.mark.parametrize("n", [1, 2, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY + 5])
def test_a_prompt_may_be_read_at_once_or_token_by_token(architecture: str, n: int, engine: Engine) -> None:
    ids = draw(architecture, n)
    wanted = expected(architecture, ids)
    close(engine.prefill(ids), wanted)
    engine.reset()
    engine.prefill(ids[:1])
    rows = engine.fork(1)
    for token in ids[1:]:
        rows.step([token])
    close(rows.logits[0], wanted)


@ARCHITECTURES
def test_rows_go_their_own_ways(architecture: str, engine: Engine) -> None:
    """One row takes two tokens at once, one pauses, and all still say what the network says of their text alone."""
    prompt, *ways = (draw(architecture, 12, seed) for seed in range(4))
    engine.prefill(prompt)
    rows = engine.fork(3)
    for place in range(3):
        rows.step([way[place] for way in ways])
    rows.step([ways[0][3], -1, ways[2][3]])
    rows.feed(1, ways[1][3:9])
    logits = rows.step([-1, ways[1][9], -1])
    for row, n in enumerate((4, 10, 4)):
        close(logits[row], expected(architecture, prompt + ways[row][:n]))


@ARCHITECTURES
@pytest.mark.parametrize("kept", [0, 1, 20, SNAPSHOT_EVERY, 50])
def test_a_context_that_changes_is_read_from_there(architecture: str, kept: int, engine: Engine) -> None:
    first, second = draw(architecture, 60, seed=1), draw(architecture, 15, seed=2)
    engine.prefill(first)
    changed = first[:kept] + second
    close(engine.prefill(changed), expected(architecture, changed))
    close(engine.prefill(changed[:-4]), expected(architecture, changed[:-4]))


@ARCHITECTURES
def test_the_state_holds_a_whole_window(architecture: str, engine: Engine) -> None:
    ids = draw(architecture, engine.max_length)
    close(engine.prefill(ids), expected(architecture, ids))


@ARCHITECTURES
@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_rounded_bundles_are_smaller(architecture: str, precision: Precision, bundle_of) -> None:
    sizes = [(bundle_of(architecture, each) / "model.onnx").stat().st_size for each in (precision, "fp32")]
    assert sizes[0] < sizes[1]


def test_the_graph_names_nothing_of_the_exporting_machine() -> None:
    content = (tiny_bundle("llama") / "model.onnx").read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b".py" not in content


def test_the_bundle_runs_in_the_engine() -> None:
    bundle = load_bundle(tiny_bundle("llama", "int8"))
    assert Engine(bundle, "cpu").prefill([1, 2, 3]).shape == (len(bundle.vocabulary),)
