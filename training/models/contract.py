"""What every architecture promises, so that training, export and the engine never ask which one they hold.

A model is a `LanguageModel`: `forward` gives the logits of every position at once (training), `step_module` gives the
same network as a pure step - token ids and state in, logits and state out - which export turns into a graph.

Shapes: B rows, T tokens, V = vocabulary_size. Every state tensor has the rows on its first axis, so that one row of a
batch is one contiguous block of memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor, nn


@dataclass(frozen=True)
class ModelConfig:
    """The dimensions of a model; what an architecture has no use for, it ignores.

    Attributes:
        architecture: a name in `MODELS`.
        vocabulary_size: number of tokens, V.
        n_layer: number of layers.
        n_head: number of attention heads; `n_embd` is a multiple of it.
        n_kv_head: number of key and value heads; `n_head` is a multiple of it.
        n_embd: width of the embedding and of a recurrent layer's state.
        block_size: tokens of a training window.
        dropout: probability that training drops an activation.
        n_hidden: width of the feed-forward layer; 0 means 8/3 of `n_embd`, rounded up to 64, where it is gated, else 4
            times `n_embd`.
        rope_theta: base of the rotary wavelengths.
        n_networks: networks of this shape that vote; each has `n_layer` layers of its own.
    """

    architecture: str
    vocabulary_size: int
    n_layer: int = 6
    n_head: int = 4
    n_kv_head: int = 4
    n_embd: int = 256
    block_size: int = 1024
    dropout: float = 0.0
    n_hidden: int = 0
    rope_theta: float = 10_000.0
    n_networks: int = 1

    def __post_init__(self) -> None:
        if self.n_networks < 1:
            raise ValueError(f"n_networks is {self.n_networks}: a model has at least one.")
        if self.n_embd % self.n_head or self.n_head % self.n_kv_head:
            raise ValueError(
                f"n_embd {self.n_embd} must be a multiple of n_head {self.n_head}, and n_head of n_kv_head "
                f"{self.n_kv_head}: change the model's configuration."
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.n_embd // self.n_head

    @property
    def hidden_size(self) -> int:
        """Width of a gated feed-forward layer."""
        return self.n_hidden or -(-self.n_embd * 8 // 3 // 64) * 64

    def check_window(self, length: int) -> None:
        """Make sure that so many tokens fit a training window.

        Raises:
            ValueError: they do not.
        """
        if length > self.block_size:
            raise ValueError(
                f"{length} tokens do not fit a training window of {self.block_size}: cut the input, "
                "or build the model with a larger block_size."
            )


def differences(one: ModelConfig, other: ModelConfig) -> list[str]:
    """What keeps the weights of one model out of another, as `n_embd 256 and 384`; empty if they fit."""
    return [
        f"{name} {mine} and {theirs}"
        for name, mine in asdict(one).items()
        if name != "dropout" and mine != (theirs := asdict(other)[name])
    ]


@dataclass(frozen=True)
class StateTensor:
    """One tensor that a step takes and gives back.

    Attributes:
        name: unique in the model; the graph calls the input `past_NAME` and the output `present_NAME`.
        shape: of one row, without the batch axis.
        kind: `cache` is written in place, one position (second axis of the row, third of the tensor) a token, and is
            rewound by lowering the length; `recurrent` is replaced by each step and cannot be rewound.
    """

    name: str
    shape: tuple[int, ...]
    kind: Literal["cache", "recurrent"]


class StepModule(nn.Module, ABC):
    """A network as export sees it.

    `forward(token_ids, logits_at, last_position, total_length, *state) -> (logits, *state)` with token_ids (B, T)
    int64, logits_at (K,) int64: which of the T tokens the logits are wanted after, last_position (B,) int32: the
    position of each row's last token, total_length () int32: the longest row's length with the new tokens, state in
    the order of `state`; logits (B K, V), those of a row one after another. Where some of the state is recurrent, K is
    1, and the logits are those after the last token. It is for tracing only: what it computes in eager mode means
    nothing.
    """

    state: tuple[StateTensor, ...]

    @abstractmethod
    def forward(
        self, token_ids: Tensor, logits_at: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor
    ) -> Any:
        """One step; see the class."""


class LanguageModel(nn.Module, ABC):
    """A network that predicts the next token."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def forward(self, token_ids: Tensor) -> Tensor:
        """The logits of the token after each position: token_ids (B, T) int64 -> (B, T, V)."""

    @abstractmethod
    def step_module(self, max_length: int) -> StepModule:
        """The same network as a step with room for `max_length` tokens; it shares this model's weights."""
