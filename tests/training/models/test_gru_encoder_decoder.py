"""All measures at once are each measure by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from notation.tokens.vocabulary import TOKEN_IDS, TOKENS
from training.models import ModelConfig
from training.models.gru_encoder_decoder import GRUEncoderDecoder

MEASURE = TOKEN_IDS["m:1"]


def model() -> GRUEncoderDecoder:
    torch.manual_seed(0)
    config = ModelConfig("gru_encoder_decoder", len(TOKENS), n_layer=2, n_embd=32, block_size=64)
    return GRUEncoderDecoder(config).eval()


def rows() -> Tensor:
    """Two rows whose measures begin at different places; one begins with a measure, one ends with its beginning."""
    ids = torch.randint(300, 900, (2, 30), generator=torch.Generator().manual_seed(0))
    ids[0, [0, 4, 5, 21]] = MEASURE
    ids[1, [13, 29]] = MEASURE
    return ids


def by_measure(network: GRUEncoderDecoder, ids: Tensor) -> Tensor:
    """The logits of one row (T,), with the decoder begun anew by hand: (T, V)."""
    x = network.embedding(ids)[None]
    encoded = x
    for layer in network.encoder:
        encoded = layer(encoded)[0]
    begins = sorted({0, *(ids == MEASURE).nonzero().flatten().tolist()})
    decoded = []
    for start, end in zip(begins, [*begins[1:], len(ids)], strict=True):
        summary = encoded[0, start - 1] if start else torch.zeros(32)
        data = torch.cat((x[0, start:end], summary.expand(end - start, -1)), dim=-1)
        for layer, initial in zip(network.decoder, network.initial_states(summary), strict=True):
            data = layer(data, initial[None])[0]
        decoded.append(data)
    logits: Tensor = network.head(torch.cat(decoded))
    return logits


def test_measures_side_by_side_are_measures_one_by_one() -> None:
    network, ids = model(), rows()
    with torch.no_grad():
        together = network(ids)
        torch.testing.assert_close(together[0], by_measure(network, ids[0]), rtol=0, atol=1e-5)
        torch.testing.assert_close(together[1], by_measure(network, ids[1]), rtol=0, atol=1e-5)


def test_the_decoder_begins_with_an_empty_state_before_the_first_measure() -> None:
    assert all(not state.any() for state in model().initial_states(torch.zeros(1, 32)))


def test_what_came_before_a_measure_is_not_forgotten() -> None:
    network, ids = model(), rows()
    changed = ids.clone()
    changed[0, 2] += 1
    with torch.no_grad():
        assert (network(ids)[0, 25] - network(changed)[0, 25]).abs().max() > 1e-5
