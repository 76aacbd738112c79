"""The weights of a bundle come back from its graph: exactly, or as they were rounded."""

from dataclasses import replace

import pytest
import torch

from export.bundle import export_bundle
from export.parity import measure_parity
from export.weights import checkpoint_of_bundle
from notation.tokens.vocabulary import TOKENS
from tests.support.bundles import NETWORKS, tiny_config
from tests.support.torch_warnings import EXPORTER
from training.models import build_model
from training.models.checkpoint import Checkpoint

pytestmark = EXPORTER


@pytest.fixture
def checkpoint(request):
    torch.manual_seed(0)
    shape = {"n_layer": 2, "n_head": 2, "n_kv_head": 1, "n_embd": 64, "block_size": 32}
    config = replace(tiny_config(request.param, **shape), vocabulary_size=len(TOKENS))
    return Checkpoint(build_model(config).eval(), list(TOKENS), {"steps": 3})


@pytest.mark.parametrize("checkpoint", NETWORKS, indirect=True)
@pytest.mark.parametrize(("precision", "rounding"), [("fp32", 0), ("fp16", 2**-11), ("int8", 1 / 127)])
def test_a_bundle_gives_its_network_back(checkpoint, precision, rounding, tmp_path):
    export_bundle(checkpoint, tmp_path / "bundle", precision=precision)
    found = checkpoint_of_bundle(tmp_path / "bundle")
    assert found.training == checkpoint.training
    assert found.vocabulary == checkpoint.vocabulary
    expected = checkpoint.model.state_dict()
    for name, weights in found.model.state_dict().items():
        rounded = rounding * float(expected[name].abs().max())
        torch.testing.assert_close(weights, expected[name], rtol=0, atol=rounded, msg=name)
    assert measure_parity(found.model, tmp_path / "bundle").kl_divergence < 1e-3


@pytest.mark.parametrize("checkpoint", ["llama"], indirect=True)
def test_a_graph_of_another_build_is_refused(checkpoint, tmp_path, monkeypatch):
    export_bundle(checkpoint, tmp_path / "bundle", precision="fp32")
    monkeypatch.setattr("export.weights.build_model", _one_layer_more)
    with pytest.raises(ValueError, match="Name the checkpoint"):
        checkpoint_of_bundle(tmp_path / "bundle")


def _one_layer_more(config):
    return build_model(replace(config, n_layer=config.n_layer + 1))
