"""How often is the next measure predicted?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from export.evaluation.predictors import Prediction, Predictor, baselines
from export.evaluation.results import Result
from export.evaluation.tasks import Task, tasks
from training.dataset.build import Dataset
from training.metrics.notes import f1, notes_of


class NothingToPredictError(ValueError):
    """A split has no measure of a genre that could be predicted."""


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
        predictors: by name; the rules and the n-gram model are scored beside them.
        split: one of `training.dataset.clusters.SPLITS`.
        genre: one of `GENRES`.
        limit: most measures, drawn by `seed`; None takes all.
        progress: told after each measure how many are done.

    Returns:
        By name: `exact`, `exact in 5` (of predictors with several candidates), `F1`, and what a predictor knows of
        itself; see `reading`.

    Raises:
        NothingToPredictError: there is nothing to predict.
        ValueError: there is no such genre.
    """
    chosen = {**baselines(dataset, genre), **predictors}
    results = {name: Result() for name in chosen}
    done = 0
    for done, task in enumerate(tasks(dataset, split, genre, limit, seed), start=1):
        for name, predict in chosen.items():
            ratios = _ratios(task, predict(task), durations=genre != "folk")
            results[name].add(task.source.cluster, task.kinds, ratios)
        progress(done)
    if not done:
        raise NothingToPredictError(
            f"no measure of genre '{genre}' to predict in split '{split}' of '{dataset.folder}'."
        )
    return results


def _ratios(task: Task, prediction: Prediction, *, durations: bool) -> dict[str, tuple[float, float]]:
    truth = notes_of(dict(task.truth))
    hits = [notes_of(dict(candidate)) == truth for candidate in prediction.candidates]
    first = dict(prediction.candidates[0]) if prediction.candidates else {}
    score = f1(notes_of(first, durations=durations), notes_of(dict(task.truth), durations=durations))
    ratios = {"exact": (float(any(hits[:1])), 1.0), "exact in 5": (float(any(hits)), 1.0), "F1": (score, 1.0)}
    return {**ratios, **prediction.ratios}
