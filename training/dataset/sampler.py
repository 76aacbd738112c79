"""Training windows, laid out anew for every step.

A row is a pure function of the seed, the step and its place in the batch, so a run that was killed goes on with the
very windows it would have had, any number of processes may make batches ahead, and of several that train together each
makes its own rows of one batch.

A row is T tokens. It is filled from pieces of one genre, drawn by the configured shares, so shares of rows are shares
of tokens. One window follows another, each beginning with its own header, until the row is full; the last is cut off.
A window begins at the piece's start half of the time, else at any measure. Made by chance, once a window:

    transposed   every `key:` moved by the same amount: pitch is relative to it, so the spelling is right in every key
                 and nothing else changes
    scaled       all durations doubled or halved, and the metre with them (augmentation, diminution)
    part last    one part put last in each measure, as completion asks for it; sometimes without the others
    infill       what follows a gap is given first, and the window ends with the gap
    anonymous    the dance, or the instruments, left out of the header

Shapes: B rows, T tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notation.tokens import vocabulary
from notation.tokens.encode import after_ids, header_ids
from notation.tokens.vocabulary import GENRES, TOKEN_IDS
from training.dataset.augmentation import UnscalableError, scale_measure
from training.dataset.layout import TaughtSequence, ends_section, lay_out_measure
from training.dataset.tables import StoredMeasure, Tables

IGNORED = -100
"""The target of a position that is not trained on."""

_FIRST_KEY = TOKEN_IDS["key:-7"]
_KEYS = range(_FIRST_KEY, _FIRST_KEY + 15)
_C_MAJOR = TOKEN_IDS["key:0"]
_RHYTHMS = range(TOKEN_IDS[f"rhythm:{vocabulary.RHYTHMS[0]}"], TOKEN_IDS[f"rhythm:{vocabulary.RHYTHMS[-1]}"] + 1)
_INSTRUMENTS = range(
    TOKEN_IDS[f"inst:{vocabulary.INSTRUMENTS[0]}"], TOKEN_IDS[f"inst:{vocabulary.INSTRUMENTS[-1]}"] + 1
)
_WIDEST_KEY = 6
_WIDEST_TRANSPOSED_KEY = 5
_LEAST_ROOM = 48
"""With less room than this left in a row, the rest is padding: a header and nothing to learn from."""


@dataclass(frozen=True)
class SamplerConfig:
    """How windows are made.

    Attributes:
        shares: genre -> its share of the tokens; genres without pieces are left out and the rest scaled.
        from_start: chance that a window begins where its piece does.
        transpose: chance of another key.
        scale_rhythm: chance that all durations are doubled or halved, where the vocabulary can say it.
        infill: chance that what follows a gap is given.
        part_last: chance, in pieces of several parts, that one is put last.
        lone_part: chance, if one is put last, that the others are missing at the end or altogether.
        drop_rhythm, drop_instruments: chances that the header does not say them.
        repeat_weight: what a token inside a repeated segment counts.
    """

    shares: Mapping[str, float] = field(
        default_factory=lambda: {
            "folk": 0.40, "hymn": 0.06, "lead": 0.06, "lied": 0.14, "quartet": 0.14, "keyboard": 0.07, "choral": 0.05,
            "organ": 0.03, "orchestra": 0.05,
        }
    )  # fmt: skip
    from_start: float = 0.5
    transpose: float = 0.5
    scale_rhythm: float = 0.0
    infill: float = 0.25
    part_last: float = 0.3
    lone_part: float = 0.5
    drop_rhythm: float = 0.2
    drop_instruments: float = 0.2
    repeat_weight: float = 0.3

    def __post_init__(self) -> None:
        unknown = sorted(set(self.shares) - set(GENRES))
        if unknown:
            raise ValueError(f"unknown genre {', '.join(unknown)} in shares: choose among {', '.join(GENRES)}.")
        for name in (item.name for item in fields(self) if item.name != "shares"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: choose a number from 0 to 1.")

    @classmethod
    def plain(cls, shares: Mapping[str, float]) -> SamplerConfig:
        """Windows as the pieces stand: nothing left to chance but which, and from where. For validation."""
        return cls(
            shares,
            transpose=0,
            scale_rhythm=0,
            infill=0,
            part_last=0,
            lone_part=0,
            drop_rhythm=0,
            drop_instruments=0,
            repeat_weight=0,
        )


@dataclass(frozen=True)
class Batch:
    """What one step learns from; four arrays of shape (B, T).

    Attributes:
        inputs: token ids, int64.
        targets: the token that follows, int64; `IGNORED` where nothing is learned.
        ref_masks: int64; bit k - 1 set where `ref:k` is a right answer. Then `targets` does not count.
        weights: float32; how much each position counts, 0 where `targets` is `IGNORED`.
    """

    inputs: NDArray[np.int64]
    targets: NDArray[np.int64]
    ref_masks: NDArray[np.int64]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Sequence[TaughtSequence], block_size: int) -> Batch:
        """Rows of at most `block_size` + 1 tokens, padded."""
        shape = (len(rows), block_size + 1)
        ids = np.full(shape, vocabulary.PAD, np.int64)
        weights = np.zeros(shape, np.float32)
        ref_masks = np.zeros(shape, np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row.ids
            weights[index, : len(row)] = row.weights
            ref_masks[index, : len(row)] = row.ref_masks
        weights = weights[:, 1:]
        return cls(ids[:, :-1], np.where(weights > 0, ids[:, 1:], IGNORED), ref_masks[:, 1:], weights)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What chance chose for one window."""

    start: int
    last_part: int | None
    lone: str  # "", "end" or "all": where the other parts are missing
    n_gap: int  # measures of the gap that the window ends with; 0 without one
    n_after: int  # measures after the gap that are given
    factor: Fraction = Fraction(1)  # of all durations


class Sampler:
    """Makes batches from table sets.

    Pieces are drawn in proportion to their size, so every measure is seen about equally often.
    """

    def __init__(
        self, tables: Sequence[Tables], config: SamplerConfig, *, block_size: int, batch_size: int, seed: int = 0
    ) -> None:
        self._tables = list(tables)
        self._config = config
        self.block_size = block_size
        self.batch_size = batch_size
        self._seed = seed
        self._genres, self._members, self._cumulated = self._index()
        shares = np.array([config.shares[genre] for genre in self._genres])
        self._shares = shares / shares.sum()

    def _index(self) -> tuple[list[str], list[list[tuple[int, int]]], list[NDArray[np.float64]]]:
        genres, members, cumulated = [], [], []
        for genre, share in self._config.shares.items():
            found: list[tuple[int, int]] = []
            sizes: list[int] = []
            for number, tables in enumerate(self._tables):
                for piece in np.flatnonzero(tables.pieces["genre"] == GENRES.index(genre)).tolist():
                    found.append((number, piece))
                    sizes.append(int(tables.pieces["n_tokens"][piece]))
            if found and share > 0:
                genres.append(genre)
                members.append(found)
                cumulated.append(np.cumsum(sizes) / sum(sizes))
        if not genres:
            raise ValueError("no piece of the dataset is of a genre with a share: change the shares, or add corpora.")
        return genres, members, cumulated

    def batch(self, step: int, rank: int = 0, n_ranks: int = 1) -> Batch:
        """The batch of a step, or one process's part of it: the rows `rank`, `rank + n_ranks`, and so on."""
        genres = np.random.default_rng((self._seed, step)).choice(len(self._genres), self.batch_size, p=self._shares)
        rows = [
            self._row(int(genres[place]), np.random.default_rng((self._seed, step, place + 1)))
            for place in range(rank, self.batch_size, n_ranks)
        ]
        return Batch.of(rows, self.block_size)

    def _row(self, genre: int, random: np.random.Generator) -> TaughtSequence:
        row, size = TaughtSequence(), self.block_size + 1
        while size - len(row) >= _LEAST_ROOM:
            place = int(np.searchsorted(self._cumulated[genre], random.random(), side="right"))
            number, piece = self._members[genre][min(place, len(self._members[genre]) - 1)]
            row.append(self.window(self._tables[number], piece, size - len(row), random))
        row.cut(size)
        return row

    def window(self, tables: Tables, piece: int, room: int, random: np.random.Generator) -> TaughtSequence:
        """One window on a piece, cut at `room` tokens; shorter if the piece ends."""
        record = tables.pieces[piece]
        n_measures, n_parts = int(record["n_measures"]), int(record["n_parts"])
        start = 0 if random.random() < self._config.from_start else int(random.integers(n_measures))
        preamble = self._header_choices(tables.preamble(piece), random)
        plan = self._plan(start, n_parts, random)
        try:
            window = self._planned(tables, piece, preamble, plan, room, random)
        except UnscalableError:
            window = self._planned(tables, piece, preamble, replace(plan, factor=Fraction(1)), room, random)
        return self._transposed(window, random)

    def _planned(
        self, tables: Tables, piece: int, preamble: list[int], plan: _Plan, room: int, random: np.random.Generator
    ) -> TaughtSequence:
        first = next(_measures(tables, piece, plan, chunk=1))
        header = header_ids(preamble, first.encoded)
        window = self._infill_window(tables, piece, header, plan, room, random) if plan.n_gap else None
        if window is None:
            window = self._open_window(tables, piece, header, plan, room)
            window.cut(room)
        return window

    def _header_choices(self, preamble: list[int], random: np.random.Generator) -> list[int]:
        no_rhythm, no_instruments = random.random(2) < (self._config.drop_rhythm, self._config.drop_instruments)
        return [
            token
            for token in preamble
            if not (no_rhythm and token in _RHYTHMS) and not (no_instruments and token in _INSTRUMENTS)
        ]

    def _plan(self, start: int, n_parts: int, random: np.random.Generator) -> _Plan:
        config = self._config
        infill, last, lone = random.random(3) < (config.infill, config.part_last, config.lone_part)
        n_gap = int(infill) and (1 if random.random() < 0.75 else 2)
        n_after = int(random.integers(1, 3))
        # What is filled in is one part's: it comes last, beside all that the others play.
        last_part = int(random.integers(n_parts)) if n_parts > 1 and (last or infill) else None
        where = ("end", "all")[int(random.integers(2))] if lone and last and last_part is not None else ""
        scaled, doubled = random.random(2) < (config.scale_rhythm, 0.5)
        factor = Fraction(1) if not scaled else Fraction(2) if doubled else Fraction(1, 2)
        return _Plan(start, last_part, where, n_gap, n_after, factor)

    def _open_window(self, tables: Tables, piece: int, header: list[int], plan: _Plan, room: int) -> TaughtSequence:
        """Header and measures, as far as the room or the piece goes; the end of the piece is `<eos>`."""
        window = TaughtSequence()
        window.extend(header, 0.0)
        n_parts = int(tables.pieces[piece]["n_parts"])
        taken: list[StoredMeasure] = []
        ends: list[int] = [len(window)]
        for measure in _measures(tables, piece, plan):
            window.append(self._measure(measure, n_parts, plan, taken))
            taken.append(measure)
            ends.append(len(window))
            if len(window) >= room:
                break
        else:
            if taken and ends_section(taken[-1]):
                window.extend([vocabulary.EOS], 1.0)
        if plan.lone == "end":
            self._leave_alone(window, taken, ends, n_parts, plan)
        return window

    def _leave_alone(
        self, window: TaughtSequence, taken: list[StoredMeasure], ends: list[int], n_parts: int, plan: _Plan
    ) -> None:
        """Lay the last measures out again (a quarter of them, up to four) with the last part alone."""
        n_alone = min(4, 1 + len(taken) // 4)
        first = len(taken) - n_alone
        window.cut(ends[first])
        for index in range(first, len(taken)):
            window.append(self._measure(taken[index], n_parts, plan, taken[:index], only_part=plan.last_part))

    def _infill_window(
        self, tables: Tables, piece: int, header: list[int], plan: _Plan, room: int, random: np.random.Generator
    ) -> TaughtSequence | None:
        """Header, what follows the gap, and measures to the end of the gap; None if there is no room for one."""
        n_parts = int(tables.pieces[piece]["n_parts"])
        part = plan.last_part if plan.last_part is not None else 0
        taken: list[StoredMeasure] = []
        laid: list[TaughtSequence] = []
        size = len(header)
        for measure in _measures(tables, piece, plan):
            laid.append(self._measure(measure, n_parts, plan, taken))
            taken.append(measure)
            size += len(laid[-1])
            if size >= room:
                break
        encoded = [measure.encoded for measure in taken]
        blocks = {
            end: after_ids(encoded[end : end + plan.n_after], part)
            for end in range(plan.n_gap, len(taken) - plan.n_after + 1)
        }
        sizes = np.cumsum([len(header), *map(len, laid)])
        fitting = [end for end, block in blocks.items() if sizes[end] + len(block) <= room]
        if not fitting:
            return None
        end = int(random.choice(fitting))
        window = TaughtSequence()
        window.extend([*header, *blocks[end]], 0.0)
        for measure_layout in laid[:end]:
            window.append(measure_layout)
        return window

    def _measure(
        self,
        measure: StoredMeasure,
        n_parts: int,
        plan: _Plan,
        before: Sequence[StoredMeasure],
        only_part: int | None = None,
    ) -> TaughtSequence:
        return lay_out_measure(
            measure,
            n_parts,
            after_section=bool(before) and ends_section(before[-1]),
            last_part=plan.last_part,
            only_part=plan.last_part if plan.lone == "all" else only_part,
            repeat_weight=self._config.repeat_weight,
        )

    def _transposed(self, window: TaughtSequence, random: np.random.Generator) -> TaughtSequence:
        """Move every key signature by one amount, if chance and the keys allow it."""
        places = [place for place, token in enumerate(window.ids) if token in _KEYS]
        if random.random() >= self._config.transpose or not places:  # a long header is cut before its key
            return window
        keys = [window.ids[place] - _C_MAJOR for place in places]
        shifts = [
            shift
            for shift in range(-_WIDEST_TRANSPOSED_KEY - keys[0], _WIDEST_TRANSPOSED_KEY + 1 - keys[0])
            if all(abs(key + shift) <= _WIDEST_KEY for key in keys)
        ]
        if shifts:
            shift = int(random.choice(shifts))
            for place in places:
                window.ids[place] += shift
        return window


def _measures(tables: Tables, piece: int, plan: _Plan, chunk: int = 16) -> Iterator[StoredMeasure]:
    """The measures of a window and all that follow, in the lengths that were chosen for it, read a few at a time."""
    measures = tables.iterate_measures(piece, plan.start, chunk)
    return measures if plan.factor == 1 else (scale_measure(measure, plan.factor) for measure in measures)


class BatchDataset:
    """The batches of a sampler from one step on, without end, as a dataset for `torch.utils.data.DataLoader`.

    Of `n_ranks` processes that train together, number `rank` gets its rows of each.
    """

    def __init__(self, sampler: Sampler, first_step: int, rank: int = 0, n_ranks: int = 1) -> None:
        self._sampler = sampler
        self._first_step = first_step
        self._share = (rank, n_ranks)

    def __len__(self) -> int:
        """More steps than any run takes."""
        return 2**31

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """inputs, targets, ref_masks and weights of step `first_step` + index, each (B / n_ranks, T)."""
        batch = self._sampler.batch(self._first_step + index, *self._share)
        return batch.inputs, batch.targets, batch.ref_masks, batch.weights
