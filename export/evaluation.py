"""How often is the next measure predicted, by a model and by simple rules?

The task: a measure of one part, from all measures before it and, in music of several parts, from what the others play
beside it. Measures from the sixth of a piece on count, if they have notes. The model works as it does in an editor:
through the prompt, the grammar and the decode loop, taking the likeliest choice each time.

A prediction is exact if its notes are: each with its onset, spelled pitch and duration. F1 is a measure's, averaged
over measures: of (onset, pitch) for folk tunes, of (onset, pitch, duration) elsewhere. A measure is *repeated* if the
same part has played it before in the piece, else *novel*: no rule that copies from the piece can have a novel one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np

from export.bundle import export_bundle
from inference.bundle import load_bundle
from inference.completion import GENERATED_TOKENS
from inference.decode import next_measures
from inference.engine import Engine
from notation.score import Measure, Score
from notation.site import CompletionSite
from notation.tokens.prompt import make_prompt
from notation.tokens.vocabulary import GENRES, VOCABULARY_HASH
from training.dataset.build import Dataset
from training.dataset.restore import restore_score
from training.dataset.tables import Tables
from training.metrics.baselines import Rule, SuffixMatch, measure_back
from training.metrics.notes import f1, notes_of
from training.models.checkpoint import load_checkpoint

FIRST_MEASURE = 5
"""The first measure that is predicted, counted from 0."""
_MEASURES_A_PART = 24
"""With a limit, so many measures in a row of one part, so that the sample is of many pieces."""
_N_PARTS_LEARNED = 4000
"""Training parts that the suffix rules learn, at most."""

Content: TypeAlias = tuple[tuple[tuple[int, int], tuple[int, ...]], ...]
"""What a part plays in a measure: ((staff, number), tokens) of each voice, sorted."""

Predictor = Callable[["Task"], Content]


@dataclass(frozen=True)
class Task:
    """One measure to predict.

    Attributes:
        score: the piece, with this measure and perhaps some more.
        part, measure: which measure of which part.
        history: what the part plays in the measures before.
        truth: what it plays.
    """

    score: Score
    part: int
    measure: int
    history: Sequence[Content]
    truth: Content

    @property
    def is_repeated(self) -> bool:
        """Whether the part has played it before."""
        return self.truth in self.history


@dataclass
class Tally:
    """Sums over measures."""

    n: int = 0
    n_exact: int = 0
    f1: float = 0.0

    def add(self, exact: bool, score: float) -> None:
        """Count a measure."""
        self.n += 1
        self.n_exact += exact
        self.f1 += score

    def figures(self) -> dict[str, float]:
        """Shares and means, 0 to 1."""
        return {"n": self.n, "exact": self.n_exact / max(1, self.n), "f1": self.f1 / max(1, self.n)}


@dataclass
class Result:
    """What one predictor reached: over all measures, and over the repeated and the novel ones."""

    all: Tally = field(default_factory=Tally)
    repeated: Tally = field(default_factory=Tally)
    novel: Tally = field(default_factory=Tally)
    seconds: float = 0.0

    def figures(self) -> dict[str, Any]:
        """As plain numbers."""
        kinds = {name: getattr(self, name).figures() for name in ("all", "repeated", "novel")}
        return {**kinds, "ms_per_measure": 1000 * self.seconds / max(1, self.all.n)}


def evaluate(
    dataset: Dataset,
    predictors: Mapping[str, Predictor],
    *,
    split: str = "test",
    genre: str = "folk",
    limit: int | None = None,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Result]:
    """Score predictors on the very same measures.

    Args:
        dataset: where the pieces are.
        predictors: by name; the rules of `baselines` are scored beside them.
        split: `train`, `valid` or `test`.
        genre: one of `GENRES`.
        limit: most measures, drawn by `seed`; None takes all.
        progress: told after each measure how many are done.

    Raises:
        ValueError: there is nothing to predict.
    """
    if genre not in GENRES:
        raise ValueError(f"unknown genre '{genre}': choose among {', '.join(GENRES)}.")
    chosen = {**baselines(dataset, genre), **predictors}
    results = {name: Result() for name in chosen}
    for done, task in enumerate(tasks(dataset, split, genre, limit, seed), start=1):
        for name, predict in chosen.items():
            started = time.perf_counter()
            predicted = predict(task)
            results[name].seconds += time.perf_counter() - started
            _count(results[name], task, predicted, durations=genre != "folk")
        progress(done)
    if not any(result.all.n for result in results.values()):
        raise ValueError(f"no measure of genre '{genre}' to predict in split '{split}' of '{dataset.folder}'.")
    return results


def _count(result: Result, task: Task, predicted: Content, *, durations: bool) -> None:
    exact = notes_of(dict(predicted)) == notes_of(dict(task.truth))
    score = f1(notes_of(dict(predicted), durations=durations), notes_of(dict(task.truth), durations=durations))
    for tally in (result.all, result.repeated if task.is_repeated else result.novel):
        tally.add(exact, score)


def tasks(dataset: Dataset, split: str, genre: str, limit: int | None, seed: int) -> Iterator[Task]:
    """The measures to predict, piece by piece, part by part; with a limit from many pieces, in an order of chance."""
    parts = _parts(dataset.tables(split).values(), genre)
    random = np.random.default_rng(seed)
    if limit is not None:
        random.shuffle(parts)
    left = limit
    for tables, piece, part in parts:
        measures = contents(tables, piece, part)
        first, last = FIRST_MEASURE, len(measures)
        if limit is not None and last - first > _MEASURES_A_PART:
            first = int(random.integers(first, last - _MEASURES_A_PART + 1))
            last = first + _MEASURES_A_PART
        score = restore_score(tables, piece, last)
        for index in range(first, last):
            if not notes_of(dict(measures[index])):
                continue
            if left == 0:
                return
            left = None if left is None else left - 1
            yield Task(score, part, index, measures[:index], measures[index])


def _parts(table_sets: Any, genre: str) -> list[tuple[Tables, int, int]]:
    """Every part of every piece of a genre."""
    return [
        (tables, int(piece), part)
        for tables in table_sets
        for piece in np.flatnonzero(tables.pieces["genre"] == GENRES.index(genre))
        for part in range(int(tables.pieces["n_parts"][piece]))
    ]


def contents(tables: Tables, piece: int, part: int) -> list[Content]:
    """What a part plays, measure by measure."""
    n_measures = int(tables.pieces["n_measures"][piece])
    return [
        tuple(sorted(((each.staff, each.number), each.ids) for each in stored.encoded.segments if each.part == part))
        for stored in tables.read_measures(piece, 0, n_measures)
    ]


def baselines(dataset: Dataset, genre: str) -> dict[str, Predictor]:
    """The rules, the suffix rules having learned the training pieces of the genre."""
    parts = _parts(dataset.tables("train").values(), genre)
    np.random.default_rng(0).shuffle(parts)
    learned = [contents(*each) for each in parts[:_N_PARTS_LEARNED]]
    rules: dict[str, Rule[Content]] = {
        "previous": measure_back(1),
        "four back": measure_back(4),
        "suffix, else 8 back": SuffixMatch(learned),
        "suffix, else 4 back": SuffixMatch(learned, least=2, fallback=4),
    }
    return {name: _on_history(rule) for name, rule in rules.items()}


def _on_history(rule: Rule[Content]) -> Predictor:
    return lambda task: rule(task.history)


class ModelPredictor:
    """Predicts with a model, as the server does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, task: Task) -> Content:
        """The model's likeliest measure; nothing if it has none."""
        prompt = make_prompt(site_of(task), self._engine.max_length - GENERATED_TOKENS)
        candidates = next_measures(self._engine, prompt) if prompt is not None else []
        if not candidates:
            return ()
        voices = candidates[0].measures[0].voices
        return tuple(
            sorted(((staff, number), ids) for (part, staff, number), ids in voices.items() if part == task.part)
        )


def site_of(task: Task) -> CompletionSite:
    """The site of a measure that is not written yet, though the other parts have it."""
    measures = task.score.parts[task.part].measures
    parts = tuple(
        replace(part, measures=part.measures[: task.measure + (index != task.part)])
        for index, part in enumerate(task.score.parts)
    )
    truth: Measure = measures[task.measure]
    voices = {(voice.staff, voice.number) for measure in measures[: task.measure] for voice in measure.voices}
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


def as_table(results: Mapping[str, Result]) -> list[list[str]]:
    """Rows for people: predictor, measures, then exact and F1 over all, repeated and novel measures."""
    rows = []
    for name, result in results.items():
        kinds = (result.all, result.repeated, result.novel)
        figures = [text for tally in kinds for text in (_percent(tally), f"{tally.figures()['f1']:.3f}")]
        rows.append([name, str(result.all.n), *figures])
    return rows


def _percent(tally: Tally) -> str:
    return f"{tally.figures()['exact']:.1%}"


def model_predictors(bundle: Path | None, checkpoint: Path | None, threads: int = 1) -> dict[str, Predictor]:
    """The model of a bundle or, if there is none, of a checkpoint; empty if there is neither.

    Raises:
        OSError, ValueError: it cannot be read.
        BundleError, ProviderError: it cannot be run.
    """
    if bundle is not None:
        loaded = load_bundle(bundle, expected_vocabulary_hash=VOCABULARY_HASH)
        return {loaded.manifest.name: ModelPredictor(Engine(loaded, threads=threads))}
    if checkpoint is None:
        return {}
    with TemporaryDirectory() as folder:
        exported = Path(folder) / "model"
        export_bundle(load_checkpoint(checkpoint), exported, precision="fp32")
        loaded = load_bundle(exported, expected_vocabulary_hash=VOCABULARY_HASH)
        return {"model": ModelPredictor(Engine(loaded, threads=threads))}
