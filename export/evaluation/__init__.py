"""How good is a model, beside simple rules on the same music?

`tasks` draws the measures to predict, `predictors` predict them, `reading` asks what they think of what really came,
`results` sums up. Beyond the next measure there are `documents` (validity, keystrokes saved), `infill` and
`continuation`. `report` runs it all; `show` makes tables and plots of it, `listening` a sheet for the ear.

A prediction is exact if its notes are: each with its onset, spelled pitch and duration. Top-5: one of five candidates
is. F1 is a measure's, averaged over measures: of (onset, pitch) for folk tunes, of (onset, pitch, duration) elsewhere.
"""

from __future__ import annotations

from export.evaluation.next_measure import evaluate
from export.evaluation.predictors import ModelPredictor, Predictor, load_engine
from export.evaluation.results import Figure, Result
from export.evaluation.tasks import Task, site_of, tasks

__all__ = ["Figure", "ModelPredictor", "Predictor", "Result", "Task", "evaluate", "load_engine", "site_of", "tasks"]
