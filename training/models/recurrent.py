"""A layer of torch's recurrent units as the one ONNX operator that computes it.

The operators have torch's gates in another order, and a direction axis that is always 1 here.

Source: the definitions of GRU and LSTM in the ONNX operator set, and of `torch.nn.GRU` and `torch.nn.LSTM`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_GATES = {nn.GRU: (1, 0, 2), nn.LSTM: (0, 3, 1, 2)}
"""Which of torch's gates stands where. GRU: update, reset, new. LSTM: input, output, forget, cell."""


class RecurrentOperator(nn.Module):
    """One layer for tracing."""

    def __init__(self, layer: nn.GRU | nn.LSTM) -> None:
        super().__init__()
        self.operator = type(layer).__name__
        self.width = layer.hidden_size
        self.attributes: dict[str, Any] = {"hidden_size": self.width}
        if self.operator == "GRU":
            self.attributes["linear_before_reset"] = 1  # torch resets after the recurrent product
        weights = dict(layer.named_parameters())
        gates = _GATES[type(layer)]
        biases = torch.cat([_reordered(weights[f"bias_{part}_l0"], gates) for part in ("ih", "hh")])  # (2 G C,)
        self.register_buffer("input", _reordered(weights["weight_ih_l0"], gates)[None])  # (1, G C, input size)
        self.register_buffer("recurrent", _reordered(weights["weight_hh_l0"], gates)[None])  # (1, G C, C)
        self.register_buffer("bias", biases[None])  # (1, 2 G C)

    def forward(self, x: Tensor, *state: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, ...]:
        """Run over `x`.

        Args:
            x: (T, B, input size).
            state: hidden and, for an LSTM, cell state, each (B, C).
            lengths: how many of the T each row has, (B,) int32; None is all.

        Returns:
            The outputs, (T, B, C), and the state after each row's last input, as it was given.
        """
        length, batch, _ = x.shape
        weights = [self.get_buffer(name) for name in ("input", "recurrent", "bias")]
        out, *last = torch.onnx.ops.symbolic_multi_out(
            self.operator,
            (x, *weights, lengths, *(each[None] for each in state)),
            attrs=self.attributes,
            dtypes=(x.dtype,) * (1 + len(state)),
            shapes=((length, 1, batch, self.width), *((1, batch, self.width) for _ in state)),
        )
        return (out.squeeze(1), *(each.squeeze(0) for each in last))


def _reordered(weights: Tensor, gates: tuple[int, ...]) -> Tensor:
    parts = weights.detach().chunk(len(gates))
    return torch.cat([parts[gate] for gate in gates])
