"""Encoded pieces on disk: flat arrays that are opened without being read.

A table set is a folder with four files of numpy's own format:

    ids.npy       uint16 (n_tokens,): preambles, measure heads and segments, one after another
    segments.npy  `SEGMENT` records: one voice of one part in one measure
    measures.npy  `MEASURE` records: a measure's head, its segments and its barline
    pieces.npy    `PIECE` records: a piece's preamble and its measures

Nothing in it depends on how sequences are laid out: that is the sampler's choice, made anew for each window. Places
(`start`, `first_...`) count tokens or records from the start of the file they point into.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from notation.tokens.encode import EncodedMeasure, EncodedScore, Segment, reference_distances
from notation.tokens.vocabulary import GENRES

SEGMENT = np.dtype(
    [("start", "<i8"), ("length", "<u4"), ("ref_mask", "<u4"), ("part", "u1"), ("staff", "u1"), ("number", "u1")]
)
"""`ref_mask` has bit k - 1 set where the same voice plays exactly the same k measures back."""

MEASURE = np.dtype(
    [
        ("head_start", "<i8"),
        ("first_segment", "<i8"),
        ("head_length", "<u2"),
        ("n_segments", "<u2"),
        ("barline", "<i2"),
        ("time", "<u2"),
        ("key", "<u2"),
        ("mode", "<u2"),
    ]
)
"""`barline` is a token id, -1 for none; time, key and mode are what a header says of the measure."""

PIECE = np.dtype(
    [
        ("preamble_start", "<i8"),
        ("first_measure", "<i8"),
        ("n_tokens", "<i8"),
        ("n_measures", "<u4"),
        ("preamble_length", "<u2"),
        ("n_parts", "u1"),
        ("genre", "u1"),
    ]
)
"""`n_tokens` is the size of all its measures' heads, segments and barlines; `genre` is a place in `GENRES`."""

Records = NDArray[np.void]


@dataclass(frozen=True)
class Tables:
    """One table set; the four arrays may be mapped files.

    Attributes:
        ids: (n_tokens,) uint16.
        segments, measures, pieces: records of the types above.
    """

    ids: NDArray[np.uint16]
    segments: Records
    measures: Records
    pieces: Records

    def save(self, folder: Path) -> None:
        """Write the four files into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("ids", "segments", "measures", "pieces"):
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def open(cls, folder: Path) -> Tables:
        """Map the files of `folder`.

        Raises:
            FileNotFoundError: one of them is not there.
        """
        # A file without elements cannot be mapped; numpy reads it instead.
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in cls.__dataclass_fields__))

    def preamble(self, piece: int) -> list[int]:
        """The preamble of a piece (`<bos>`, genre, dance, parts)."""
        record = self.pieces[piece]
        start = int(record["preamble_start"])
        ids: list[int] = self.ids[start : start + int(record["preamble_length"])].tolist()
        return ids

    def read_measures(self, piece: int, start: int, stop: int) -> list[StoredMeasure]:
        """Measures start..stop of a piece (cut at its end), as the encoder made them, with their references."""
        record = self.pieces[piece]
        stop = min(stop, int(record["n_measures"]))
        first = int(record["first_measure"])
        rows = self.measures[first + start : first + stop].tolist()
        if not rows:
            return []
        first_segment, last_segment = rows[0][1], rows[-1][1] + rows[-1][3]
        segments = self.segments[first_segment:last_segment].tolist()
        measures = []
        for head_start, at, head_length, n_segments, barline, *signs in rows:
            own = segments[at - first_segment : at - first_segment + n_segments]
            end = own[-1][0] + own[-1][1] if own else head_start + head_length
            ids = self.ids[head_start:end].tolist()  # a measure's tokens stand together
            measures.append(
                StoredMeasure(
                    EncodedMeasure(
                        head=tuple(ids[:head_length]),
                        segments=tuple(
                            Segment(part, staff, number, tuple(ids[place - head_start : place - head_start + length]))
                            for place, length, _, part, staff, number in own
                        ),
                        barline=None if barline < 0 else barline,
                        metre_and_key=tuple(signs),
                        length=None,
                    ),
                    tuple(segment[2] for segment in own),
                )
            )
        return measures

    def iterate_measures(self, piece: int, start: int, chunk: int = 16) -> Iterator[StoredMeasure]:
        """All measures from `start` to the end of a piece, read a few at a time."""
        for at in range(start, int(self.pieces[piece]["n_measures"]), chunk):
            yield from self.read_measures(piece, at, at + chunk)


@dataclass(frozen=True, slots=True)
class StoredMeasure:
    """A measure from a table.

    Attributes:
        encoded: the measure; its `length` is not stored.
        ref_masks: one a segment; bit k - 1 set where the measure k back plays the same.
    """

    encoded: EncodedMeasure
    ref_masks: tuple[int, ...]


class TableWriter:
    """Collects encoded pieces and gives them as `Tables`."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._segments: list[tuple[int, ...]] = []
        self._measures: list[tuple[int, ...]] = []
        self._pieces: list[tuple[int, ...]] = []

    def add(self, score: EncodedScore, genre: str) -> None:
        """Append a piece; `genre` is one of `GENRES`, else it counts as `other`."""
        preamble_start, first_measure = len(self._ids), len(self._measures)
        self._ids += score.preamble
        for index, measure in enumerate(score.measures):
            self._add_measure(score.measures, index, measure)
        n_barlines = sum(measure.barline is not None for measure in score.measures)
        self._pieces.append(
            (
                preamble_start,
                first_measure,
                len(self._ids) - preamble_start - len(score.preamble) + n_barlines,
                len(score.measures),
                len(score.preamble),
                score.n_parts,
                GENRES.index(genre if genre in GENRES else "other"),
            )
        )

    def tables(self) -> Tables:
        """All pieces so far."""
        return Tables(
            np.array(self._ids, np.uint16),
            np.array(self._segments, SEGMENT),
            np.array(self._measures, MEASURE),
            np.array(self._pieces, PIECE),
        )

    def _add_measure(self, measures: Sequence[EncodedMeasure], index: int, measure: EncodedMeasure) -> None:
        head_start, first_segment = len(self._ids), len(self._segments)
        self._ids += measure.head
        for segment in measure.segments:
            mask = sum(1 << (back - 1) for back in reference_distances(measures, index, segment))
            place = (len(self._ids), len(segment.ids), mask, segment.part, segment.staff, segment.number)
            self._segments.append(place)
            self._ids += segment.ids
        barline = -1 if measure.barline is None else measure.barline
        size = (len(measure.head), len(measure.segments))
        self._measures.append((head_start, first_segment, *size, barline, *measure.metre_and_key))


def select_pieces(tables: Tables, chosen: Sequence[int]) -> Tables:
    """The table set of some pieces, in the given order."""
    return concatenate([_one_piece(tables, piece) for piece in chosen])


def _one_piece(tables: Tables, piece: int) -> Tables:
    record = tables.pieces[piece]
    first = int(record["first_measure"])
    measures = tables.measures[first : first + int(record["n_measures"])].copy()
    start = int(record["preamble_start"])
    end = start + int(record["preamble_length"])
    first_segment, last_segment = 0, 0
    if len(measures):
        first_segment = int(measures[0]["first_segment"])
        last_segment = int(measures[-1]["first_segment"]) + int(measures[-1]["n_segments"])
        end = int(measures[-1]["head_start"]) + int(measures[-1]["head_length"])
    segments = tables.segments[first_segment:last_segment].copy()
    if len(segments):
        end = max(end, int(segments[-1]["start"]) + int(segments[-1]["length"]))
    alone = tables.pieces[piece : piece + 1].copy()
    for records, column, shift in (
        (alone, "preamble_start", start),
        (alone, "first_measure", first),
        (measures, "head_start", start),
        (measures, "first_segment", first_segment),
        (segments, "start", start),
    ):
        records[column] -= shift
    return Tables(np.asarray(tables.ids[start:end]), segments, measures, alone)


def concatenate(parts: Sequence[Tables]) -> Tables:
    """Table sets one after another, as one."""
    shifts: dict[str, int] = {"ids": 0, "segments": 0, "measures": 0}
    collected: dict[str, list[Any]] = {"ids": [], "segments": [], "measures": [], "pieces": []}
    for part in parts:
        moved = {name: getattr(part, name).copy() for name in collected}
        moved["segments"]["start"] += shifts["ids"]
        moved["measures"]["head_start"] += shifts["ids"]
        moved["measures"]["first_segment"] += shifts["segments"]
        moved["pieces"]["preamble_start"] += shifts["ids"]
        moved["pieces"]["first_measure"] += shifts["measures"]
        for name, array in moved.items():
            collected[name].append(array)
        for name in shifts:
            shifts[name] += len(moved[name])
    types = {"ids": np.dtype(np.uint16), "segments": SEGMENT, "measures": MEASURE, "pieces": PIECE}
    return Tables(*(np.concatenate([np.empty(0, types[name]), *arrays]) for name, arrays in collected.items()))
