"""Where does the time of a model's run go, operator by operator?

The bundle's own graph is run on one thread with the runtime's profiler, on rows that have all read equally much. The
profiler's own cost, a microsecond or two an operator, is in the figures.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime

from inference.bundle import Bundle

RUNS = 60


def operator_times(bundle: Bundle, rows: int, tokens: int, length: int) -> dict[str, float]:
    """How long the operators of each kind take in one run.

    Args:
        bundle: the model.
        rows: how many run side by side.
        tokens: how many each reads.
        length: how many each has read before.

    Returns:
        Microseconds by the name of the operator: the sum over the graph of medians over runs.
    """
    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling = True
        options.profile_file_prefix = f"{folder}/profile"
        session = onnxruntime.InferenceSession(bundle.model, options, providers=["CPUExecutionProvider"])
        binding, buffers = _bound(session, bundle, rows, tokens, length)
        for _ in range(RUNS):
            session.run_with_iobinding(binding)
        del buffers
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    nodes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            nodes[event["args"]["op_name"], event["name"]].append(event["dur"])
    times: dict[str, float] = defaultdict(float)
    for (operator, _), durations in nodes.items():
        times[operator] += statistics.median(durations)
    return dict(times)


def _bound(session: Any, bundle: Bundle, rows: int, tokens: int, length: int) -> tuple[Any, list[Any]]:
    """A binding, and its buffers, which must be kept as long; a cache is its own output, as in `inference.engine`."""
    binding = session.io_binding()
    wanted = {each.name for each in session.get_inputs()}
    last = length + tokens - 1
    inputs = {
        "token_ids": np.ones((rows, tokens), np.int64),
        "logits_at": np.array([tokens - 1], np.int64),
        "last_position": np.full(rows, last, np.int32),
        "total_length": np.array(last + 1, np.int32),
    }
    buffers: list[Any] = []

    def value(array: Any) -> Any:
        buffers.append(onnxruntime.OrtValue.ortvalue_from_numpy(array))
        return buffers[-1]

    for name, array in inputs.items():
        if name in wanted:
            binding.bind_ortvalue_input(name, value(array))
    binding.bind_output("logits")
    for tensor in bundle.manifest.state:
        past = np.full((rows, *tensor.shape), 0.1, tensor.dtype)
        before = value(past)
        binding.bind_ortvalue_input(f"past_{tensor.name}", before)
        after = before if tensor.kind == "cache" else value(past.copy())
        binding.bind_ortvalue_output(f"present_{tensor.name}", after)
    return binding, buffers
