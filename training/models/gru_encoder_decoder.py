"""An encoder-decoder of gated recurrent units: what came before a measure is encoded, the measure is decoded from that.

The encoder reads every token. Where a measure begins (`m:`), the decoder begins anew: its state is made of the
encoder's summary of all tokens before, which it is also given at each of its steps, and it reads the measure's own
tokens before the one to predict. The header is decoded from an empty summary.

All measures are trained at once: the encoder runs once over the row, and since it never looks ahead, its state before
each measure is that measure's summary. The decoder takes the measures of a batch as so many short sequences side by
side.

In the exported step a run of tokens may hold several beginnings. Only the last matters: the measures before it are of
no use to the decoder any more, so it runs over what comes after that alone.

Source: Cho et al., arXiv 1406.1078, section 2.2; the summary is given at each step as there.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name)
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from notation.tokens.vocabulary import TOKENS, family
from training.models.contract import LanguageModel, ModelConfig, StateTensor, StepModule
from training.models.recurrent import operators


class GRUEncoderDecoder(LanguageModel):
    """`n_layer` layers of `n_embd` units in the encoder, and as many in the decoder."""

    begins_measure: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        width = config.n_embd
        begins = [family(token) == "m" for token in TOKENS[: config.vocabulary_size]]
        self.register_buffer("begins_measure", torch.tensor(begins), persistent=False)  # (V,)
        self.embedding = nn.Embedding(config.vocabulary_size, width)
        self.encoder = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(config.n_layer))
        inputs = [2 * width] + [width] * (config.n_layer - 1)
        self.decoder = nn.ModuleList(nn.GRU(size, width) for size in inputs)
        # Without a bias, an empty summary gives an empty state, which is what the engine begins with.
        self.bridge = nn.Linear(width, config.n_layer * width, bias=False)
        self.head = nn.Linear(width, config.vocabulary_size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, token_ids: Tensor) -> Tensor:
        """token_ids (B, T) int64 -> logits (B, T, V); the state is zero before the first token."""
        x = self.dropout(self.embedding(token_ids))  # (B, T, C)
        encoded = x
        for layer in self.encoder:
            encoded = self.dropout(layer(encoded)[0])
        before = F.pad(encoded, (0, 0, 1, 0))[:, :-1]  # (B, T, C), the encoder before each token
        begins = self.begins_measure[token_ids]
        begins[:, 0] = True
        decoded = self._decode(x.flatten(0, 1), before.flatten(0, 1), begins.flatten())
        logits: Tensor = self.head(decoded).unflatten(0, token_ids.shape)
        return logits

    def initial_states(self, summary: Tensor) -> tuple[Tensor, ...]:
        """The state of each layer of the decoder at a measure's beginning: (B, C) -> each (B, C)."""
        return torch.tanh(self.bridge(summary)).chunk(self.config.n_layer, dim=-1)

    def _decode(self, x: Tensor, before: Tensor, begins: Tensor) -> Tensor:
        """Run the decoder over all measures at once.

        Args:
            x: embeddings, (N, C), N = B T.
            before: the encoder's output before each token, (N, C).
            begins: whether a measure begins at a token, (N,); it does at the first.

        Returns:
            The decoder's outputs, (N, C).
        """
        measure = begins.cumsum(0) - 1  # (N,), which of M measures
        first = begins.nonzero().squeeze(1)  # (M,)
        place = torch.arange(len(x), device=x.device) - first[measure]  # (N,), in its measure
        longest_first = measure.bincount().argsort(descending=True, stable=True)  # (M,)
        rank = longest_first.argsort()
        order = (place * len(first) + rank[measure]).argsort()  # as PackedSequence has it: place by place
        sizes = place.bincount().cpu()  # how many measures have that place
        summary = before[first]  # (M, C)
        data = torch.cat((x, summary[measure]), dim=-1)[order]  # (N, 2 C)
        for layer, initial in zip(self.decoder, self.initial_states(summary[longest_first]), strict=True):
            data = self.dropout(layer(PackedSequence(data, sizes), initial[None].type_as(data))[0].data)
        return data[order.argsort()]

    def step_module(self, max_length: int) -> StepModule:
        """The step; its state is the same for any length, so `max_length` only bounds what the engine accepts."""
        return GRUEncoderDecoderStep(self)


class GRUEncoderDecoderStep(StepModule):
    """The network for tracing."""

    def __init__(self, model: GRUEncoderDecoder) -> None:
        super().__init__()
        self.model = model
        self.encoder = operators(model.encoder)
        self.decoder = operators(model.decoder)
        names = [f"{part}_{layer}" for part in ("encoder", "decoder") for layer in range(model.config.n_layer)]
        self.state = tuple(StateTensor(name, (model.config.n_embd,), "recurrent") for name in (*names, "summary"))

    def forward(
        self, token_ids: Tensor, logits_at: Tensor, last_position: Tensor, total_length: Tensor, *state: Tensor
    ) -> Any:
        """See `StepModule`; state is each layer's of the encoder, each of the decoder, and the summary, all (B, C)."""
        n_layer = self.model.config.n_layer
        x = self.model.embedding(token_ids)  # (B, T, C)
        before, encoder = self._encode(x.transpose(0, 1), state[:n_layer])
        begins = self.model.begins_measure[token_ids]  # (B, T)
        here = begins.any(1, keepdim=True)  # (B, 1)
        start = (begins * torch.arange(token_ids.shape[1])).amax(1, keepdim=True)  # (B, 1), 0 without a beginning
        summary = torch.where(here, _pick(before, start).squeeze(1), state[-1])
        initial = zip(self.model.initial_states(summary), state[n_layer:-1], strict=True)
        hidden = [torch.where(here, fresh, past) for fresh, past in initial]
        out, decoder = self._decode(x, summary, start, hidden)
        return self.model.head(out), *encoder, *decoder, summary

    def _encode(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor]]:
        """x (T, B, C) -> the output before each token, (B, T, C), and the layers' states."""
        present = []
        for layer, hidden in zip(self.encoder, state, strict=True):
            x, last = layer(x, hidden)
            present.append(last)
        before = torch.cat((state[-1][None], x[:-1]))
        return before.transpose(0, 1), present

    def _decode(self, x: Tensor, summary: Tensor, start: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Run over what each row of x (B, T, C) has from `start` (B, 1) on: the last output (B, C), and the states."""
        length = x.shape[1]
        lengths = (length - start).squeeze(1).int()  # (B,)
        own = _pick(x, (start + torch.arange(length)).clamp_max(length - 1))  # (B, T, C), moved to the front
        data = torch.cat((own, summary[:, None].expand_as(own)), dim=-1).transpose(0, 1)  # (T, B, 2 C)
        present = []
        for layer, hidden in zip(self.decoder, state, strict=True):
            data, last = layer(data, hidden, lengths=lengths)
            present.append(last)
        return present[-1], present


def _pick(x: Tensor, places: Tensor) -> Tensor:
    """The vectors at places of each row: x (B, T, C), places (B, N) -> (B, N, C)."""
    return x.gather(1, places[:, :, None].expand(-1, -1, x.shape[2]))
