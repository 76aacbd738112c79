"""The one place where a model runs: what are the logits of the next token?

The engine owns the session and the state. It keeps the states of the last few contexts, each in a slot of its own, so
that a context which begins like one of them costs only what is new: several editors, documents and places in them may
take turns. `fork` gives rows that continue from the last context, each on its own.

Shapes: B or n rows, T tokens, V = size of the vocabulary. A state tensor is (n, *shape of one row): one row is one
contiguous block of memory, so a row can also be run alone, in place. All runs are through IOBinding on buffers that are
bound once; a cache is bound as input and as output, so a step writes one position and copies nothing.

Promises: single runs are short (at most `CHUNK` tokens); the state is sound after a cancellation or an error. Not
thread safe: one worker owns an engine. Nothing here knows which architecture it runs: a state tensor is either a cache,
rewound by lowering the length, or recurrent, rewound to a snapshot.
"""

from __future__ import annotations

import math
import mmap
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.errors import Cancelled, ProviderError
from inference.providers import Choice, choose_provider, fall_back

CHUNK = 64
"""Most tokens of one run: what a cancellation may have to wait for. Longer runs are no faster."""
SNAPSHOT_EVERY = 32
"""Tokens between two snapshots of a recurrent state: what a rewind may have to run again. The newest is kept beside."""

MAX_KEPT_BYTES = 48_000_000
"""Memory for the states of contexts and snapshots of them; there is room for 1 at least and `MAX_SLOTS` at most. If
editors that take turns need more, each finds that its own was given up."""
MAX_SLOTS = 64
MAX_REMEMBERED = 256
"""Contexts whose logits are remembered."""

Logits = NDArray[np.float32]
State = NDArray[np.floating[Any]]
"""A state tensor; its type is the manifest's."""


class Engine:
    """A loaded model with its state.

    Attributes:
        bundle: the model.
        vocabulary_size: V.
        max_length: tokens that the state has room for.
        provider: what runs the model, `cpu` or `cuda`.
        provider_message: why that is not what was asked for, for the user; None if it is.
    """

    def __init__(self, bundle: Bundle, provider: str = "auto", threads: int = 1) -> None:
        """Create the session and the state of one row.

        Args:
            bundle: the model.
            provider: `auto`, `cpu` or `cuda`; CUDA that cannot be had falls back to the CPU.
            threads: threads within an operator; more than the free cores make the slowest steps much slower.

        Raises:
            ProviderError: the runtime cannot load the model even on the CPU.
            ValueError: no such provider, or `threads` is less than 1.
        """
        if threads < 1:
            raise ValueError(f"an engine needs at least 1 thread, not {threads}.")
        self.bundle = bundle
        self.max_length = bundle.manifest.max_length
        self.vocabulary_size = len(bundle.vocabulary)
        choice = self._load(choose_provider(provider), threads)
        self.provider = choice.name
        self.provider_message = choice.message
        self._pool: _Rows | None = None
        self._pool_tokens: list[int] = []
        self._remembered: OrderedDict[tuple[int, ...], Logits] = OrderedDict()
        self._context_length = 0
        self._generation = 0
        self.reset()

    @property
    def tokens_in_state(self) -> tuple[int, ...]:
        """The tokens that the state of the last context has seen."""
        return tuple(self._slot.tokens)

    def reset(self) -> None:
        """Forget everything."""
        self._generation += 1
        self._context_length = 0
        self._slots = [self._slot]
        self._slot.rewind(0)
        self._remembered.clear()

    def prefill(self, token_ids: Sequence[int], cancelled: Callable[[], bool] | None = None) -> Logits:
        """The logits after a whole context; only what differs from a context that is kept is run.

        Batches forked before are no longer valid.

        Args:
            token_ids: the context, 1 to `max_length` tokens.
            cancelled: asked before every run.

        Returns:
            A new array, shape (V,).

        Raises:
            Cancelled: `cancelled` said so; what was run is kept.
            ValueError: the context is empty or too long, or an id is not in the vocabulary: the caller cuts windows.
        """
        logits: Logits = self.prefill_looking_back(token_ids, 0, cancelled)[0]
        return logits

    def prefill_looking_back(
        self, token_ids: Sequence[int], n_back: int, cancelled: Callable[[], bool] | None = None
    ) -> Logits:
        """The logits after a whole context, as `prefill`, and after each of the last contexts that it grew from.

        Args:
            token_ids: the context, 1 to `max_length` tokens.
            n_back: how many tokens shorter than the context the shortest is; 0 to the context's length less one.
            cancelled: asked before every run.

        Returns:
            A new array, shape (n_back + 1, V), the shortest context first; what is remembered is not run again.

        Raises:
            Cancelled: as for `prefill`.
            ValueError: as for `prefill`, or `n_back` is too large.
        """
        context = self._checked(token_ids)
        if not 1 <= len(context) <= self.max_length:
            raise ValueError(f"a context of {len(context)} tokens: the model takes 1 to {self.max_length}.")
        if not 0 <= n_back < len(context):
            raise ValueError(f"cannot look back {n_back} tokens in a context of {len(context)}.")
        self._generation += 1
        self._context_length = 0
        slot = self._slot = self._slot_for(context)
        shortest = len(context) - n_back
        found = self._known(context, shortest)
        missing = next((length for length in range(shortest, len(context) + 1) if length not in found), None)
        if missing is not None:
            slot.rewind(min(common_length(context, slot.tokens), missing - 1))
        while len(slot.tokens) < len(context):
            if cancelled is not None and cancelled():
                raise Cancelled(f"stopped after {len(slot.tokens)} of {len(context)} tokens of context.")
            found |= self._run_on(context, shortest)
        self._context_length = len(context)
        self._remember(context, found[len(context)])
        return np.stack([found[length] for length in range(shortest, len(context) + 1)])

    def _known(self, context: list[int], shortest: int) -> dict[int, Logits]:
        """The logits after the beginnings of a context, by their length, that are known without a run."""
        found = {length: self._remembered.get(tuple(context[:length])) for length in range(shortest, len(context))}
        if self._slot.fresh and self._slot.tokens == context:
            found[len(context)] = self._slot.rows.logits[0]
        return {length: logits for length, logits in found.items() if logits is not None}

    def _run_on(self, context: list[int], shortest: int) -> dict[int, Logits]:
        """One run further in a context; the logits after its beginnings, by their length, from `shortest` on."""
        slot, start = self._slot, len(self._slot.tokens)
        stop = start + CHUNK if slot.rows.looks_back else max(start + 1, shortest)
        part = context[start : min(stop, start + CHUNK)]
        end = start + len(part)
        n_wanted = min(len(part), max(1, end - shortest + 1))
        found = dict(zip(range(end - n_wanted + 1, end + 1), slot.extend(part, n_wanted).copy(), strict=True))
        for length in range(shortest, min(end + 1, len(context))):
            if length in found:
                self._remember(context[:length], found[length])
        return found

    def _remember(self, context: Sequence[int], logits: Logits) -> None:
        """Keep the logits after a context."""
        key = tuple(context)
        self._remembered[key] = logits.copy()
        self._remembered.move_to_end(key)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    def fork(self, n: int) -> Batch:
        """`n` rows that each continue from the context of the last `prefill`.

        One row works on the engine's own state, so its tokens need not be run again if the next context has them. More
        rows work on copies. A batch is valid until the next `prefill`, `fork` or `reset`.

        Raises:
            ValueError: `n` is less than 1, or the state is not that of a finished `prefill`, for there was none or a
                batch of one row has moved on from it.
        """
        if n < 1:
            raise ValueError(f"cannot fork {n} rows: at least 1.")
        n_tokens = len(self._slot.tokens)
        if not n_tokens or n_tokens != self._context_length:
            raise ValueError(
                f"the state holds {n_tokens} tokens, the last context had {self._context_length}: "
                "prefill before forking."
            )
        self._generation += 1
        return Batch(self, self._generation, self._slot.rows if n == 1 else self._filled_pool(n))

    def _load(self, choice: Choice, threads: int) -> Choice:
        """Open the session and run one token; what it runs on in the end."""
        manifest = self.bundle.manifest
        try:
            self._session = _open_session(self.bundle.model, choice, threads)
            self._slot = _Slot(_Rows(self._session, self.bundle, 1))
            self._slot.extend([0])
        except Exception as error:  # the runtime raises classes of its own, without a common parent
            if choice.name != "cpu":
                return self._load(fall_back(str(error)), threads)
            raise ProviderError(
                f"onnxruntime {onnxruntime.__version__} cannot run model '{manifest.name}' (opset {manifest.opset}): "
                f"{error}. Upgrade onnxruntime, or choose another model."
            ) from error
        return choice

    def _checked(self, token_ids: Sequence[int]) -> list[int]:
        ids = list(map(int, token_ids))
        if ids and not (min(ids) >= 0 and max(ids) < self.vocabulary_size):
            raise ValueError(
                f"token ids from {min(ids)} to {max(ids)} in a vocabulary of {self.vocabulary_size}: encode the text "
                "with the bundle's own vocabulary."
            )
        return ids

    def _slot_for(self, context: list[int]) -> _Slot:
        """The slot that holds most of a context; the one unused for longest where none holds much of it.

        A slot that would have to forget more than half of what it holds is another place's, and is left alone as
        long as there is room.
        """
        shared = {slot: common_length(context, slot.tokens) for slot in self._slots}
        best = max(self._slots, key=shared.__getitem__)
        if 2 * shared[best] < len(best.tokens):
            best = self._free_slot()
        self._slots.remove(best)
        self._slots.append(best)
        return best

    def _free_slot(self) -> _Slot:
        """A new slot, for which those that were unused for longest may have to go, or the one unused for longest."""
        room = MAX_KEPT_BYTES - self._slot.most_bytes
        while len(self._slots) > 1 and sum(slot.n_bytes for slot in self._slots) > room:
            del self._slots[0]
        if len(self._slots) >= MAX_SLOTS or self._slots[0].n_bytes > room:
            return self._slots[0]
        self._slots.append(_Slot(_Rows(self._session, self.bundle, 1)))
        return self._slots[-1]

    def _filled_pool(self, n: int) -> _Rows:
        """`n` rows that hold the state; what they still hold of it from the last time is not copied again."""
        if self._pool is None or self._pool.n != n:
            self._pool = _Rows(self._session, self.bundle, n)
            self._pool_tokens = []
        tokens = self._slot.tokens
        self._pool.copy_from(self._slot.rows, common_length(tokens, self._pool_tokens), len(tokens))
        self._pool_tokens = list(tokens)
        return self._pool


class Batch:
    """Rows that continue one context, each on its own.

    Attributes:
        n: number of rows.
    """

    def __init__(self, engine: Engine, generation: int, rows: _Rows) -> None:
        """Made by `Engine.fork`."""
        self.n = rows.n
        self._engine = engine
        self._generation = generation
        self._rows = rows
        self._logits = rows.logits.copy()
        self._ahead: list[int] = []
        self._logits_ahead: list[Logits] = []

    @property
    def logits(self) -> Logits:
        """The logits after each row's last token: a new array, shape (n, V)."""
        return self._logits.copy()

    @property
    def lengths(self) -> tuple[int, ...]:
        """The number of tokens of each row, the context included."""
        return tuple(map(self._length, range(self.n)))

    def _length(self, row: int) -> int:
        """The number of tokens of one row, without those that were only read along."""
        return int(self._rows.lengths[row]) - len(self._ahead)

    def step(self, token_ids: Sequence[int]) -> Logits:
        """Add one token to each row.

        Args:
            token_ids: n ids; a negative one leaves its row as it is (finished, or fed by `feed`).

        Returns:
            The logits after each row's last token: a new array, shape (n, V).

        Raises:
            ValueError: not n ids, an id that is not in the vocabulary, a row that is full, or a batch that is no
                longer valid.
        """
        if len(token_ids) != self.n:
            raise ValueError(f"{len(token_ids)} tokens for {self.n} rows: give one a row.")
        if self.n == 1 and token_ids[0] >= 0:
            return self.feed(0, token_ids)[np.newaxis]
        live = [row for row, token in enumerate(token_ids) if token >= 0]
        if len(live) == 1:
            self.feed(live[0], [token_ids[live[0]]])
        elif live:
            self._check([token_ids[row] for row in live], max(self.lengths[row] for row in live) + 1)
            self._rows.step(token_ids, live)
            self._logits[live] = self._rows.logits[live]
        return self.logits

    def feed(self, row: int, token_ids: Sequence[int], guess: Sequence[int] = ()) -> Logits:
        """Add several tokens to one row, in one run where they are no more than `CHUNK`.

        Args:
            row: 0 to n - 1.
            token_ids: at least one id.
            guess: what may be fed next. A batch of one row whose state is all cache reads it along, in the same run:
                as far as it is fed next, that costs nothing more.

        Returns:
            The logits after the last of them: a new array, shape (V,).

        Raises:
            ValueError: as for `step`, or no tokens.
        """
        if not token_ids:
            raise ValueError("no tokens to feed: give at least one.")
        ids = self._check(token_ids, self._length(row) + len(token_ids))
        if self.n == 1:
            ids = self._not_ahead(ids)
            run = self._engine._slot.extend
        else:
            run = self._rows.row(row).run
        while len(ids) > CHUNK:
            run(ids[:CHUNK])
            del ids[:CHUNK]
        if ids:
            ahead = self._readable(guess, len(ids)) if guess else []
            self._logits[row], *self._logits_ahead = run(ids + ahead, 1 + len(ahead))
            self._ahead = ahead
        logits: Logits = self._logits[row].copy()
        return logits

    def _not_ahead(self, ids: list[int]) -> list[int]:
        """What of the tokens to be fed was not read along before; of what was, all that is not fed is taken back."""
        if not self._ahead:
            return ids
        n_known = common_length(ids, self._ahead)
        if n_known:
            self._logits[0] = self._logits_ahead[n_known - 1]
        self._ahead, self._logits_ahead = self._ahead[n_known:], self._logits_ahead[n_known:]
        if n_known < len(ids):
            self._engine._slot.rewind(self._length(0))
            self._ahead = []
        return ids[n_known:]

    def _readable(self, guess: Sequence[int], n_before: int) -> list[int]:
        """As much of a guess as can be read along with the last `n_before` tokens to be run, and taken back."""
        if self.n > 1 or not self._rows.looks_back:
            return []
        room = min(CHUNK, self._engine.max_length - self._length(0)) - n_before
        return self._engine._checked(guess[:room])

    def _check(self, token_ids: Sequence[int], length: int) -> list[int]:
        if self._generation != self._engine._generation:
            raise ValueError("this batch is no longer valid: the engine has another context. Fork again.")
        if length > self._engine.max_length:
            raise ValueError(f"a row of {length} tokens: the model has room for {self._engine.max_length}.")
        return self._engine._checked(token_ids)


class _Slot:
    """The state of one context.

    Attributes:
        rows: its buffers, one row.
        tokens: what they have seen.
        fresh: whether the logits of `rows` are those after the tokens, not of a longer context or a failed run.
    """

    def __init__(self, rows: _Rows) -> None:
        """A slot that has seen nothing."""
        self.rows = rows
        self.tokens: list[int] = []
        self.fresh = False
        self._longest = 0
        self._snapshots = {0: rows.copy_recurrent()}

    @property
    def n_bytes(self) -> int:
        """Memory that the state and its snapshots take: of a cache, what was ever written of it."""
        return self._bytes_of(self._longest)

    @property
    def most_bytes(self) -> int:
        """The same of a full state."""
        return self._bytes_of(self.rows.max_length)

    def _bytes_of(self, length: int) -> int:
        most_snapshots = length // SNAPSHOT_EVERY + 2
        return self.rows.n_bytes(length) + most_snapshots * sum(each.nbytes for each in self.rows.recurrent)

    def rewind(self, length: int) -> None:
        """Go back to `length` tokens, or to the last snapshot before."""
        if length == len(self.tokens):
            return
        if self.rows.recurrent:
            length = max(position for position in self._snapshots if position <= length)
            self._snapshots = {at: state for at, state in self._snapshots.items() if at <= length}
            self.rows.set_recurrent(self._snapshots[length])
        self.fresh = False
        del self.tokens[length:]
        self.rows.lengths[0] = length

    def extend(self, ids: Sequence[int], n_wanted: int = 1) -> Logits:
        """Run over `ids`, 1 to `CHUNK` of them; what `_Rows.run` gives."""
        start = 0
        while start < len(ids):
            size = SNAPSHOT_EVERY - len(self.tokens) % SNAPSHOT_EVERY if self.rows.recurrent else CHUNK
            part = ids[start : start + size]
            start += size
            self.fresh = False
            logits = self.rows.run(part, n_wanted)
            self.tokens += part
            self._longest = max(self._longest, len(self.tokens))
            self.fresh = True
            if self.rows.recurrent and (len(part) > 1 or len(self.tokens) % SNAPSHOT_EVERY == 0):
                self._keep_snapshot()
        return logits

    def _keep_snapshot(self) -> None:
        """Keep the recurrent state as it is now; of those before only each `SNAPSHOT_EVERY` tokens."""
        self._snapshots = {at: state for at, state in self._snapshots.items() if at % SNAPSHOT_EVERY == 0}
        self._snapshots[len(self.tokens)] = self.rows.copy_recurrent()


class _Rows:
    """The buffers of `n` rows, bound to the session.

    Attributes:
        n: number of rows.
        max_length: tokens that a row has room for.
        lengths: tokens that each row has seen, (n,) int32.
        logits: what the last run gave, (n, V).
        recurrent: the recurrent state tensors, each (n, *shape).
    """

    def __init__(
        self,
        session: Any,
        bundle: Bundle,
        n: int,
        of: tuple[_Rows, int] | None = None,
    ) -> None:
        """New buffers, all zero, or, with `of`, one row of another's."""
        self.n = n
        self._session = session
        self._bundle = bundle
        self.max_length = bundle.manifest.max_length
        self._tensors = tensors = bundle.manifest.state
        self._single: dict[int, _Rows] = {}
        if of is None:
            self._past = [_zeros((n, *tensor.shape), tensor.dtype) for tensor in tensors]
            self.lengths = np.zeros(n, np.int32)
        else:
            rows, row = of
            self._past = [each[row : row + 1] for each in rows._past]
            self.lengths = rows.lengths[row : row + 1]
        self.logits = np.zeros((n, len(bundle.vocabulary)), np.float32)
        self._ids = np.zeros((n, 1), np.int64)
        self._logits_at = np.zeros(1, np.int64)
        self._last_position = np.zeros(n, np.int32)
        self._total_length = np.zeros((), np.int32)
        is_cache = [tensor.kind == "cache" for tensor in tensors]
        self._caches = [past for past, cache in zip(self._past, is_cache, strict=True) if cache]
        self.recurrent = [past for past, cache in zip(self._past, is_cache, strict=True) if not cache]
        self._next_recurrent = [np.zeros_like(each) for each in self.recurrent]
        self._binding = self._bind()
        self._of_steps = _value(self._ids), _value(self._logits_at), _value(self.logits)
        self._bind_run(*self._of_steps)

    def n_bytes(self, length: int) -> int:
        """Memory that the state takes of which `length` positions were written, without snapshots of it."""
        caches = sum(each.nbytes for each in self._caches)
        return caches * length // self.max_length + sum(each.nbytes for each in self.recurrent)

    def row(self, index: int) -> _Rows:
        """One row by itself, in the same memory."""
        if self.n == 1:
            return self
        if index not in self._single:
            self._single[index] = _Rows(self._session, self._bundle, 1, (self, index))
        return self._single[index]

    @property
    def looks_back(self) -> bool:
        """Whether a run gives the logits after all of its tokens, not the last alone, and tokens can be taken back."""
        return not self.recurrent

    def run(self, ids: Sequence[int], n_wanted: int = 1) -> Logits:
        """Feed several tokens to the only row.

        Args:
            ids: at least one.
            n_wanted: how many logits are wanted; where the rows do not look back, 1.

        Returns:
            The logits after each of the last `n_wanted` tokens, shape (n_wanted, V), which the next run may overwrite.
        """
        self._last_position[0] = self.lengths[0] + len(ids) - 1
        if len(ids) == 1:
            self._ids[0, 0] = ids[0]
            self._finish([0], 1)
            return self.logits
        several = np.array([ids], np.int64)  # (T,) -> (1, T)
        wanted = np.arange(len(ids) - n_wanted, len(ids), dtype=np.int64)
        logits = np.zeros((n_wanted, self.logits.shape[1]), np.float32)
        self._bind_run(_value(several), _value(wanted), _value(logits))
        try:
            self._finish([0], len(ids))
        finally:
            self._bind_run(*self._of_steps)
        self.logits[0] = logits[-1]
        return logits

    def step(self, ids: Sequence[int], live: Sequence[int]) -> None:
        """Feed one token to each of the `live` rows.

        The others run along: what that writes lies past their end, where their next token overwrites it, or, in a full
        row, which can never run again, at its end.
        """
        self._ids[:, 0] = np.maximum(ids, 0)
        np.minimum(self.lengths, self.max_length - 1, out=self._last_position)
        self._finish(live, 1)

    def copy_from(self, source: _Rows, start: int, stop: int) -> None:
        """Take over the positions `start` to `stop`, the recurrent state and the logits of a single row."""
        for target, cache in zip(self._caches, source._caches, strict=True):
            target[:, :, start:stop] = cache[:, :, start:stop]
        self.set_recurrent(source.recurrent)
        self.lengths[:] = stop
        self.logits[:] = source.logits

    def copy_recurrent(self) -> list[State]:
        """The recurrent state as it is now."""
        return [each.copy() for each in self.recurrent]

    def set_recurrent(self, state: Sequence[State]) -> None:
        """Overwrite the recurrent state of every row."""
        for target, value in zip(self.recurrent, state, strict=True):
            target[:] = value

    def _finish(self, live: Sequence[int], count: int) -> None:
        self._total_length[()] = (self._last_position[0] if self.n == 1 else self._last_position.max()) + 1
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as error:  # the runtime raises classes of its own, without a common parent
            raise ProviderError(
                f"onnxruntime {onnxruntime.__version__} failed while running model '{self._bundle.manifest.name}': "
                f"{error}. Set the provider to cpu, or choose another model."
            ) from error
        rows = slice(None) if self.n == 1 else live
        self.lengths[rows] += count
        for target, value in zip(self.recurrent, self._next_recurrent, strict=True):
            target[rows] = value[rows]

    def _bind(self) -> Any:
        """Name every buffer to the session, once; a cache is its own output."""
        binding = self._session.io_binding()
        names = {each.name for each in self._session.get_inputs()}
        for name, array in (("last_position", self._last_position), ("total_length", self._total_length)):
            if name in names:
                binding.bind_ortvalue_input(name, _value(array))
        following = iter(self._next_recurrent)
        for tensor, past in zip(self._tensors, self._past, strict=True):
            value = _value(past)
            binding.bind_ortvalue_input(f"past_{tensor.name}", value)
            present = value if tensor.kind == "cache" else _value(next(following))
            binding.bind_ortvalue_output(f"present_{tensor.name}", present)
        return binding

    def _bind_run(self, ids: Any, logits_at: Any, logits: Any) -> None:
        """Name what differs from run to run: ids (n, T), places (K,) and logits (n K, V)."""
        self._binding.bind_ortvalue_input("token_ids", ids)
        if self.looks_back:
            self._binding.bind_ortvalue_input("logits_at", logits_at)
        self._binding.bind_ortvalue_output("logits", logits)


def common_length(first: list[int], second: list[int]) -> int:
    """How many tokens two lists have in common at their beginning; quickly said where that is little."""
    low, high = 0, 8
    while first[low:high] == second[low:high]:
        if high >= min(len(first), len(second)):
            return min(len(first), len(second))
        low, high = high, 2 * high
    while low + 1 < high:  # alike up to `low`, not up to `high`
        middle = (low + high) // 2
        low, high = (middle, high) if first[low:middle] == second[low:middle] else (low, middle)
    return low


def _zeros(shape: Sequence[int], dtype: str) -> State:
    """An array of zeros that takes memory where it was written alone, and gives it back when it goes.

    numpy's own would be written all over where the allocator puts it among smaller things.
    """
    memory = mmap.mmap(-1, math.prod(shape) * np.dtype(dtype).itemsize)
    return np.frombuffer(memory, dtype).reshape(shape)


def _value(array: NDArray[Any]) -> Any:
    """A runtime value in the same memory, which whoever holds the array keeps alive."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def _open_session(model: bytes, choice: Choice, threads: int) -> Any:
    """A session that runs on what was chosen, or an error."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # a provider that cannot be had is told by our message, once
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle costs nothing
    session = onnxruntime.InferenceSession(model, options, providers=list(choice.providers))
    if choice.providers[0] not in session.get_providers():
        raise RuntimeError("its libraries could not be loaded")
    return session
