"""A recurrent network of gated units: embedding, layers, output head.

Source: Cho et al., arXiv 1406.1078. The reset gate is applied after the recurrent product, as in cuDNN and torch.
"""

from __future__ import annotations

from torch import nn

from training.models.recurrent import RecurrentNetwork


class GRU(RecurrentNetwork):
    """Layers of `n_embd` gated recurrent units between an embedding and a linear head."""

    unit = nn.GRU
    state_parts = ("hidden",)
