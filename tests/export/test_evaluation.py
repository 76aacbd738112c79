"""Predictors are scored on the very same measures, and a model sees nothing of what it predicts."""

import json

import pytest
import typer
from typer.testing import CliRunner

from export import cli, evaluation
from export.evaluation import ModelPredictor, contents, evaluate, site_of, tasks
from inference.bundle import load_bundle
from inference.engine import Engine
from tests.support.bundles import music_bundle
from training.dataset.build import Dataset, build

FOLK = "X:1\nM:4/4\nL:1/4\nR:reel\nK:G\nGABc|dBGB|GABc|dedB|GABc|dBGB|GABc|d2 G2|ABcd|G4|]\n"
QUARTET = """X:1
M:4/4
L:1/4
V:1
V:2
V:3
V:4 clef=bass
K:G
[V:1]GABc|dBGB|GABc|dBGB|cAFA|G4|GABc|z4|]
[V:2]D4|D4|D4|D4|E2D2|D4|D4|D4|]
[V:3]B,4|B,4|B,4|B,4|C2A,2|B,4|B,4|B,4|]
[V:4]G,,4|G,,4|G,,4|G,,4|C,2D,2|G,,4|G,,4|G,,4|]
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two folk tunes and a hymn; they are few, so all of them are looked for in the split that got them."""
    root = tmp_path_factory.mktemp("scores")
    for name, text in (("folk/one", FOLK), ("hymn/one", QUARTET)):
        path = root / f"{name}.abc"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    out = tmp_path_factory.mktemp("dataset")
    build(out, {"folder": root})
    return Dataset.open(out)


def split_of(dataset, genre):
    return next(split for split in ("train", "valid", "test") for p in dataset.pieces(split) if p["genre"] == genre)


@pytest.fixture(scope="module")
def model():
    return ModelPredictor(Engine(load_bundle(music_bundle())))


def all_tasks(dataset, genre, **changes):
    return list(tasks(dataset, split_of(dataset, genre), genre, **{"limit": None, "seed": 0} | changes))


def test_measures_from_the_sixth_on_are_predicted_in_order(dataset):
    found = all_tasks(dataset, "folk")
    assert [task.measure for task in found] == [5, 6, 7, 8, 9]
    assert [len(task.history) for task in found] == [5, 6, 7, 8, 9]
    assert [task.is_repeated for task in found] == [True, True, False, False, False]


def test_every_part_is_predicted_where_it_has_notes(dataset):
    places = [(task.part, task.measure) for task in all_tasks(dataset, "hymn")]
    assert places == [(0, 5), (0, 6), *((part, measure) for part in (1, 2, 3) for measure in (5, 6, 7))]


def test_a_limit_draws_the_same_measures_every_time(dataset):
    drawn = [[(task.part, task.measure) for task in all_tasks(dataset, "hymn", limit=5)] for _ in range(2)]
    assert len(drawn[0]) == 5
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("genre", ["folk", "hymn"])
def test_the_model_sees_what_came_before_and_the_other_parts_beside_it(dataset, genre):
    for task in all_tasks(dataset, genre):
        site = site_of(task)
        lengths = [len(part.measures) for part in site.score.parts]
        assert lengths[task.part] == task.measure
        assert all(length == task.measure + 1 for index, length in enumerate(lengths) if index != task.part)


def test_a_predictor_that_knows_the_truth_is_perfect(dataset):
    for genre in ("folk", "hymn"):
        results = evaluate(dataset, {"oracle": lambda task: task.truth}, split=split_of(dataset, genre), genre=genre)
        figures = results["oracle"].figures()
        assert figures["all"]["exact"] == figures["all"]["f1"] == 1
        assert len({result.all.n for result in results.values()}) == 1


def test_rules_and_kinds_of_measures(dataset):
    results = evaluate(dataset, {}, split=split_of(dataset, "folk"), genre="folk")
    assert results["four back"].all.n_exact == 2  # of dBGB and GABc
    assert results["four back"].novel.n_exact == 0
    assert results["four back"].repeated.n == 2
    assert results["previous"].all.n_exact == 0


def test_a_model_is_scored_as_the_server_runs_it(dataset, model):
    for genre in ("folk", "hymn"):
        result = evaluate(dataset, {"model": model}, split=split_of(dataset, genre), genre=genre)["model"]
        assert result.all.n > 0
        assert 0 <= result.all.figures()["f1"] <= 1
        assert result.seconds > 0


def test_predictions_are_the_same_every_time(dataset, model):
    task = all_tasks(dataset, "folk")[0]
    assert model(task) == model(task)


def test_a_task_is_about_one_part(dataset, model):
    tables = next(each for each in dataset.tables(split_of(dataset, "hymn")).values())
    piece = next(p["index"] for p in dataset.pieces(split_of(dataset, "hymn")) if p["genre"] == "hymn")
    for task in all_tasks(dataset, "hymn"):
        whole = contents(tables, piece, task.part)
        assert [*task.history, task.truth] == whole[: task.measure + 1]
        assert [voice for voice, _ in task.truth] == [(1, 1)]
        assert all(voice == (1, 1) for voice, _ in model(task))


@pytest.mark.parametrize(
    ("genre", "message"), [("polka", "unknown genre 'polka'"), ("organ", "no measure of genre 'organ'")]
)
def test_nothing_to_predict_is_an_error(dataset, genre, message):
    with pytest.raises(ValueError, match=message):
        evaluate(dataset, {}, genre=genre)


@pytest.fixture
def program():
    app = typer.Typer()
    app.command()(cli.evaluate)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_line_writes_the_figures(dataset, program, tmp_path):
    out = tmp_path / "figures.json"
    arguments = ("--data", dataset.folder, "--split", split_of(dataset, "folk"), "--out", out)
    done = program(*arguments, "--bundle", music_bundle())
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["genres"]["folk"]["four back"]["all"]["n"] == 5
    assert set(evaluation.baselines(dataset, "folk")) < set(report["genres"]["folk"])


def test_the_command_line_refuses_what_is_not_there(dataset, program, tmp_path):
    assert program("--data", tmp_path).exit_code == 1
    assert program("--data", dataset.folder, "--bundle", tmp_path).exit_code == 1
