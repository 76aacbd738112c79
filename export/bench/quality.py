"""How good is the model whose speed was measured? So that a fast bad model shows.

The figures are those of `export.evaluation`: how often the next measure is predicted on held-out pieces, by the model
and by the best simple rule on the same measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from export.bench.rows import Measurement, summarise

if TYPE_CHECKING:
    from export.evaluation import Result

MEASURES_A_GENRE = 300
_MODEL = "model"


def measure_quality(bundle: Path, dataset: Path, provider: str, threads: int) -> list[Measurement]:
    """Exact measures and F1 in each genre that the dataset's test split has.

    Args:
        bundle: its folder.
        dataset: a folder that `ghostnote corpus build` made.
        provider: what runs the model.
        threads: within an operator.

    Raises:
        ValueError: the dataset has nothing to predict.
        FileNotFoundError: there is no dataset.
        GhostnoteError: the model cannot be used.
        ImportError: the training extra is not installed.
    """
    from export.evaluation import ModelPredictor, evaluate, tasks
    from inference.bundle import load_bundle
    from inference.engine import Engine
    from notation.tokens.vocabulary import GENRES
    from training.dataset.build import Dataset

    opened = Dataset.open(dataset)
    predictor = ModelPredictor(Engine(load_bundle(bundle), provider, threads))
    present = {int(genre) for tables in opened.tables("test").values() for genre in tables.pieces["genre"]}
    figures: list[Measurement] = []
    for genre in (GENRES[index] for index in sorted(present)):
        if next(tasks(opened, "test", genre, limit=1, seed=0), None) is not None:
            figures += _figures(genre, evaluate(opened, {_MODEL: predictor}, genre=genre, limit=MEASURES_A_GENRE))
    if not figures:
        raise ValueError(f"the test split of {dataset} has nothing to predict: build it of more pieces.")
    return figures


def _figures(genre: str, results: Mapping[str, Result]) -> list[Measurement]:
    model = results[_MODEL]
    exact, best = max(
        ((result.value("exact"), name) for name, result in results.items() if name != _MODEL), default=(0.0, "")
    )
    n = len(model.rows)
    scope = f"other genres, and measures beyond {n} of the test split"
    figures = (
        ("exact measures", model.value("exact"), scope),
        ("F1", model.value("F1"), scope),
        ("exact measures of the best rule", exact, f"{scope}; the rule: {best}"),
    )
    return [
        replace(summarise(f"quality: {genre}, {name}", "%", [100 * share], better="higher", leaves_out=leaves_out), n=n)
        for name, share, leaves_out in figures
    ]
