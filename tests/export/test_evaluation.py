"""Predictors are scored on the very same measures, and a model sees nothing of what it predicts."""

import json
import math
import shutil
from dataclasses import replace
from fractions import Fraction
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from export import cli
from export.card import model_card
from export.evaluation import ModelPredictor, Result, evaluate, site_of, tasks
from export.evaluation.continuation import evaluate_continuations
from export.evaluation.documents import copying_suggester, is_valid, keystrokes
from export.evaluation.infill import N_GAP, evaluate_infill, fill_with_model, gaps, write_with_model
from export.evaluation.listening import write_sheet
from export.evaluation.predictors import NGRAM, Prediction, baselines
from export.evaluation.reading import ModelReader, measure_nats
from export.evaluation.report import STRATA, Plan, run, summary
from export.evaluation.show import show
from export.evaluation.tasks import parts_of
from inference.bundle import load_bundle
from inference.completion import Completer
from inference.engine import Engine
from notation.score import KeySignature
from notation.tokens import vocabulary as v
from notation.tokens.decode import decode_segment
from tests.support.bundles import music_bundle
from training.dataset.build import Dataset, build

FOLK = "X:1\nM:4/4\nL:1/4\nR:reel\nK:G\nGABc|dBGB|GABc|dedB|GABc|dBGB|GABc|d2 G2|ABcd|G4|]\n"
LONG = (
    "X:1\nM:6/8\nL:1/8\nR:jig\nK:D\n"
    "|:dfa afd|ege gec|dfa afd|Adc d3|dfa afd|ege gec|fed edc|d3 d3:|\n"
    "|:fdf fdf|ece ece|dBd dBd|cAc cAc|fdf fdf|gfe agf|edc ABc|d3 d3:|\n"
)
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
    """Two tunes and a hymn; they are few, so each is looked for in the split that got it."""
    root = tmp_path_factory.mktemp("scores")
    for name, text in (("folk/one", FOLK), ("lead/one", LONG), ("hymn/one", QUARTET)):
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
    assert ["repeated" in task.kinds for task in found] == [True, True, False, False, False]


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


def oracle(task):
    return Prediction((task.truth,))


def test_a_predictor_that_knows_the_truth_is_perfect(dataset):
    for genre in ("folk", "hymn"):
        results = evaluate(dataset, {"oracle": oracle}, split=split_of(dataset, genre), genre=genre)
        assert [results["oracle"].value(name) for name in ("exact", "exact in 5", "F1")] == [1, 1, 1]
        assert len({len(result.rows) for result in results.values()}) == 1


def test_rules_and_kinds_of_measures(dataset):
    results = evaluate(dataset, {}, split=split_of(dataset, "folk"), genre="folk")
    four_back = results["four back"]
    assert four_back.value("exact") == pytest.approx(2 / 5)  # of dBGB and GABc
    assert four_back.value("exact", "novel") == 0
    assert len(four_back.of("repeated")) == 2
    assert len(four_back.of("last of section")) == 1
    assert results["previous"].value("exact") == 0
    assert results["previous"].value("exact in 5") == pytest.approx(2 / 5)  # four back is among its candidates


def test_a_model_is_scored_as_the_server_runs_it(dataset, model):
    for genre in ("folk", "hymn"):
        result = evaluate(dataset, {"model": model}, split=split_of(dataset, genre), genre=genre)["model"]
        assert result.rows
        assert 0 <= result.value("F1") <= 1
        assert result.value("valid") == 1
        assert result.value("writable") == 1
        assert result.value("bits a note") > 5  # random weights know nothing


def test_predictions_are_the_same_every_time(dataset, model):
    task = all_tasks(dataset, "folk")[0]
    assert model(task) == model(task)


def test_several_different_measures_are_candidates(dataset, model):
    for task in all_tasks(dataset, "folk"):
        candidates = model(task).candidates
        assert 2 <= len(candidates) == len(set(candidates)) <= 5


def test_a_task_is_about_one_part(dataset, model):
    for task in all_tasks(dataset, "hymn"):
        whole = task.source.contents()
        assert [*task.history, task.truth] == whole[: task.measure + 1]
        assert [voice for voice, _ in task.truth] == [(1, 1)]
        assert all(voice == (1, 1) for candidate in model(task).candidates for voice, _ in candidate)


def test_the_other_parts_can_be_hidden(dataset):
    for task in all_tasks(dataset, "hymn"):
        assert {len(part.measures) for part in site_of(task, others=False).score.parts} == {task.measure}


@pytest.mark.parametrize(
    ("genre", "message"), [("polka", "unknown genre 'polka'"), ("organ", "no measure of genre 'organ'")]
)
def test_nothing_to_predict_is_an_error(dataset, genre, message):
    with pytest.raises(ValueError, match=message):
        evaluate(dataset, {}, genre=genre)


# What a predictor thinks of the truth


def test_the_probabilities_of_all_first_notes_add_up(dataset, model):
    """A measure of one long note can be written in few ways, so the sum over them can be seen to stay below 1."""
    task = all_tasks(dataset, "folk")[0]
    reader, grammar = ModelReader(model.engine, model.prompt(task)), model.prompt(task).grammar
    whole = v.TOKEN_IDS["d:1"]
    nats = [
        measure_nats(reader, grammar, (((1, 1), (whole, note)),), 1)
        for note in [v.REST, *v.NOTE_OF]
        if grammar.fits((whole, note))
    ]
    assert len(nats) > 50
    assert 0 < sum(math.exp(-each) for each in nats) < 1


def test_a_repeat_is_likelier_than_what_it_stands_for_written_out(dataset, model):
    class WithoutReferences(ModelReader):
        def choices(self, logits, grammar):
            options = super().choices(logits, grammar)
            return [one for one in options if one.reference is None]

    for task in all_tasks(dataset, "folk"):
        prompt = model.prompt(task)
        both, plain = (
            measure_nats(kind(model.engine, prompt), prompt.grammar, task.truth, 1)
            for kind in (ModelReader, WithoutReferences)
        )
        assert both < plain if "repeated" in task.kinds else both == pytest.approx(plain)


def test_what_the_grammar_cannot_write_has_no_probability(dataset, model):
    task = all_tasks(dataset, "folk")[0]
    too_short = (((1, 1), (v.NOTE_IDS[0, 0],)),)
    ratios = model(replace(task, truth=too_short)).ratios
    assert ratios["writable"] == (0, 1)
    assert "bits a note" not in ratios


def test_a_pickup_is_predicted_where_it_fits(tmp_path, model):
    """The second one is another than the short measure asks for: nobody could suggest it."""
    section = "dfa afd|ege gec|dfa afd|Adc d2:|\n"
    (tmp_path / "one.abc").write_text(f"X:1\nM:6/8\nL:1/8\nK:D\nA|{section}d|{section}B/A/B/|{section}", "utf-8")
    build(tmp_path / "dataset", {"folder": tmp_path})
    dataset = Dataset.open(tmp_path / "dataset")
    fits, other = (task for task in all_tasks(dataset, "folk") if "pickup" in task.kinds)
    for task, writable in ((fits, 1), (other, 0)):
        prediction = model(task)
        assert prediction.ratios["writable"] == (writable, 1)
        assert ("bits a note" in prediction.ratios) == bool(writable)
        for candidate in prediction.candidates:
            [(_, ids)] = candidate
            assert decode_segment(ids, KeySignature())[-1].end == Fraction(1, 8)


def test_every_note_is_asked_for_once(dataset, model):
    for genre in ("folk", "hymn"):
        for task in all_tasks(dataset, genre):
            n_notes = sum(token in v.NOTE_OF for _, ids in task.truth for token in ids)
            for name in ("next onset", "next pitch", "next duration"):
                assert model(task).ratios[name][1] == n_notes


def test_an_ngram_model_learns_its_own_tune(dataset):
    """Where the training split is the very tune, the n-gram model knows each next note."""
    genre = "folk"
    ngram = baselines(dataset, genre)[NGRAM]
    results = [ngram(task).ratios for task in all_tasks(dataset, genre)]
    shares = sum(each["next pitch"][0] for each in results) / sum(each["next pitch"][1] for each in results)
    assert split_of(dataset, genre) == "train"
    assert shares > 0.9


# Intervals


def test_intervals_resample_clusters():
    one, many = Result(), Result()
    for index in range(40):
        for result, cluster in ((one, f"{index % 2}"), (many, f"{index}")):
            result.add(cluster, (), {"exact": (float(index % 2), 1.0)})
    wide, narrow = (result.figures()["exact"] for result in (one, many))
    assert wide.value == narrow.value == 0.5
    assert (wide.low, wide.high) == (0, 1)
    assert 0.3 < narrow.low < 0.5 < narrow.high < 0.7
    assert (wide.n_clusters, narrow.n_clusters) == (2, 40)


# Beyond the next measure


def test_gaps_lie_inside_a_section_of_whole_measures(dataset):
    (gap,) = gaps(dataset, split_of(dataset, "lead"), "lead", None, 0)
    assert gap.start == 9  # the first place inside the second part that has measures after it
    assert len(gap.truth) == N_GAP
    site = gap.site()
    assert site.inserted
    assert len(site.score.parts[0].measures) == 16 - N_GAP


def test_infilling_is_scored_beside_the_rules(dataset, model):
    fillers = {"model": fill_with_model(model.engine), "oracle": lambda gap: gap.truth, "silent": lambda gap: []}
    results = evaluate_infill(dataset, fillers, split=split_of(dataset, "lead"), genre="lead", limit=None, seed=0)
    assert results["oracle"].value("token accuracy") == results["oracle"].value("exact") == 1
    assert results["silent"].value("token accuracy") == 0
    assert 0 <= results["model"].value("token accuracy") < 1
    assert 0 < results["four back"].value("token accuracy") < 1


@pytest.mark.parametrize("temperature", [0, 1])
@pytest.mark.parametrize("n", [4, 16])
def test_a_model_writes_as_much_as_is_asked(dataset, model, n, temperature):
    """Also more than it has room for at once. Each measure is full."""
    (gap,) = gaps(dataset, split_of(dataset, "lead"), "lead", None, 0)
    written = [*write_with_model(model.engine, replace(gap, n=n), temperature)]
    assert len(written) == n
    assert all(measure.is_full for _, measure in written)


def test_continuations_are_compared_with_the_real_ones(dataset, model):
    fillers = {"model": fill_with_model(model.engine, 1.0)}
    found = evaluate_continuations(dataset, fillers, split=split_of(dataset, "lead"), genre="lead", limit=None, seed=0)
    assert found["real"]["pitch classes, overlap"].value == 1
    assert found["real"]["note lengths, KL"].value == 0
    assert found["previous"]["groove"].value == 1
    assert found["model"]["pitch classes, overlap"].value < 1


# Text


def test_suggestions_are_valid_in_a_document(dataset, model):
    for genre in ("folk", "hymn"):
        assert is_valid(model.engine, all_tasks(dataset, genre)[0])


def test_keystrokes_are_counted_with_one_model_on_the_threads_that_were_asked_for(dataset, model, monkeypatch):
    loaded = []

    class Watched(Completer):
        def __init__(self, bundle, provider="auto", threads=1):
            loaded.append(threads)
            super().__init__(bundle, provider, threads)

    monkeypatch.setattr("export.evaluation.report.Completer", Watched)
    plan = Plan(dataset, ("model", model.engine), ("keystrokes",), ("folk", "lead"), "train", threads=2)
    assert run(plan)["tests"]["keystrokes"].keys() == {"folk", "lead"}
    assert loaded == [2]


TUNE = "X:1\nT:a title\nM:4/4\nL:1/4\nK:C\n"


@pytest.mark.parametrize(
    ("music", "offers", "keys"),
    [
        pytest.param("CDEF|", {}, 5, id="nothing offered: every character is typed"),
        pytest.param("CD EF|", {"": "CDEF|"}, 1, id="a right offer is one key, blanks are free"),
        pytest.param("CDEF|", {"": "CDEG|"}, 5, id="a wrong offer stays open while it agrees"),
        pytest.param("CDEF|", {"": "CDEG|", "CDEF": "|"}, 5, id="the next offer may save nothing"),
        pytest.param("CDEFG2|", {"": "CDEG|", "CDEF": "G2|"}, 5, id="a contradicted offer makes room for another"),
        pytest.param("CDEF|\nGABc|]", {"CDEF|": "GABc|"}, 7, id="a barline that goes on is typed to its end"),
    ],
)
def test_keys_of_a_writer(music, offers, keys):
    def suggest(before):
        return offers.get("".join(before.removeprefix(TUNE).split()), "")

    assert keystrokes(TUNE + music + "\n", suggest) == (keys, len("".join(music.split())))


def test_the_copying_writer_is_offered_the_tunes_own_measures():
    suggest = copying_suggester()
    assert suggest(TUNE) == ""
    assert suggest(f"{TUNE}CDEF|GABc|CDEF|") == "GABc|"
    assert suggest(f"{TUNE}CDEF|GABc|CD") == "EF|"
    assert suggest(f"{TUNE}CDEF|GABc|E") == ""


# The command


@pytest.fixture
def program():
    app = typer.Typer()
    app.command()(cli.evaluate)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_writes_figures_plots_and_a_sheet(dataset, program, tmp_path):
    split, out, picture, sheet = split_of(dataset, "lead"), *(tmp_path / name for name in ("a.json", "a.svg", "sheet"))
    done = program(
        "--data", dataset.folder, "--bundle", music_bundle(), "--split", split, "--genre", "lead", "--limit", 5,
        "--json", "--out", out, "--plot", picture, "--listening", sheet, "--test", "next measure", "--test", "infill",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == report
    name = report["model"]
    assert report["tests"]["next measure"]["lead"][name]["all"]["exact"]["n"] == 5
    assert set(baselines(dataset, "lead")) < set(report["tests"]["next measure"]["lead"])
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    assert (sheet / "answers.md").is_file()
    check_card(report)


def test_a_sheet_can_be_written_to_a_folder_named_from_here(dataset, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    n = write_sheet(Path("sheet"), dataset, model.engine, split=split_of(dataset, "lead"), genres=["lead"])
    assert n > 0
    assert len(list((tmp_path / "sheet").glob("*.mid"))) == 2 * n


def check_card(report):
    """The card of a bundle states the figures of the report, and how often the model copies."""
    counts = {"4": {"runs": 100, "copied": 3, "own": 1, "share": 0.02}}
    quality = summary({**report, "copying": {"folk": {"the model": counts}}})
    manifest = json.loads((music_bundle() / "manifest.json").read_text(encoding="utf-8"))
    card = model_card({**manifest, "quality": json.loads(json.dumps(quality))})
    assert "### lead: next measure (5)" in card
    assert f"| {report['model']} | all | " in card
    for split, said in (("train", "which the model was trained on"), ("test", "of near doubles it was not trained on")):
        assert said in model_card({**manifest, "quality": {**quality, "split": split}})
    assert "folk, the model: 2 of 100 runs of 4 measures (2.00%)" in card


def test_a_report_for_people(dataset, program):
    split = split_of(dataset, "folk")
    done = program("--data", dataset.folder, "--split", split, "--genre", "folk", "--markdown")
    assert done.exit_code == 0, done.output
    assert "### folk, next measure: all (5, of 1 clusters)" in done.stdout
    assert "### folk, keystrokes: all (1, of 1 clusters)" in done.stdout


@pytest.mark.parametrize(("width", "cell"), [(80, "95.0"), (240, "95.0 % [90.0, 99.0]")], ids=["narrow", "wide"])
def test_tables_fit_the_terminal(width, cell):
    """Every column is whole; where there is room, with intervals."""
    names = (
        "exact",
        "exact in 5",
        "F1",
        "bits a note",
        "next onset",
        "next pitch",
        "next duration",
        "writable",
        "valid",
    )
    figure = {"value": 0.95, "low": 0.9, "high": 0.99, "n": 240, "n_clusters": 30}
    report = {"model": "ghostnote-6m", "tests": {"next measure": {"folk": {"ghostnote-6m": {"all": {}}}}}}
    report["tests"]["next measure"]["folk"]["ghostnote-6m"]["all"] = dict.fromkeys(names, figure)
    console = Console(width=width, file=StringIO())
    show(report, console)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "\u2026" not in text
    row = next(line for line in text.splitlines() if line.startswith("ghostnote-6m"))
    assert row.count(cell) == sum(name not in ("F1", "bits a note") for name in names)
    assert ("intervals" in text) == (width == 80)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--genre", "polka"), 2, "unknown genre 'polka'"),
        (("--test", "taste"), 2, "unknown test 'taste'"),
        (("--split", "exam"), 2, "unknown split 'exam'"),
        (("--listening", "sheet"), 2, "needs a model"),
        (("--plot", "a.png", "--test", "infill"), 2, "next measure"),
        (("--plot", "a.doc"), 1, "a.doc"),
        (("--genre", "organ"), 1, "nothing of genre organ"),
        (("--bundle", "nowhere"), 3, "nowhere"),
    ],
)
def test_the_command_says_what_is_wrong(dataset, program, arguments, code, message):
    done = program("--data", dataset.folder, *arguments)
    assert (done.exit_code, message in done.stderr) == (code, True), done.output


def test_no_dataset_is_an_error(program, tmp_path):
    assert program("--data", tmp_path).exit_code == 1


# The listening sheet


def test_a_sheet_hides_which_one_is_real(dataset, model, tmp_path, monkeypatch):
    """Without the programs that draw and play, it says so and still has ABC and MIDI."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    told = []
    split = split_of(dataset, "lead")
    n = write_sheet(tmp_path, dataset, model.engine, split=split, genres=("lead",), tell=told.append)
    assert n == 1
    assert [text.split()[0] for text in told] == ["abcm2ps", "abc2midi"]
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"01-A.abc", "01-B.abc", "01-A.mid", "01-B.mid", "answers.md", "index.html"}
    assert (tmp_path / "01-A.abc").read_bytes() != (tmp_path / "01-B.abc").read_bytes()
    answers, page = ((tmp_path / name).read_text(encoding="utf-8") for name in ("answers.md", "index.html"))
    assert "is real: folder/lead/one" in answers
    assert "real: " not in page


@pytest.mark.skipif(not shutil.which("abcm2ps") or not shutil.which("abc2midi"), reason="no abcm2ps or abc2midi here")
def test_a_sheet_has_pictures_and_sound(dataset, model, tmp_path):
    write_sheet(tmp_path, dataset, model.engine, split=split_of(dataset, "lead"), genres=("lead",))
    assert (tmp_path / "01-A.svg").read_bytes().startswith(b"<?xml")
    assert (tmp_path / "01-B.mid").read_bytes().startswith(b"MThd")


def test_the_strata_are_genres():
    assert set(STRATA) <= set(v.GENRES)


def test_every_part_knows_its_cluster(dataset):
    split = split_of(dataset, "hymn")
    parts = parts_of(dataset, split, "hymn")
    assert [part.part for part in parts] == [0, 1, 2, 3]
    (cluster,) = [piece["cluster"] for piece in dataset.pieces(split) if piece["genre"] == "hymn"]
    assert {part.cluster for part in parts} == {cluster}
    assert np.unique([part.n_parts for part in parts]).tolist() == [4]
