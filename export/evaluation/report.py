"""A whole evaluation: which tests, on which genres, and what came of them as plain data.

A report is what JSON holds:

    {"split", "limit", "seed", "model", "tests": {TEST: {GENRE: {PREDICTOR: {KIND: {FIGURE: {value, low, high, n,
    n_clusters}}}}}}}

`low` and `high` are null where a figure has no interval. With a limit, tests that take longer get fewer pieces: see
`SHARES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Any, Final

from export.evaluation.continuation import evaluate_continuations
from export.evaluation.documents import copying_suggester, keystrokes, model_suggester
from export.evaluation.infill import Filler, evaluate_infill, fill_with_model
from export.evaluation.next_measure import NothingToPredictError, evaluate
from export.evaluation.predictors import ModelPredictor, Predictor
from export.evaluation.results import Figure, Result
from export.evaluation.tasks import FIRST_MEASURE, tunes
from inference.completion import Completer
from inference.engine import Engine
from notation.language import language
from training.dataset.build import Dataset

STRATA: Final = ("folk", "lead", "hymn", "quartet", "lied", "keyboard")
TESTS: Final = ("next measure", "infill", "keystrokes", "continuation")
SHARES: Final = {"next measure": 1.0, "infill": 0.5, "keystrokes": 0.1, "continuation": 0.3}
"""Pieces of a test (of `next measure`: measures) for each measure of the limit."""

Figures = dict[str, dict[str, dict[str, Figure]]]
"""By predictor, kind and name."""
Progress = Callable[[str, str, int, int | None], None]
"""(test, genre, done, in all or None)."""


@dataclass(frozen=True)
class Plan:
    """What is to be evaluated.

    Attributes:
        dataset: where the pieces are.
        model: its name and the engine that runs it; None scores the baselines alone.
        tests: of `TESTS`.
        genres: of the vocabulary's `GENRES`.
        split: one of `training.dataset.clusters.SPLITS`.
        limit: measures of each genre; None takes all, of every test.
        seed: of all that is drawn.
        threads: of the model that is loaded once more for `keystrokes`, which has states of its own.
    """

    dataset: Dataset
    model: tuple[str, Engine] | None
    tests: Sequence[str] = TESTS
    genres: Sequence[str] = STRATA
    split: str = "test"
    limit: int | None = None
    seed: int = 0
    threads: int = 1

    @cached_property
    def completer(self) -> Completer:
        """The model as the server calls it."""
        assert self.model is not None
        return Completer(self.model[1].bundle, threads=self.threads)

    def limit_of(self, test: str) -> int | None:
        """How many measures or pieces a test takes."""
        return None if self.limit is None else max(1, round(SHARES[test] * self.limit))


def run(plan: Plan, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Evaluate; a test has no entry for a genre without music fit for it.

    Raises:
        ValueError: a test or genre is unknown, or there is nothing to predict at all.
    """
    unknown = sorted(set(plan.tests) - set(TESTS))
    if unknown:
        raise ValueError(f"unknown test '{unknown[0]}': choose among {', '.join(TESTS)}.")
    runners = {
        "next measure": _next_measure,
        "infill": _infill,
        "keystrokes": _keystrokes,
        "continuation": _continuation,
    }
    tests: dict[str, Any] = {}
    for genre in plan.genres:  # one after another: what the baselines have learned of a genre is kept for its tests
        for test in plan.tests:
            limit = plan.limit_of(test)
            figures = runners[test](plan, genre, partial(_tell, progress, test, genre, limit))
            if figures:
                tests.setdefault(test, {})[genre] = _plain(figures)
    if not tests:
        raise ValueError(
            f"nothing of genre {', '.join(plan.genres)} to predict in split '{plan.split}' of '{plan.dataset.folder}'."
        )
    about = {"split": plan.split, "limit": plan.limit, "seed": plan.seed, "model": plan.model and plan.model[0]}
    return {**about, "tests": tests}


def _tell(progress: Progress, test: str, genre: str, limit: int | None, done: int) -> None:
    progress(test, genre, done, limit)


def _plain(figures: Figures) -> dict[str, Any]:
    return {
        predictor: {kind: {name: asdict(one) for name, one in named.items()} for kind, named in kinds.items()}
        for predictor, kinds in figures.items()
    }


def _by_kind(results: Mapping[str, Result]) -> Figures:
    return {name: result.by_kind() for name, result in results.items()}


def _next_measure(plan: Plan, genre: str, progress: Callable[[int], None]) -> Figures:
    predictors: dict[str, Predictor] = {}
    if plan.model is not None:
        name, engine = plan.model
        predictors[name] = ModelPredictor(engine)
        if genre in ("hymn", "quartet", "lied"):
            predictors[f"{name}, other parts hidden"] = ModelPredictor(engine, others=False)
    limit = plan.limit_of("next measure")
    try:
        results = evaluate(
            plan.dataset, predictors, split=plan.split, genre=genre, limit=limit, seed=plan.seed, progress=progress
        )
    except NothingToPredictError:
        return {}
    return _by_kind(results)


def _infill(plan: Plan, genre: str, progress: Callable[[int], None]) -> Figures:
    fillers: dict[str, Filler] = {} if plan.model is None else {plan.model[0]: fill_with_model(plan.model[1])}
    limit = plan.limit_of("infill")
    results = evaluate_infill(
        plan.dataset, fillers, split=plan.split, genre=genre, limit=limit, seed=plan.seed, progress=progress
    )
    return _by_kind(results)


def _continuation(plan: Plan, genre: str, progress: Callable[[int], None]) -> Figures:
    fillers: dict[str, Filler] = {}
    if plan.model is not None:
        name, engine = plan.model
        fillers = {name: fill_with_model(engine), f"{name}, drawn": fill_with_model(engine, 1, plan.seed)}
    limit = plan.limit_of("continuation")
    found = evaluate_continuations(
        plan.dataset, fillers, split=plan.split, genre=genre, limit=limit, seed=plan.seed, progress=progress
    )
    return {name: {"all": figures} for name, figures in found.items()}


def _keystrokes(plan: Plan, genre: str, progress: Callable[[int], None]) -> Figures:
    suggesters = {"copying from the tune": copying_suggester()}
    if plan.model is not None:
        suggesters[plan.model[0]] = model_suggester(plan.completer)
    results = {name: Result() for name in suggesters}
    limit = plan.limit_of("keystrokes")
    found = tunes(plan.dataset, plan.split, genre, FIRST_MEASURE, limit, plan.seed)
    for done, tune in enumerate(found, start=1):
        text = language("abc").print([tune.score()])
        for name, suggest in suggesters.items():
            keys, characters = keystrokes(text, suggest)
            results[name].add(tune.cluster, (), {"saved": (characters - keys, characters)})
        progress(done)
    return _by_kind(results) if found else {}


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a report that a model card states: of the model and of the strongest rule, over all measures.

    Args:
        report: as `run` makes it, perhaps with what `benchmarks/copying.py` adds.

    Returns:
        By test and genre a list of {"predictor", "measures", "figures"}, the model first.
    """
    model = report["model"]
    found: dict[str, Any] = {"split": report["split"], "seed": report["seed"], "tests": {}}
    for test, genres in report["tests"].items():
        for genre, predictors in genres.items():
            rows = [
                {"predictor": name, "kind": kind, "figures": predictors[name][kind]}
                for name in _for_the_card(test, predictors, model)
                for kind in ("all", "novel")
                if kind in predictors[name]
            ]
            found["tests"].setdefault(test, {})[genre] = rows
    if "copying" in report:
        found["copying"] = report["copying"]
    return found


def _for_the_card(test: str, predictors: Mapping[str, Any], model: str | None) -> list[str]:
    """The model's own rows, and the strongest of the others by the test's first figure."""
    own = [name for name in predictors if model is not None and name.startswith(model)]
    others = [name for name in predictors if name not in own and name != "real"]
    if not others or test == "continuation":
        return [*own, *(["real"] if "real" in predictors else [])]
    first = next(iter(predictors[others[0]]["all"]))
    return [*own, max(others, key=lambda name: float(predictors[name]["all"][first]["value"]))]
