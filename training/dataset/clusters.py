"""Which pieces are near doubles, and which split does each belong to?

A model must not be tested on what it was trained on under another name. Two pieces are one cluster if

- they are of one `work`, or
- their titles name one tune: the same `title_key` and genre among folk tunes, hymns and lead sheets, where a title is a
  tune's name; elsewhere (`Kyrie`, `Mazurka`) it must have three words or more, and the composer be the same, or
- their melodies share a fifth of what is in either: the Jaccard index of their sets of interval 7-grams is 0.2 or more.

The melody is the top note of the first voice of the first part. Its 7-grams are of the semitones between neighbouring
notes, so they know neither key nor rhythm nor barlines; each is kept as a 48-bit hash. Of long melodies only the
smallest `SKETCH_SIZE` hashes are kept, from which the index is estimated without bias (bottom-k sketches, Cohen and
Kaplan 2007); for all folk tunes it is exact.

A whole cluster goes to one split, by a hash of its smallest piece id: 90 % train, 5 % valid, 5 % test. The same pieces
get the same splits on every machine, in whatever order they come.

The works of a few composers, `UNSEEN_COMPOSERS`, go to a fourth split, `unseen`, with all that is in a cluster with one
of them: what a model makes of a composer of whom it has seen nothing. They were named, not drawn, so that songs,
quartets, orchestra, choir and piano are all there, from the sixteenth to the twentieth century, for about 3 % of the
tokens. Folk tunes, hymns and lead sheets have no composer to go by, and a user's own folder has no unseen ones. Splits
of all other works are what they would be without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from itertools import pairwise
from typing import Any, Final

import numpy as np

from notation.score import Pitch, Score
from training.corpora.base import NOBODY, Piece, title_key

SPLITS: Final = ("train", "valid", "test", "unseen")
UNSEEN_COMPOSERS: Final = frozenset(
    {
        "beach amy",
        "dvorak antonin",
        "gomolka mikolaj",
        "pekiel bartlomiej",
        "stojowski zygmunt",
        "szymanowska maria",
        "wolf hugo",
        "zarebski juliusz",
        "zebrowski marcin",
    }
)
"""As `training.corpora.base.composer_key` writes them. Frozen: with others, figures on `unseen` mean something else."""

GRAM_LENGTH: Final = 7
SKETCH_SIZE: Final = 256
MIN_JACCARD: Final = 0.2

_TUNE_GENRES = ("folk", "hymn", "lead")
_MIN_WORDS = 3
"""Shorter titles name no work where titles are names of genres."""

_MIN_SHARED = 3
"""Fewer common 7-grams than this are chance, however short the melodies are."""

_TEST_SHARE = 0.05
_VALID_SHARE = 0.05


def describe(piece: Piece) -> list[int]:
    """What clustering knows of a piece's melody: the sorted sketch of its 7-grams, fit for JSON."""
    return sketch(melody(piece.score))


def melody(score: Score) -> list[int]:
    """The MIDI numbers of the first part's melody; a note that is tied on is counted once, grace notes are not."""
    line: list[int] = []
    held: Pitch | None = None
    for measure in score.parts[0].measures if score.parts else ():
        for event in measure.voices[0].events if measure.voices else ():
            if event.grace or not event.notes:
                continue
            top = event.notes[-1]
            if top.pitch != held:
                line.append(top.pitch.midi)
            held = top.pitch if top.tie else None
    return line


def sketch(line: Sequence[int]) -> list[int]:
    """The smallest hashes of the interval 7-grams of a melody, sorted; at most `SKETCH_SIZE`."""
    intervals = [(after - before) % 256 for before, after in pairwise(line)]
    grams = {bytes(intervals[i : i + GRAM_LENGTH]) for i in range(len(intervals) - GRAM_LENGTH + 1)}
    return sorted(int.from_bytes(blake2b(gram, digest_size=6).digest(), "big") for gram in grams)[:SKETCH_SIZE]


def jaccard(one: Sequence[int], other: Sequence[int]) -> float:
    """The Jaccard index of two sets of which sketches are given: exact if neither is full, else estimated."""
    union = sorted({*one, *other})
    if max(len(one), len(other)) >= SKETCH_SIZE:
        union = union[:SKETCH_SIZE]
    common = set(one).intersection(other, union)
    return len(common) / len(union) if union else 0.0


def assign_splits(pieces: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The (cluster, split) of every piece; a cluster is named by its smallest piece id.

    Args:
        pieces: each with `id`, `work`, `title`, `composer`, `composer_key`, `genre`, and the `description` that
            `describe` gives.
    """
    forest = _Forest(len(pieces))
    _join_named(forest, [piece["work"] for piece in pieces])
    _join_named(forest, [_tune(piece) for piece in pieces])
    sketches: list[list[int]] = [piece["description"] for piece in pieces]
    for one, other in _candidates(sketches):
        if forest.root(one) != forest.root(other) and jaccard(sketches[one], sketches[other]) >= MIN_JACCARD:
            forest.join(one, other)
    names: dict[int, str] = {}
    for index, piece in enumerate(pieces):
        root = forest.root(index)
        names[root] = min(names.get(root, piece["id"]), piece["id"])
    clusters = [names[forest.root(index)] for index in range(len(pieces))]
    unseen = {name for name, piece in zip(clusters, pieces, strict=True) if piece["composer_key"] in UNSEEN_COMPOSERS}
    return [(name, "unseen" if name in unseen else split_of(name)) for name in clusters]


def split_of(cluster: str) -> str:
    """The split of a cluster by its name, if it holds no unseen composer."""
    draw = int.from_bytes(sha256(cluster.encode()).digest()[:8], "big") / 2**64
    if draw < _TEST_SHARE:
        return "test"
    return "valid" if draw < _TEST_SHARE + _VALID_SHARE else "train"


class _Forest:
    """Union-find over the numbers below `size`."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, index: int) -> int:
        parents = self._parents
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        self._parents[second] = first


def _tune(piece: Mapping[str, Any]) -> str:
    """What a title names, with genre and, where needed, composer; empty if it names nothing."""
    title, composer = title_key(piece["title"]), title_key(piece["composer"])
    if not title:
        return ""
    if piece["genre"] in _TUNE_GENRES:
        return f"{piece['genre']}: {title}"
    is_vague = len(title.split()) < _MIN_WORDS or composer in NOBODY
    return "" if is_vague else f"{piece['genre']}: {title} by {composer}"


def _join_named(forest: _Forest, names: Iterable[str]) -> None:
    """Join what has the same name; empty names join nothing."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name:
            forest.join(first.setdefault(name, index), index)


def _candidates(sketches: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Pairs of pieces that may be near doubles, by an inverted index from 7-grams to pieces; none is missed."""
    lengths = np.array([len(hashes) for hashes in sketches], dtype=np.int64)
    flat = np.fromiter((one for hashes in sketches for one in hashes), dtype=np.int64, count=int(lengths.sum()))
    _, grams, counts = np.unique(flat, return_inverse=True, return_counts=True)
    owners = np.repeat(np.arange(len(sketches)), lengths)[np.argsort(grams, kind="stable")]
    buckets = np.split(owners, np.cumsum(counts)[:-1]) if len(flat) else []
    for index, own in enumerate(np.split(grams, np.cumsum(lengths)[:-1])):
        if len(own) == 0:
            continue
        shared = np.bincount(np.concatenate([buckets[gram] for gram in own]), minlength=len(sketches))
        needed = MIN_JACCARD * np.minimum(SKETCH_SIZE, lengths + lengths[index] - shared)
        near = np.flatnonzero((shared >= needed) & (shared >= _MIN_SHARED))
        yield from ((index, int(other)) for other in near if other > index)
