"""A decoder-only transformer that knows positions only as distances: Music Transformer.

Each head has a learned vector for every distance; its product with the query is added to the attention score of the
key that stands so far back. The block is otherwise GPT-2's, with ReLU in the feed-forward: norms come before, as in our
other transformers (the paper puts them after), and distances go back over the whole window.

In the exported step the products with the distances become the bias of the attention operator, so keys and values
have the same cache as elsewhere.

Source: Huang et al., Music Transformer (arXiv 1809.04281).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn

from training.models.contract import ModelConfig, StepModule
from training.models.gpt2 import GPT2Block
from training.models.transformer import Block, Transformer, TransformerStep


class RelativeBlock(GPT2Block):
    """The block of GPT-2 with relative attention and ReLU."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.distances = nn.Parameter(torch.empty(config.n_head, config.block_size, config.head_size))

    def relative(self, q: Tensor) -> Tensor:
        """The vectors by distance, (n_head, block_size, head_size)."""
        return self.distances.type_as(q)

    def activation(self, x: Tensor) -> Tensor:
        """ReLU."""
        return F.relu(x)


class MusicTransformer(Transformer):
    """The transformer; `n_kv_head` has no meaning here."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config, (RelativeBlock(config) for _ in range(config.n_layer)), nn.LayerNorm(config.n_embd))

    def step_module(self, max_length: int) -> StepModule:
        """The step with a key and a value cache of `max_length` positions a layer.

        Raises:
            ValueError: there is no vector learned for distances as long as that.
        """
        self.config.check_window(max_length)
        return MusicTransformerStep(self, max_length)


class MusicTransformerStep(TransformerStep):
    """The transformer for tracing."""

    def __init__(self, model: MusicTransformer, max_length: int) -> None:
        super().__init__(model, model.config.n_head, max_length)

    def positions(self, length: int, last_position: Tensor, total_length: Tensor) -> tuple[Tensor, ...]:
        """How far back each key is from each new token, 0 where it comes later: (B, 1, T, total_length)."""
        n_keys = total_length.item()
        torch._check(n_keys >= 1)  # type: ignore[no-untyped-call]  # torch leaves it without types
        torch._check(n_keys <= self.state[0].shape[1])  # type: ignore[no-untyped-call]  # likewise
        positions = last_position[:, None].long() + torch.arange(1 - length, 1)  # (B, T)
        return ((positions[:, None, :, None] - torch.arange(n_keys)).clamp_min(0),)

    def attention_inputs(self, block: Block, qkv: Tensor, positions: tuple[Tensor, ...]) -> Mapping[str, Any]:
        """The bias of the scaled scores, (B, n_head, T, total_length)."""
        assert isinstance(block, RelativeBlock)
        (distances,) = positions
        config = self.model.config
        q = qkv[:, :, : config.n_embd].view(*qkv.shape[:2], config.n_head, config.head_size)
        vectors = block.distances[:, : distances.shape[3]] * config.head_size**-0.5  # (n_head, total_length, head_size)
        products = q.transpose(1, 2) @ vectors.transpose(-1, -2)  # (B, n_head, T, total_length), by distance
        return {"bias": products.gather(3, distances.expand_as(products))}
