"""A checkpoint's network as an ONNX graph.

Every architecture is traced through its `StepModule`, so there is one way for all. The inputs are `token_ids` (B, T)
int64, `logits_at` (K,) int64, `last_position` (B,) int32, `total_length` () int32 and `past_NAME` for each state
tensor; the outputs are `logits` (B K, V) after the tokens that `logits_at` names and `present_NAME`. B, T and K are
free, everything else is fixed. An input that an architecture has no use for may be missing.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from training.models.contract import LanguageModel, StepModule

OPSET = 23


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own internals from the user; its errors are raised all the same."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


class _InHalf(StepModule):
    """A step in half precision, but for its logits."""

    def __init__(self, step: StepModule) -> None:
        super().__init__()
        self.step = step.half()
        self.state = step.state

    def forward(
        self, token_ids: Tensor, logits_at: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor
    ) -> Any:
        """See `StepModule`; the state is float16."""
        logits, *present = self.step(token_ids, logits_at, last_position, total_length, *state)
        return logits.float(), *present


def build_graph(model: LanguageModel, max_length: int, dtype: torch.dtype = torch.float32) -> Any:
    """Trace the model's step.

    Args:
        model: the network; it is not changed.
        max_length: tokens that the state has room for.
        dtype: of weights, arithmetic and state: float32 or float16. Logits are float32.

    Returns:
        An `onnx.ModelProto` with its weights inside.
    """
    if dtype == torch.float16:
        step: StepModule = _InHalf(deepcopy(model).step_module(max_length)).eval()
    else:
        step = model.step_module(max_length).eval()
    names = [tensor.name for tensor in step.state]
    inputs = ["token_ids", "logits_at", "last_position", "total_length", *(f"past_{name}" for name in names)]
    batch, length, wanted = (torch.export.Dim(name) for name in ("batch", "length", "wanted"))
    example = (
        torch.zeros(2, 3, dtype=torch.long),
        torch.zeros(2, dtype=torch.long),
        torch.full((2,), 2, dtype=torch.int32),
        torch.tensor(3, dtype=torch.int32),
        *(torch.zeros(2, *tensor.shape, dtype=dtype) for tensor in step.state),
    )
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            step,
            example,
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            external_data=False,
            input_names=inputs,
            output_names=["logits", *(f"present_{name}" for name in names)],
            dynamic_shapes=({0: batch, 1: length}, {0: wanted}, {0: batch}, {}, tuple({0: batch} for _ in names)),
        )
    assert program is not None
    return without_traces(program.model_proto)


def without_traces(graph: Any) -> Any:
    """The same graph without the source positions that tracing leaves: they name the exporting machine's files."""
    del graph.metadata_props[:]
    del graph.graph.metadata_props[:]
    del graph.graph.value_info[:]
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.initializer):
        del value.metadata_props[:]
    return graph
