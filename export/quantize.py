"""Weights of the large matrices as 8-bit integers.

Each column of a matrix product's constant factor is cut into blocks of 64 weights with one scale a block; the runtime's
MatMulNBits operator multiplies them with activations that it quantises block by block too. So the result for a row
depends on that row alone: the same context gives the same logits however it is cut into runs, and whatever rows run
beside it. (Dynamic quantisation takes one scale for all rows of a run and promises neither.)

Source: the operator's definition, com.microsoft.MatMulNBits, onnxruntime contrib operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

BLOCK = 64
ZERO = 128
"""The stored value that stands for 0."""
ACTIVATIONS_INT8 = 4
"""The operator's `accuracy_level` that quantises activations to 8 bits."""


def quantize_blocks(weights: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Quantise symmetrically, block by block.

    Args:
        weights: (K, N); K is filled up with zeros to a multiple of `BLOCK`.

    Returns:
        Values (N, K / BLOCK, BLOCK), 1 to 255 around `ZERO`, and scales (N, K / BLOCK).
    """
    k, n = weights.shape
    padded = np.pad(weights, ((0, -k % BLOCK), (0, 0)))
    blocks = padded.T.reshape(n, -1, BLOCK)  # (K, N) -> (N, K / BLOCK, BLOCK)
    scales = np.abs(blocks).max(axis=2) / 127
    safe = np.where(scales == 0, 1, scales)[:, :, None]
    return (np.rint(blocks / safe) + ZERO).astype(np.uint8), scales.astype(np.float32)


def dequantize_blocks(
    values: NDArray[np.uint8], scales: NDArray[np.float32], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """What `quantize_blocks` gave, as the matrix that the operator computes with; `shape` is (K, N)."""
    k, n = shape
    blocks = (values.astype(np.float32) - ZERO) * scales.reshape(n, -1, 1)  # (N, K / BLOCK, BLOCK)
    return blocks.reshape(n, -1)[:, :k].T


def constants_in_use(model: Any) -> list[NDArray[Any]]:
    """The constants of a graph in the order in which its nodes use them, the same whether it was quantised or not.

    Args:
        model: an `onnx.ModelProto` with its weights inside.

    Returns:
        One array a use; the matrix of a product is (K, N) however it is stored.
    """
    constants = {each.name: each for each in model.graph.initializer}
    found = []
    for node in model.graph.node:
        names = [name for name in node.input if name in constants]
        if node.op_type == "MatMulNBits":
            sizes = {each.name: each.i for each in node.attribute}
            values, scales = (numpy_helper.to_array(constants[name]) for name in names)
            found.append(dequantize_blocks(values, scales, (sizes["K"], sizes["N"])))
            continue
        matrix = _constant_factor(node, constants)
        for name in names:
            array = numpy_helper.to_array(constants[name])
            found.append(array.T if name == matrix and _transposed(node) else array)
    return found


def quantize_graph(model: Any) -> Any:
    """Replace each product with a constant matrix by its 8-bit form, in place.

    Args:
        model: an `onnx.ModelProto` with its weights inside. Recurrent operators and embeddings stay as they are.

    Returns:
        The same model.
    """
    graph = model.graph
    constants = {each.name: each for each in graph.initializer}
    kept, done = [], {}
    for node in graph.node:
        name = _constant_factor(node, constants)
        if name is None:
            kept.append(node)
            continue
        if name not in done:
            weights = numpy_helper.to_array(constants[name])
            done[name] = _store(graph, name, weights.T if _transposed(node) else weights)
        kept += _products(node, done[name])
    del graph.node[:]
    graph.node.extend(kept)
    _drop_unused(graph)
    if done and not any(each.domain == "com.microsoft" for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def _constant_factor(node: Any, constants: dict[str, Any]) -> str | None:
    """The name of the constant matrix that a node multiplies with, if that is what it does."""
    if node.op_type not in {"MatMul", "Gemm"}:
        return None
    matrix = constants.get(node.input[1])
    return node.input[1] if matrix is not None and len(matrix.dims) == 2 else None


def _transposed(node: Any) -> bool:
    return any(each.name == "transB" and each.i for each in node.attribute)


def _store(graph: Any, name: str, weights: NDArray[np.float32]) -> tuple[str, str, int, int]:
    """Add the quantised matrix to the graph; its names and its K and N."""
    values, scales = quantize_blocks(np.asarray(weights, np.float32))
    graph.initializer.append(numpy_helper.from_array(values, f"{name}_int8"))
    graph.initializer.append(numpy_helper.from_array(scales.reshape(-1), f"{name}_scales"))
    return f"{name}_int8", f"{name}_scales", weights.shape[0], weights.shape[1]


def _products(node: Any, stored: tuple[str, str, int, int]) -> list[Any]:
    """The nodes in place of a product; the bias of a Gemm is added after."""
    values, scales, k, n = stored
    bias = node.input[2] if node.op_type == "Gemm" and len(node.input) > 2 else None
    product = f"{node.output[0]}_product" if bias else node.output[0]
    attributes = {"K": k, "N": n, "bits": 8, "block_size": BLOCK, "accuracy_level": ACTIVATIONS_INT8}
    made = [
        helper.make_node(
            "MatMulNBits", [node.input[0], values, scales], [product], node.name, domain="com.microsoft", **attributes
        )
    ]
    if bias:
        made.append(helper.make_node("Add", [product, bias], [node.output[0]], f"{node.name}_bias"))
    return made


def _drop_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
