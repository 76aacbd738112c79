"""The engine against the network it was exported from, in every way that it is asked to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from inference import engine as engines
from inference.bundle import load_bundle
from inference.engine import CHUNK, SNAPSHOT_EVERY, Engine
from inference.errors import Cancelled, ProviderError
from tests.support.bundles import BLOCK_SIZE, NETWORKS, VOCABULARY, tiny_bundle, tiny_checkpoint

CLOSE = 2e-4
LONG = CHUNK + SNAPSHOT_EVERY + 5


def random_ids(count: int, seed: int = 0) -> list[int]:
    ids: list[int] = np.random.default_rng(seed).integers(len(VOCABULARY), size=count).tolist()
    return ids


def expected(architecture: str, context: list[int]) -> NDArray[np.float32]:
    """What the trained network says after the context, shape (V,)."""
    with torch.no_grad():
        logits: NDArray[np.float32] = tiny_checkpoint(architecture).model(torch.tensor([context]))[0, -1].numpy()
    return logits


def assert_close(actual: NDArray[np.float32], wanted: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=CLOSE)


@pytest.fixture(params=NETWORKS)
def architecture(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def engine(architecture: str) -> Engine:
    return Engine(load_bundle(tiny_bundle(architecture)), provider="cpu")


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(1, id="one token"),
        pytest.param(17, id="one run"),
        pytest.param(CHUNK, id="exactly one chunk"),
        pytest.param(LONG, id="several chunks"),
        pytest.param(BLOCK_SIZE, id="a full state"),
    ],
)
def test_prefill_equals_the_network(engine: Engine, architecture: str, length: int) -> None:
    context = random_ids(length)
    assert_close(engine.prefill(context), expected(architecture, context))
    assert engine.tokens_in_state == tuple(context)


def test_the_network_tells_contexts_apart(architecture: str) -> None:
    """Without this, comparing logits would prove nothing."""
    context = random_ids(40)
    swapped = [*context[:30], context[31], context[30], *context[32:]]
    assert np.abs(expected(architecture, context) - expected(architecture, swapped)).max() > 10 * CLOSE


def test_steps_equal_the_network(engine: Engine, architecture: str) -> None:
    context, following = random_ids(30), random_ids(12, seed=1)
    engine.prefill(context)
    batch = engine.fork(1)
    for count, token in enumerate(following, 1):
        assert_close(batch.step([token])[0], expected(architecture, context + following[:count]))
    assert engine.tokens_in_state == tuple(context + following)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(lambda first: first + random_ids(9, 3), id="the context grew"),
        pytest.param(lambda first: first[:45], id="the context was cut"),
        pytest.param(lambda first: first, id="the same context"),
        pytest.param(lambda first: [*first[:70], 3, 4, 5], id="the end changed"),
        pytest.param(lambda first: random_ids(60, 4), id="another document"),
        pytest.param(lambda first: first[:1], id="only the first token is left"),
    ],
)
def test_reused_state_equals_a_fresh_one(
    engine: Engine, architecture: str, second: Callable[[list[int]], list[int]]
) -> None:
    first = random_ids(LONG)
    engine.prefill(first)
    context = second(first)
    assert_close(engine.prefill(context), expected(architecture, context))
    assert engine.tokens_in_state == tuple(context)


def test_only_what_is_new_is_run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    context = random_ids(LONG)
    engine.prefill(context)
    fed: list[int] = []
    run = engine._slot.rows.run
    monkeypatch.setattr(engine._slot.rows, "run", lambda ids, *wanted: (fed.append(len(ids)), run(ids, *wanted))[1])
    engine.prefill(context)
    assert fed == []
    engine.prefill([*context, 1, 2])
    assert sum(fed) == 2
    fed.clear()
    engine.prefill([*context, 1, 3])
    assert 1 <= sum(fed) <= SNAPSHOT_EVERY


def test_a_batch_of_one_leaves_its_tokens_in_the_state(engine: Engine, architecture: str) -> None:
    context = random_ids(50)
    engine.prefill(context)
    batch = engine.fork(1)
    batch.step([7])
    batch.feed(0, [8, 9, 10])
    accepted = [*context, 7, 8, 9, 10, 11]
    assert_close(engine.prefill(accepted), expected(architecture, accepted))
    assert_close(engine.prefill(context), expected(architecture, context))


def test_rows_equal_independent_runs(engine: Engine, architecture: str) -> None:
    context = random_ids(40)
    start = engine.prefill(context)
    batch = engine.fork(3)
    np.testing.assert_array_equal(batch.logits, np.stack([start] * 3))
    rows: list[list[int]] = [list(context) for _ in range(3)]
    for tokens in ([1, 2, 3], [4, -1, 5], [-1, -1, 6], [7, 8, -1]):
        logits = batch.step(tokens)
        for row, token in zip(rows, tokens, strict=True):
            row += [token] if token >= 0 else []
        for row, each in zip(rows, logits, strict=True):
            assert_close(each, expected(architecture, row))
    assert batch.lengths == tuple(map(len, rows))


def test_a_row_is_fed_several_tokens(engine: Engine, architecture: str) -> None:
    context, forced = random_ids(40), random_ids(11, seed=2)
    engine.prefill(context)
    batch = engine.fork(2)
    batch.step([1, 2])
    assert_close(batch.feed(1, forced), expected(architecture, [*context, 2, *forced]))
    logits = batch.step([3, 4])
    assert_close(logits[0], expected(architecture, [*context, 1, 3]))
    assert_close(logits[1], expected(architecture, [*context, 2, *forced, 4]))


def test_rows_that_are_used_again_hold_the_new_context(engine: Engine, architecture: str) -> None:
    first = random_ids(60)
    for context in (first, [*first, 9], [*first[:20], *random_ids(30, 5)], first[:10]):
        engine.prefill(context)
        batch = engine.fork(3)
        for tokens in ([1, 2, 3], [3, 2, 1]):
            logits = batch.step(tokens)
        for row, each in enumerate(logits):
            assert_close(each, expected(architecture, [*context, row + 1, 3 - row]))


def test_no_state_of_another_document_comes_back(engine: Engine, architecture: str) -> None:
    """The first document is longer: what was kept of its end must not be taken for the second's."""
    engine.prefill(random_ids(3 * SNAPSHOT_EVERY + 4))
    other = random_ids(2 * SNAPSHOT_EVERY + 20, seed=6)
    engine.prefill(other[: SNAPSHOT_EVERY + 8])
    engine.prefill(other)
    context = [*other[: 2 * SNAPSHOT_EVERY + 2], 1]
    assert_close(engine.prefill(context), expected(architecture, context))


def test_rows_copy_only_what_they_do_not_hold(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    context = random_ids(40)
    engine.prefill(context)
    rows = engine.fork(3)._rows
    copied: list[tuple[int, int]] = []
    monkeypatch.setattr(rows, "copy_from", lambda source, start, stop: copied.append((start, stop)))
    for changed in ([*context, 1], [*context, 2, 3], context[:10]):
        engine.prefill(changed)
        engine.fork(3)
    assert copied == [(40, 41), (40, 42), (10, 10)]


def test_copies_leave_the_engines_own_state(engine: Engine, architecture: str) -> None:
    context = random_ids(40)
    engine.prefill(context)
    engine.fork(2).step([1, 2])
    assert engine.tokens_in_state == tuple(context)
    assert_close(engine.prefill([*context, 3]), expected(architecture, [*context, 3]))


def test_a_full_row_does_not_disturb_its_neighbour(engine: Engine, architecture: str) -> None:
    context = random_ids(BLOCK_SIZE - 3)
    engine.prefill(context)
    batch = engine.fork(3)
    batch.feed(0, [1, 2, 3])
    batch.step([-1, 4, 5])
    logits = batch.step([-1, 6, 7])
    assert_close(logits[1], expected(architecture, [*context, 4, 6]))
    assert_close(logits[2], expected(architecture, [*context, 5, 7]))
    with pytest.raises(ValueError, match=f"{BLOCK_SIZE + 1} tokens.*room for {BLOCK_SIZE}"):
        batch.step([1, 1, 1])


def test_cancelling_keeps_what_was_run(engine: Engine, architecture: str) -> None:
    context = random_ids(LONG)
    answers = iter([False, True])
    with pytest.raises(Cancelled, match=f"{CHUNK} of {LONG}"):
        engine.prefill(context, cancelled=lambda: next(answers))
    assert engine.tokens_in_state == tuple(context[:CHUNK])
    with pytest.raises(ValueError, match="prefill"):
        engine.fork(1)
    assert_close(engine.prefill(context), expected(architecture, context))


def test_a_context_cut_before_a_cancellation_is_run_again(engine: Engine, architecture: str) -> None:
    context = random_ids(LONG)
    shorter = context[: CHUNK + 1]
    engine.prefill(context)
    with pytest.raises(Cancelled):
        engine.prefill([*shorter, context[CHUNK + 1] - 1], cancelled=lambda: True)
    context = list(engine.tokens_in_state)
    assert shorter[:CHUNK] == context[:CHUNK]
    assert_close(engine.prefill(context), expected(architecture, context))


def test_a_failed_run_leaves_no_logits(engine: Engine, architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = random_ids(20)
    engine.prefill(context)

    def fail(*_: object) -> None:
        engine._slot.rows.logits[:] = 7
        raise ProviderError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine._slot.rows, "run", fail)
        with pytest.raises(ProviderError):
            engine.prefill([*context, 1])
    assert_close(engine.prefill(context), expected(architecture, context))


def test_snapshots_are_counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a full state came to be, with its snapshots it takes no more than was reckoned with."""
    context = random_ids(BLOCK_SIZE)
    for length in range(3, BLOCK_SIZE + 1, 2):
        engine.prefill(context[:length])
    slot = engine._slot
    snapshots = sum(each.nbytes for state in slot._snapshots.values() for each in state)
    assert slot.rows.n_bytes(len(slot.tokens)) + snapshots <= slot.n_bytes <= slot.most_bytes
    monkeypatch.setattr(engines, "MAX_KEPT_BYTES", 2 * slot.most_bytes)
    engine.prefill(random_ids(20, 1))
    assert engine._slots[0] is slot
    for seed in range(2, 9):
        engine.prefill(random_ids(20, seed))
        assert sum(one.n_bytes for one in engine._slots) <= 2 * slot.most_bytes
    assert slot not in engine._slots
    assert len(engine._slots) > 2


@pytest.mark.parametrize("n_back", [0, 1, 30, LONG - 1])
def test_looking_back_gives_the_logits_of_shorter_contexts(engine: Engine, architecture: str, n_back: int) -> None:
    context = random_ids(LONG)
    found = engine.prefill_looking_back(context, n_back)
    assert found.shape == (n_back + 1, len(VOCABULARY))
    for length, logits in zip(range(LONG - n_back, LONG + 1), found, strict=True):
        assert_close(logits, expected(architecture, context[:length]))
    engine.fork(1)
    assert engine.tokens_in_state == tuple(context)


def test_looking_back_needs_something_to_look_back_at(engine: Engine) -> None:
    with pytest.raises(ValueError, match="3 tokens in a context of 3"):
        engine.prefill_looking_back([1, 2, 3], 3)


def test_logits_that_are_remembered_cost_no_run(
    engine: Engine, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = random_ids(40)
    engine.prefill(context)
    following = engine.prefill_looking_back([*context, 1, 2], 2)
    following[:] = 0
    with monkeypatch.context() as patch:
        patch.setattr(engine._slot, "extend", lambda ids, *_: pytest.fail(f"{len(ids)} tokens were run again"))
        found = engine.prefill_looking_back([*context, 1, 2], 2)
    for length, logits in zip((40, 41, 42), found, strict=True):
        assert_close(logits, expected(architecture, [*context, 1, 2][:length]))
    assert engine.tokens_in_state == (*context, 1, 2)
    assert_close(engine.prefill(context), expected(architecture, context))


@pytest.mark.parametrize(
    ("following", "n_runs"),
    [
        pytest.param([[4], [5, 6]], 1, id="what was guessed comes"),
        pytest.param([[4, 5, 6, 7]], 2, id="and something after it"),
        pytest.param([[4], [5], [9]], 2, id="its end does not come"),
        pytest.param([[4, 9], [1]], 3, id="only its beginning comes, with something else"),
        pytest.param([[9]], 2, id="nothing of it comes"),
    ],
)
def test_a_guess_that_comes_costs_no_run(
    architecture: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, following: list[list[int]], n_runs: int
) -> None:
    context = random_ids(40)
    engine.prefill(context)
    batch = engine.fork(1)
    runs: list[int] = []
    run = engine._slot.rows.run
    monkeypatch.setattr(engine._slot.rows, "run", lambda ids, *wanted: (runs.append(len(ids)), run(ids, *wanted))[1])
    assert_close(batch.feed(0, [1, 2, 3], guess=[4, 5, 6]), expected(architecture, [*context, 1, 2, 3]))
    written = [*context, 1, 2, 3]
    for ids in following:
        assert batch.lengths == (len(written),)
        written += ids
        assert_close(batch.feed(0, ids), expected(architecture, written))
        assert_close(batch.logits[0], expected(architecture, written))
    if engine._slot.rows.looks_back:
        assert len(runs) == n_runs
    assert_close(engine.prefill(written), expected(architecture, written))


def test_a_guess_that_never_came_is_not_in_the_next_context(engine: Engine, architecture: str) -> None:
    context = random_ids(40)
    engine.prefill(context)
    engine.fork(1).feed(0, [1], guess=[2, 3])
    for following in ([*context, 1], [*context, 1, 2, 3], [*context, 1, 2, 9]):
        assert_close(engine.prefill(following), expected(architecture, following))


def test_a_guess_is_read_as_far_as_there_is_room(engine: Engine, architecture: str) -> None:
    context = random_ids(BLOCK_SIZE - 2)
    engine.prefill(context)
    batch = engine.fork(1)
    assert_close(batch.feed(0, [1], guess=[2, 3, 4]), expected(architecture, [*context, 1]))
    assert_close(batch.feed(0, [2]), expected(architecture, [*context, 1, 2]))


def test_only_so_many_logits_are_remembered(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MAX_REMEMBERED", 2)
    for token in (1, 2, 3):
        engine.prefill([9, token])
    assert list(engine._remembered) == [(9, 2), (9, 3)]
    engine.reset()
    assert not engine._remembered


def test_contexts_that_take_turns_keep_their_states(engine: Engine, architecture: str) -> None:
    contexts = [random_ids(40, seed) for seed in range(3)]
    for context in contexts:
        engine.prefill(context)
    runs: list[int] = []
    for slot in engine._slots:
        slot.extend = lambda ids, *wanted, extend=slot.extend: (runs.append(len(ids)), extend(ids, *wanted))[1]
    for count in range(2):
        for context in contexts:
            context.append(count)
            assert_close(engine.prefill(context), expected(architecture, context))
    assert runs == [1] * 6


def test_where_there_is_no_room_the_oldest_context_gives_way(
    engine: Engine, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "MAX_SLOTS", 2)
    contexts = [random_ids(40, seed) for seed in range(3)]
    for context in contexts * 2:
        assert_close(engine.prefill(context), expected(architecture, context))
    assert [slot.tokens for slot in engine._slots] == contexts[1:]


def test_reset_forgets(engine: Engine, architecture: str) -> None:
    engine.prefill(random_ids(50))
    engine.reset()
    assert engine.tokens_in_state == ()
    context = random_ids(20, seed=9)
    assert_close(engine.prefill(context), expected(architecture, context))


def test_returned_logits_are_the_callers(engine: Engine) -> None:
    context = random_ids(20)
    first = engine.prefill(context)
    first[:] = 0
    assert np.abs(engine.prefill(context)).max() > 0
    batch = engine.fork(2)
    batch.step([1, 2])[:] = 0
    assert np.abs(batch.logits).max() > 0


@pytest.mark.parametrize(
    ("context", "message"),
    [
        pytest.param([], "context of 0 tokens.*1 to 320", id="empty"),
        pytest.param([1] * (BLOCK_SIZE + 1), "context of 321 tokens.*1 to 320", id="too long"),
        pytest.param([1, 50], "ids from 1 to 50 in a vocabulary of 50", id="beyond the vocabulary"),
        pytest.param([-1, 3], "ids from -1 to 3 in a vocabulary of 50", id="negative"),
    ],
)
def test_contexts_that_cannot_be(context: list[int], message: str) -> None:
    engine = Engine(load_bundle(tiny_bundle("llama")), provider="cpu")
    with pytest.raises(ValueError, match=message):
        engine.prefill(context)


def test_a_batch_ends_with_the_next_context(engine: Engine) -> None:
    engine.prefill(random_ids(10))
    batch = engine.fork(2)
    engine.prefill(random_ids(12))
    with pytest.raises(ValueError, match="no longer valid"):
        batch.step([1, 2])


def test_misused_batches(engine: Engine) -> None:
    with pytest.raises(ValueError, match="prefill"):
        engine.fork(1)
    engine.prefill([1, 2])
    with pytest.raises(ValueError, match="0 rows"):
        engine.fork(0)
    batch = engine.fork(2)
    with pytest.raises(ValueError, match="3 tokens for 2 rows"):
        batch.step([1, 2, 3])
    with pytest.raises(ValueError, match="no tokens"):
        batch.feed(0, [])
    with pytest.raises(ValueError, match="vocabulary of 50"):
        batch.step([1, 50])


def test_quantised_logits_do_not_depend_on_how_the_context_is_cut() -> None:
    """The same document and seed must give the same suggestion, whatever was typed before."""
    bundle = load_bundle(tiny_bundle("llama", "int8"))
    context = random_ids(100)
    whole, pieces = Engine(bundle, "cpu"), Engine(bundle, "cpu")
    for length in (1, 2, 40, 41, 99):
        pieces.prefill(context[:length])
    assert_close(pieces.prefill(context), whole.prefill(context))


def test_a_graph_that_cannot_be_loaded_is_told() -> None:
    bundle = dataclasses.replace(load_bundle(tiny_bundle("llama")), model=b"not a graph")
    with pytest.raises(ProviderError, match=r"cannot run model 'llama-fp32'.*choose another model"):
        Engine(bundle, provider="cpu")


def test_threads_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1 thread, not 0"):
        Engine(load_bundle(tiny_bundle("llama")), threads=0)


def test_a_provider_that_cannot_be_had_falls_back(architecture: str) -> None:
    engine = Engine(load_bundle(tiny_bundle(architecture)), provider="cuda")
    assert engine.provider == "cpu"
    assert engine.provider_message is not None
    assert "not on CUDA" in engine.provider_message
    assert_close(engine.prefill([1, 2, 3]), expected(architecture, [1, 2, 3]))


def test_a_provider_that_fails_to_open_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime lists CUDA, but its session comes up without: what a missing driver looks like."""
    monkeypatch.setattr(
        "inference.providers.onnxruntime.get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    real = __import__("onnxruntime").InferenceSession
    monkeypatch.setattr(
        "inference.engine.onnxruntime.InferenceSession",
        lambda model, options, providers: real(model, options, providers=["CPUExecutionProvider"]),
    )
    engine = Engine(load_bundle(tiny_bundle("llama")), provider="auto")
    assert engine.provider == "cpu"
    assert engine.provider_message is not None
    assert "libraries could not be loaded" in engine.provider_message


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100])
@pytest.mark.parametrize("more", [[], [1], [1] * 90])
def test_the_common_beginning_of_two_contexts(size: int, more: list[int]) -> None:
    first, second = [*range(size), 500, *more], [*range(size), 600]
    assert engines.common_length(first, second) == engines.common_length(second, first) == size
    assert engines.common_length(first[:size], second) == engines.common_length(second, first[:size]) == size
    assert engines.common_length(first, first) == len(first)
