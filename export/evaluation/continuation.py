"""Are longer continuations music of the same kind as what really follows?

Of tunes of one voice, `N_MEASURES` measures from the middle of the piece on are written from what is before them, and
compared with the real ones as `training.metrics.distributions` says. Whole is the share of measures that last what
their metre says (pickups and their complements do not). `real` is scored beside the predictors: its groove
and entropy are what theirs should be near; its overlaps are 1. The likeliest measures of a model are what an editor
shows; drawn ones (temperature 1) are what it knows.

Overlaps and divergences are of all continuations together and have no interval: drawing clusters again makes two
histograms less alike than they are, so it would lie beside the value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from export.evaluation.infill import Filler, Gap, fill_with_ngram, fill_with_rule, grammar_of
from export.evaluation.predictors import NGRAM, learn
from export.evaluation.results import Figure, Result
from export.evaluation.tasks import FIRST_MEASURE, Content, tunes
from notation.score import Event, KeySignature
from notation.tokens.decode import decode_segment
from notation.tokens.encode import tonic_position
from training.dataset.build import Dataset
from training.metrics.distributions import divergence, entropy, groove, onsets, overlap

N_MEASURES = 8
REAL = "real"

_C_MAJOR = KeySignature()
assert tonic_position(_C_MAJOR.fifths) % 7 == 0  # so that semitones above C are semitones above the tonic


@dataclass
class Continuations:
    """What one predictor wrote.

    Attributes:
        result: groove and entropy.
        pitch_classes, lengths: counted.
    """

    result: Result = field(default_factory=Result)
    pitch_classes: Counter[Fraction] = field(default_factory=Counter)
    lengths: Counter[Fraction] = field(default_factory=Counter)

    def add(self, gap: Gap, written: Sequence[Content]) -> None:
        """Count a continuation."""
        length = gap.measures[0].time.duration or Fraction(1)
        measures = [decode_segment(dict(each).get((1, 1), ()), _C_MAJOR, length=length) for each in written]
        notes = [event for measure in measures for event in measure if event.notes and not event.grace]
        classes = Counter(Fraction(note.pitch.midi % 12) for event in notes for note in event.notes)
        self.pitch_classes.update(classes)
        self.lengths.update(event.duration for event in notes)
        self.result.add(gap.source.cluster, (), _ratios(measures, classes, length))


def _ratios(
    measures: Sequence[Sequence[Event]], classes: Counter[Fraction], length: Fraction
) -> dict[str, tuple[float, float]]:
    return {
        "pitch-class entropy": (entropy(classes), 1.0),
        "groove": groove([onsets(measure, length) for measure in measures]),
        "whole": (float(sum(measure[-1].end == length for measure in measures if measure)), len(measures)),
    }


def continuation_gaps(
    dataset: Dataset, split: str, genre: str, limit: int | None, seed: int, n_measures: int = N_MEASURES
) -> list[Gap]:
    """Where continuations begin: the middle of each tune, with as many real measures after it."""
    found = []
    for source in tunes(dataset, split, genre, FIRST_MEASURE + n_measures, limit, seed):
        contents = source.contents()
        start = min(max(FIRST_MEASURE, len(contents) // 2), len(contents) - n_measures)
        found.append(Gap(source, source.score(), contents, start, n_measures, infilled=False))
    return found


def evaluate_continuations(
    dataset: Dataset,
    fillers: Mapping[str, Filler],
    *,
    split: str,
    genre: str,
    limit: int | None,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, dict[str, Figure]]:
    """The figures of each predictor, the rules and the n-gram model (drawn) beside; empty if no tune is long enough."""
    found = continuation_gaps(dataset, split, genre, limit, seed)
    if not found:
        return {}
    learned = learn(dataset, genre)
    random = np.random.default_rng(seed)
    chosen: dict[str, Filler] = {
        REAL: lambda gap: gap.truth,
        **{name: fill_with_rule(rule) for name, rule in learned.rules.items()},
        NGRAM: fill_with_ngram(learned.ngram),
        f"{NGRAM}, drawn": lambda gap: learned.ngram.write(gap.history, grammar_of(gap), gap.n, random),
        **fillers,
    }
    written = {name: Continuations() for name in chosen}
    for done, gap in enumerate(found, start=1):
        for name, fill in chosen.items():
            written[name].add(gap, fill(gap))
        progress(done)
    return {name: _figures(each, written[REAL]) for name, each in written.items()}


def _figures(predicted: Continuations, real: Continuations) -> dict[str, Figure]:
    figures = predicted.result.figures()
    n, n_clusters = len(real.result.rows), len({row.cluster for row in real.result.rows})
    for name, one, other in (
        ("pitch classes", real.pitch_classes, predicted.pitch_classes),
        ("note lengths", real.lengths, predicted.lengths),
    ):
        classes = sorted({*one, *other})
        counts = [np.array([each[value] for value in classes], np.float64) for each in (one, other)]
        for kind, compare in (("overlap", overlap), ("KL", divergence)):
            figures[f"{name}, {kind}"] = Figure(compare(*counts), None, None, n, n_clusters)
    return figures
