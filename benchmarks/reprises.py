"""How likely does an earlier measure come again?

Where a voice begins a measure and nothing stands beside it, what the model says of earlier measures is weighed with how
much of what stands before the cursor stood before them (`inference.choices`). This fits the weights on the validation
split: the logistic regression, over each measure's reprises and anything new, that makes what really came likeliest.

    python -m benchmarks.reprises DATASET --bundle ghostnote-6m

It prints them, with what they cost on clusters that they were not fitted on (five folds), beside the model's own say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from torch import Tensor

from export.evaluation.predictors import ModelPredictor, load_engine
from export.evaluation.tasks import tasks
from inference.choices import LEAST_SAID, said_by_model
from notation.tokens.vocabulary import GENRES
from training.dataset.build import Dataset

NAMES = ("REPRISE", "ALIKE", "SEEN", "SAID", "SAID_ALIKE", "NEW")
FOLDS = 5
DECAY = 2e-3
"""Weight of the squared parameters beside the mean cost of a measure, in nats."""


@dataclass(frozen=True)
class Measures:
    """What was known before each of M measures, of at most R reprises and of anything new, which stands first.

    Attributes:
        features: (M, 1 + R, parameters).
        absent: (M, 1 + R), 0 where there is such a reprise, minus infinity where there is none.
        came: (M,), which of them came.
        said: (M,), what the model's own say cost.
        clusters: of each measure.
    """

    features: Tensor
    absent: Tensor
    came: Tensor
    said: Tensor
    clusters: list[str]


def rows(dataset: Dataset, predictor: ModelPredictor) -> Iterator[tuple[str, Tensor, int, float]]:
    """Of each measure its cluster, features (1 + R, parameters), which came, and what the model's own say cost."""
    for genre in GENRES:
        for task in tasks(dataset, "valid", genre, None, 0):
            prompt = predictor.prompt(task) if task.source.n_parts == 1 else None
            if prompt is None or prompt.grammar.heads or not (reprises := prompt.grammar.reprises()):
                continue
            new, said = said_by_model(predictor.engine.prefill(prompt.ids), prompt.grammar)
            features = [[0.0, 0.0, 0.0, 0.0, 0.0, new]]
            for one in reprises:
                alike = math.log1p(one.n_alike)
                seen = float(one.ids in said)
                score = max(said.get(one.ids, 0.0), LEAST_SAID)
                features.append([1.0, alike, seen, score, alike * score, 0.0])
            truth = dict(task.truth).get((1, 1), ())
            came = next((place for place, one in enumerate(reprises, start=1) if one.ids == truth), 0)
            cost = -said.get(truth, LEAST_SAID) if came else -new
            yield task.source.cluster, torch.tensor(features), came, cost


def gather(dataset: Dataset, predictor: ModelPredictor, console: Console) -> Measures:
    """All of the validation split."""
    found = list(track(rows(dataset, predictor), "reading measures", console=console))
    if not found:
        raise typer.BadParameter("the validation split has no measure that could be a reprise")
    most = max(len(features) for _, features, _, _ in found)
    features = torch.zeros(len(found), most, len(NAMES))
    absent = torch.full((len(found), most), -math.inf)
    for index, (_, one, _, _) in enumerate(found):
        features[index, : len(one)] = one
        absent[index, : len(one)] = 0
    came = torch.tensor([each for _, _, each, _ in found])
    said = torch.tensor([cost for *_, cost in found])
    return Measures(features, absent, came, said, [cluster for cluster, *_ in found])


def costs(measures: Measures, weights: Tensor) -> Tensor:
    """The cost of each measure in nats, (M,)."""
    scores = measures.features @ weights + measures.absent
    return torch.nn.functional.cross_entropy(scores, measures.came, reduction="none")


def fit(measures: Measures, chosen: Tensor) -> Tensor:
    """The weights that make what came likeliest in the chosen measures."""
    weights = torch.zeros(len(NAMES), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = costs(measures, weights)[chosen].mean() + DECAY * weights.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weights.detach()


def held_out(measures: Measures) -> float:
    """The mean cost of measures whose clusters the weights were not fitted on, in nats."""
    clusters = sorted(set(measures.clusters))
    np.random.default_rng(0).shuffle(clusters)
    fold_of = {cluster: index % FOLDS for index, cluster in enumerate(clusters)}
    folds = torch.tensor([fold_of[cluster] for cluster in measures.clusters])
    found = [costs(measures, fit(measures, folds != fold))[folds == fold] for fold in range(FOLDS)]
    return float(torch.cat(found).mean())


def main(
    dataset: Annotated[Path, typer.Argument(help="A dataset, made by `corpus build`.")],
    bundle: Annotated[str, typer.Option(help="Of the model.")] = "ghostnote-6m",
) -> None:
    """Fit the weights."""
    console = Console(stderr=True)
    loaded = load_engine(bundle)
    assert loaded is not None
    measures = gather(Dataset.open(dataset), ModelPredictor(loaded[1]), console)
    weights = fit(measures, torch.ones(len(measures.came), dtype=torch.bool))
    print(", ".join(f"{name} = {float(weight):.3f}" for name, weight in zip(NAMES, weights, strict=True)))
    print(
        f"{len(measures.came)} measures, {float((measures.came > 0).float().mean()):.1%} of them reprises; "
        f"{held_out(measures):.3f} nats a measure on others, by the model alone {float(measures.said.mean()):.3f}"
    )


if __name__ == "__main__":
    typer.run(main)
