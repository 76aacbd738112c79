"""Which measures are predicted, and what is known of each beforehand?

Measures from the sixth of a piece on, if they have notes: one part's, from all measures before it and, in music of
several parts, from what the others play beside it. The kinds that figures are told apart by:

    repeated, novel     the part has played the very measure before, or has not. The same notes otherwise tied, or in
                        other voices, are novel, so copying has a novel one right now and then
    first, last         of a section (sections end with a repeat, double or final barline)
    pickup              shorter than its metre says, at the start of a section
    odd metre           five, seven, ten, eleven ... beats, or free metre
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from notation.score import Score
from notation.site import CompletionSite
from notation.tokens import vocabulary as v
from notation.tokens.encode import EncodedMeasure
from notation.tokens.vocabulary import GENRES, TOKEN_IDS
from training.dataset.build import Dataset
from training.dataset.layout import ends_section
from training.dataset.restore import restore_score
from training.dataset.tables import StoredMeasure, Tables
from training.metrics.notes import notes_of

FIRST_MEASURE = 5
"""The first measure that is predicted, counted from 0."""
MEASURES_A_PART = 8
"""With a limit, so many measures in a row of one part, so that the sample is of many pieces."""

_EVEN_BEATS = frozenset({"1", "2", "3", "4", "6", "8", "9", "12"})

Content: TypeAlias = tuple[tuple[tuple[int, int], tuple[int, ...]], ...]
"""What a part plays in a measure: ((staff, number), tokens) of each voice, sorted."""


@dataclass(frozen=True)
class PartOfPiece:
    """One part of one piece of a split.

    Attributes:
        tables, piece, part: where it stands.
        cluster: the cluster of near doubles that the piece is in.
        id: of the piece.
    """

    tables: Tables
    piece: int
    part: int
    cluster: str
    id: str

    @property
    def n_parts(self) -> int:
        """Parts of the piece."""
        return int(self.tables.pieces["n_parts"][self.piece])

    def contents(self) -> list[Content]:
        """What the part plays, measure by measure."""
        return [content_of(stored.encoded, self.part) for stored in self._stored()]

    def score(self, n_measures: int | None = None) -> Score:
        """The piece; its first measures only, if said."""
        return restore_score(self.tables, self.piece, n_measures)

    def kinds(self) -> list[frozenset[str]]:
        """The kinds of each measure that follow from where it stands."""
        stored = self._stored()
        return [_kinds(stored, index) for index in range(len(stored))]

    def _stored(self) -> list[StoredMeasure]:
        return self.tables.read_measures(self.piece, 0, int(self.tables.pieces["n_measures"][self.piece]))


@dataclass(frozen=True)
class Task:
    """One measure to predict.

    Attributes:
        source: the part of a piece that it is of.
        score: the piece, with this measure and perhaps some more.
        measure: its index.
        history: what the part plays in the measures before.
        truth: what it plays.
        kinds: what kinds of measure it is; see the module.
    """

    source: PartOfPiece
    score: Score
    measure: int
    history: Sequence[Content]
    truth: Content
    kinds: frozenset[str]

    @property
    def part(self) -> int:
        """Which part is predicted."""
        return self.source.part


def content_of(measure: EncodedMeasure, part: int) -> Content:
    """What a part plays in a measure."""
    return tuple(sorted(((each.staff, each.number), each.ids) for each in measure.segments if each.part == part))


def parts_of(dataset: Dataset, split: str, genre: str) -> list[PartOfPiece]:
    """Every part of every piece of a genre, in a fixed order.

    Raises:
        ValueError: there is no such genre.
    """
    if genre not in GENRES:
        raise ValueError(f"unknown genre '{genre}': choose among {', '.join(GENRES)}.")
    named = {(piece["corpus"], piece["index"]): piece for piece in dataset.pieces(split)}
    return [
        PartOfPiece(tables, piece, part, named[corpus, piece]["cluster"], named[corpus, piece]["id"])
        for corpus, tables in dataset.tables(split).items()
        for piece in np.flatnonzero(tables.pieces["genre"] == GENRES.index(genre)).tolist()
        for part in range(int(tables.pieces["n_parts"][piece]))
    ]


def tasks(dataset: Dataset, split: str, genre: str, limit: int | None, seed: int) -> Iterator[Task]:
    """The measures to predict, piece by piece, part by part; with a limit from many pieces, in an order of chance.

    Raises:
        ValueError: there is no such genre.
    """
    parts = parts_of(dataset, split, genre)
    random = np.random.default_rng(seed)
    if limit is not None:
        random.shuffle(parts)
    left = limit
    for source in parts:
        measures, kinds = source.contents(), source.kinds()
        first, last = FIRST_MEASURE, len(measures)
        if limit is not None and last - first > MEASURES_A_PART:
            first = int(random.integers(first, last - MEASURES_A_PART + 1))
            last = first + MEASURES_A_PART
        score = source.score(last)
        for index in range(first, last):
            if not notes_of(dict(measures[index])):
                continue
            if left == 0:
                return
            left = None if left is None else left - 1
            history, truth = measures[:index], measures[index]
            heard = "repeated" if truth in history else "novel"
            yield Task(source, score, index, history, truth, kinds[index] | {heard})


def solos(dataset: Dataset, split: str, genre: str, seed: int) -> list[PartOfPiece]:
    """Pieces of one part, in an order of chance.

    Raises:
        ValueError: there is no such genre.
    """
    parts = [part for part in parts_of(dataset, split, genre) if part.n_parts == 1]
    np.random.default_rng(seed).shuffle(parts)
    return parts


def tunes(dataset: Dataset, split: str, genre: str, least: int, limit: int | None, seed: int) -> list[PartOfPiece]:
    """Pieces of one part and one voice with at least so many measures, in an order of chance, at most `limit`.

    Raises:
        ValueError: there is no such genre.
    """
    found: list[PartOfPiece] = []
    for part in solos(dataset, split, genre, seed):
        if len(found) == limit:
            break
        contents = part.contents()
        if len(contents) >= least and all(voice == (1, 1) for content in contents for voice, _ in content):
            found.append(part)
    return found


def site_of(task: Task, *, others: bool = True) -> CompletionSite:
    """The site of a measure that is not written yet.

    Args:
        task: which measure.
        others: whether the other parts have it already.
    """
    truth = task.score.parts[task.part].measures[task.measure]
    parts = tuple(
        replace(part, measures=part.measures[: task.measure + (others and index != task.part)])
        for index, part in enumerate(task.score.parts)
    )
    voices = {(voice.staff, voice.number) for measure in parts[task.part].measures for voice in measure.voices}
    return CompletionSite(
        language="musicxml" if len(voices) > 1 else "abc",
        offset=0,
        score=replace(task.score, parts=parts),
        part=task.part,
        measure=task.measure,
        time=truth.time,
        key=truth.key,
        remaining=truth.time.duration,
        whole_part=len(voices) > 1,
    )


def _kinds(stored: Sequence[StoredMeasure], index: int) -> frozenset[str]:
    encoded = stored[index].encoded
    checks: Mapping[str, bool] = {
        "first of section": index == 0 or ends_section(stored[index - 1]) or v.REPEAT_START in encoded.head,
        "last of section": ends_section(stored[index]),
        "pickup": TOKEN_IDS["m:0"] in encoded.head,
        "odd metre": v.TOKENS[encoded.metre_and_key[0]].removeprefix("time:").split("/")[0] not in _EVEN_BEATS,
    }
    return frozenset(name for name, holds in checks.items() if holds)
