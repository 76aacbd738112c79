"""A recurrent network of long short-term memory: embedding, layers, output head.

Source: Hochreiter and Schmidhuber, Long short-term memory (1997), with the forget gate of Gers et al. (2000).
"""

from __future__ import annotations

from torch import nn

from training.models.recurrent import RecurrentNetwork


class LSTM(RecurrentNetwork):
    """Layers of `n_embd` memory cells between an embedding and a linear head."""

    unit = nn.LSTM
    state_parts = ("hidden", "cell")
