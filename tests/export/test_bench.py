"""The headless benchmark: its sites, its figures, its comparison, and the verb as users call it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

from export.bench.command import numbers
from export.bench.compare import compare
from export.bench.documents import KINDS, Piece, find_sites, load_pieces, typed_state
from export.bench.lsp import Client, ServerError
from export.bench.machine import peak_memory
from export.bench.measure import STEPS, demand, fitting_contexts
from export.bench.quality import measure_quality
from export.bench.rows import Measurement, Row, Subject, read_json, row_of, summarise, to_csv, to_json
from export.bench.run import BenchError, Plan, check_plan, run_worker
from export.bench.show import plot_rows
from export.bench.worker import Task
from export.bundle import export_bundle
from export.cli import bench
from inference.bundle import load_bundle
from inference.engine import Engine
from inference.errors import ProviderError
from notation.language import language
from notation.tokens.vocabulary import TOKENS
from tests.support.bundles import tiny_bundle
from training.dataset.build import build
from training.dataset.clusters import split_of
from training.models import ModelConfig, build_model
from training.models.checkpoint import Checkpoint

QUICK = ("--sites", "4", "--repeats", "1", "--contexts", "16,32")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows nothing, but in the real vocabulary."""
    out = tmp_path_factory.mktemp("bench") / "tiny"
    config = ModelConfig("llama", len(TOKENS), n_layer=1, n_head=2, n_kv_head=2, n_embd=32, block_size=512)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = build_model(config).eval()
    export_bundle(Checkpoint(model, list(TOKENS), {}), out)
    return out


@pytest.fixture(scope="module")
def measured(bundle: Path) -> dict[str, Any]:
    """What the verb prints with --json, the real server included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.bench.run.COLD_LOADS", 1)
        result = run(str(bundle), *QUICK, "--batch", "1,2", "--lsp", "--json")
    assert result.exit_code == 0, result.stderr
    content: dict[str, Any] = json.loads(result.stdout)
    return content


@pytest.fixture
def rows(measured: dict[str, Any]) -> list[Row]:
    return [row_of(row) for row in measured["rows"]]


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(bench)
    return CliRunner().invoke(app, list(arguments))


def figures_of(rows: list[Row], batch: int) -> dict[str, Measurement]:
    return {row.measurement.test: row.measurement for row in rows if row.subject.batch == batch}


# Documents


def test_the_installed_pieces_are_sound_in_every_language() -> None:
    pieces = load_pieces()
    assert {piece.language for piece in pieces} == {"abc", "musicxml"}
    for piece in pieces:
        assert not language(piece.language).parse(piece.text).diagnostics


def test_sites_are_of_both_kinds_and_where_they_say() -> None:
    sites = find_sites(load_pieces(), 16)
    assert {site.kind for site in sites} == set(KINDS)
    assert {(site.language, site.voices > 1) for site in sites} == {
        (name, many) for name in ("abc", "musicxml") for many in (False, True)
    }
    for site in sites:
        known = language(site.language)
        found = known.completion_site(known.parse(site.text), site.offset)
        assert found is not None
        assert bool(found.before) == (site.kind == "mid-measure")
        assert 0 < site.previous < site.offset
    assert sites == find_sites(load_pieces(), 16)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_there_are_about_as_many_sites_as_asked_for(n: int) -> None:
    assert 1 <= len(find_sites(load_pieces(), n)) <= 2 * max(n, 1)


XML = "<score><part><measure><note>1</note><note>2</note></measure><measure/></part><part>3</part></score>"


@pytest.mark.parametrize(
    ("text", "written", "state"),
    [
        pytest.param("abc|def|", "abc|", "abc|", id="abc ends at the cursor"),
        pytest.param(
            XML,
            "<score><part><measure><note>1</note>",
            "<score><part><measure><note>1</note></measure></part><part>3</part></score>",
            id="mid-measure, the measure is closed",
        ),
        pytest.param(
            XML,
            XML[: XML.index("</measure>") + 10],
            "<score><part><measure><note>1</note><note>2</note></measure></part><part>3</part></score>",
            id="between measures, the part is closed",
        ),
    ],
)
def test_what_is_after_the_cursor_is_not_written_yet(text: str, written: str, state: str) -> None:
    assert typed_state(text, len(written)) == state


def test_a_folder_of_documents_is_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "tune.abc").write_text("X:1\nK:C\nCDEF GABc|cBAG FEDC|]\n")
    (tmp_path / "broken.mxl").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "notes.txt").write_text("no music")
    assert [(piece.name, piece.language) for piece in load_pieces(tmp_path)] == [("tune.abc", "abc")]


def test_a_large_folder_is_read_here_and_there(tmp_path: Path) -> None:
    for number in range(10, 30):
        (tmp_path / f"{number}.abc").write_text(f"X:{number}\nK:C\nCDEF|]\n")
    assert [piece.name for piece in load_pieces(tmp_path, 4)] == ["10.abc", "15.abc", "20.abc", "25.abc"]


def test_a_folder_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no document that can be read.*\.abc"):
        load_pieces(tmp_path)


def test_documents_without_music_are_refused() -> None:
    with pytest.raises(ValueError, match="none of 1 documents has music"):
        find_sites([Piece("empty", "abc", "X:1\nK:C\n")], 4)


# Figures


def test_a_summary_is_of_its_samples() -> None:
    figure = summarise("a test", "ms", [float(each) for each in range(1, 102)], tail=True)
    assert (figure.n, figure.q1, figure.median, figure.q3, figure.p95, figure.p99) == (101, 26, 51, 76, 96, 100)
    with pytest.raises(ValueError, match="no samples of 'a test'"):
        summarise("a test", "ms", [])


@pytest.mark.parametrize(
    ("max_length", "contexts"),
    [
        pytest.param(2000, [128, 1024], id="all fit"),
        pytest.param(1024, [128, 1024 - STEPS], id="the longest is cut"),
        pytest.param(100, [100 - STEPS], id="cut ones are one"),
    ],
)
def test_contexts_leave_room_for_the_steps(max_length: int, contexts: list[int]) -> None:
    assert fitting_contexts((1024, 128), max_length) == contexts


def test_memory_is_this_process_s_own() -> None:
    before = peak_memory()
    assert before is not None
    block = bytearray(64_000_000)
    block[::4096] = b"x" * len(block[::4096])
    after = peak_memory()
    assert after is not None
    assert after >= before
    assert after > 64


def test_every_row_says_what_it_is_a_figure_of(rows: list[Row], bundle: Path) -> None:
    assert rows
    for row in rows:
        one, figure = row.subject, row.measurement
        assert (one.model, one.architecture, one.precision, one.threads) == ("tiny", "llama", "int8", 1)
        assert one.parameters > len(TOKENS) * 32
        assert "cores" in one.machine
        assert "onnxruntime" in one.versions
        assert figure.n >= 1
        assert figure.q1 <= figure.median <= figure.q3
        if figure.p95 is not None and figure.p99 is not None:
            assert figure.q3 <= figure.p95 <= figure.p99
        if figure.unit == "ms":
            assert figure.median > 0
            assert figure.leaves_out, f"{figure.test} does not say what it leaves out"
    assert len({row.identity for row in rows}) == len(rows)


def test_all_that_a_user_waits_for_is_measured(rows: list[Row], bundle: Path) -> None:
    single, double = figures_of(rows, 1), figures_of(rows, 2)
    assert {
        *("size on disk", "cold load", "first suggestion", "prefill of 16", "prefill of 32", "step at 16"),
        *("step at 32", "suggestion", "suggestion after a jump", "suggestion of 4 measures", "measures"),
        *("stage: parse", "stage: decode", "stage: verify", "answered", "peak memory"),
        "longest wait after a cancel",
    } <= set(single)
    assert {"step at 16", "step at 32", "suggestion", "answered", "peak memory"} <= set(double)
    assert "size on disk" not in double
    size = sum(file.stat().st_size for file in bundle.iterdir())
    assert single["size on disk"].median == pytest.approx(size / 1e6)
    assert single["answered"].median > 0
    assert single["first suggestion"].median > single["cold load"].median
    groups = [figure for test, figure in single.items() if test.startswith("in ")]
    assert sum(figure.n for figure in groups) == single["suggestion"].n
    assert single["step at 16"].n == STEPS


def test_the_server_gives_the_same_suggestions(rows: list[Row]) -> None:
    single = figures_of(rows, 1)
    assert single["lsp: same answer as the bare call"].median >= 75  # random weights: rounding may turn one of four
    assert single["lsp: suggestion"].n == single["lsp: bare call in turn"].n == single["suggestion"].n
    assert single["lsp: ratio to the bare call"].n >= 1
    assert single["lsp: typed through"].n >= 1
    assert single["lsp: first suggestion"].median > single["lsp: initialize"].median
    assert single["lsp: server's peak memory"].median > 10


def test_a_model_with_another_vocabulary_is_measured_without_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.bench.run.COLD_LOADS", 2)
    result = run(str(tiny_bundle("gru")), *QUICK, "--csv")
    assert result.exit_code == 0, result.stderr
    read = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {"cold load", "prefill of 16", "step at 32", "peak memory"} <= {row["test"] for row in read}
    assert not [row for row in read if "suggestion" in row["test"]]
    assert [row["n"] for row in read if row["test"] == "cold load"] == ["2"]
    assert {row["parameters"] for row in read} == {str(int(read[0]["parameters"]))}


def test_quality_is_that_of_held_out_pieces(bundle: Path, tmp_path: Path) -> None:
    scores = {"test": load_pieces()[0].text, "train": "X:1\nT:A scale\nM:4/4\nL:1/4\nK:C\n" + "CDEF|GABc|" * 8}
    for split, text in scores.items():
        names = (f"{number}.abc" for number in range(1000))
        name = next(name for name in names if split_of(f"folder/folk/{name}#1") == split)
        (tmp_path / "scores" / "folk").mkdir(parents=True, exist_ok=True)
        (tmp_path / "scores" / "folk" / name).write_text(text)
    build(tmp_path / "dataset", {"folder": tmp_path / "scores"})
    figures = {one.test: one for one in measure_quality(bundle, tmp_path / "dataset", "cpu", 1)}
    assert set(figures) == {
        f"quality: folk, {name}" for name in ("exact measures", "F1", "exact measures of the best rule")
    }
    exact, f1 = figures["quality: folk, exact measures"], figures["quality: folk, F1"]
    assert exact.n == f1.n >= 8
    assert 0 <= exact.median <= f1.median <= 100
    assert "the rule: " in figures["quality: folk, exact measures of the best rule"].leaves_out


def test_a_folder_without_a_dataset_is_told(bundle: Path, tmp_path: Path) -> None:
    task = Task("quality", str(bundle), "cpu", 1, 1, (16,), 1, (), dataset=str(tmp_path))
    with pytest.raises(BenchError, match="holds no finished dataset"):
        run_worker(task)


# Writing and reading


def test_rows_survive_json_and_csv(rows: list[Row], tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(to_json(rows))
    assert read_json(file) == rows
    read = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert [row["test"] for row in read] == [row.measurement.test for row in rows]
    assert [float(row["median"]) for row in read] == [row.measurement.median for row in rows]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("no JSON", id="not JSON"),
        pytest.param("[]", id="not an object"),
        pytest.param('{"schema_version": 99, "rows": []}', id="another schema"),
        pytest.param('{"schema_version": 1, "rows": [{}]}', id="a row without anything"),
    ],
)
def test_a_baseline_that_is_none_is_refused(content: str, tmp_path: Path, bundle: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(content)
    result = run(str(bundle), *QUICK, "--baseline", str(file))
    assert result.exit_code == 2
    assert "not what `ghostnote bench --json` writes" in result.stderr


def test_people_get_a_table_and_a_picture(
    rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: Path
) -> None:
    monkeypatch.setattr("export.bench.run.measure_all", lambda *_: iter(rows))
    result = run(str(bundle), "--plot", str(tmp_path / "run.svg"))
    assert result.exit_code == 0, result.stderr
    for words in ("tiny: llama", "step at 16", "Left out of", rows[0].subject.versions.split(",")[0]):
        assert words in result.stdout
    assert "<svg" in (tmp_path / "run.svg").read_text()


def test_quality_is_drawn_against_time(rows: list[Row], tmp_path: Path) -> None:
    quality = summarise("quality: folk, exact measures", "%", [17.4], better="higher")
    plain, with_quality = tmp_path / "plain.svg", tmp_path / "quality.svg"
    plot_rows(rows, plain)
    plot_rows([*rows, Row(rows[0].subject, quality)], with_quality)
    assert with_quality.read_text().count("axes_") > plain.read_text().count("axes_")


# Comparing


def row(median: float, *, better: Any = "lower", p95: float | None = None, machine: str = "one") -> Row:
    subject = Subject("reel", "llama", 5, "int8", "cpu", 1, 1, machine, "now")
    return Row(subject, Measurement("a test", "ms", better, 1, median, median, median, p95=p95))


@pytest.mark.parametrize(
    ("before", "now", "worse"),
    [
        pytest.param(row(10), row(10), [], id="the same"),
        pytest.param(row(10), row(13), [], id="slower, as allowed"),
        pytest.param(row(10), row(13.1), ["median"], id="slower than allowed"),
        pytest.param(row(10), row(1), [], id="faster"),
        pytest.param(row(100, better="higher"), row(80, better="higher"), [], id="less, as allowed"),
        pytest.param(row(100, better="higher"), row(70, better="higher"), ["median"], id="less than allowed"),
        pytest.param(row(100, better="higher"), row(0, better="higher"), ["median"], id="nothing left"),
        pytest.param(row(100, better="higher"), row(900, better="higher"), [], id="more"),
        pytest.param(row(10, p95=20), row(10, p95=30), ["p95"], id="only the tail is slower"),
        pytest.param(row(10), row(10, p95=30), [], id="a tail that was not measured before"),
    ],
)
def test_what_is_worse_by_more_than_the_tolerance_is_a_regression(before: Row, now: Row, worse: list[str]) -> None:
    comparison = compare([before], [now], tolerance=1.3)
    assert [change.statistic for change in comparison.regressions] == worse


def test_another_machine_is_told() -> None:
    assert compare([row(1, machine="other")], [row(1)], 2).machines == ("other",)


def test_runs_with_nothing_in_common_are_not_compared() -> None:
    other = replace(row(1), subject=replace(row(1).subject, model="waltz"))
    with pytest.raises(ValueError, match=r"no row in common.*waltz.*reel"):
        compare([other], [row(1)], 2)
    with pytest.raises(ValueError, match="at least 1"):
        compare([row(1)], [row(1)], 0.5)


@pytest.fixture
def again(rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that measures exactly what the first one did."""
    monkeypatch.setattr("export.bench.run.measure_all", lambda *_: iter(rows))


@pytest.mark.parametrize(
    ("factor", "code", "words"),
    [
        pytest.param(1.0, 0, "none more than 1.5 times worse", id="as before"),
        pytest.param(0.5, 1, "2.00 times worse (allowed: 1.5)", id="the baseline was twice as fast"),
    ],
)
@pytest.mark.usefixtures("again")
def test_a_doctored_baseline_fails(
    factor: float, code: int, words: str, measured: dict[str, Any], bundle: Path, tmp_path: Path
) -> None:
    doctored = json.loads(json.dumps(measured))
    for each in doctored["rows"]:
        if each["test"] == "suggestion":
            each["median"] *= factor
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(doctored))
    result = run(str(bundle), "--json", "--baseline", str(file), "--tolerance", "1.5")
    assert result.exit_code == code, result.stderr
    assert words in " ".join(result.stderr.split())
    assert json.loads(result.stdout) == measured


# What goes wrong


@pytest.mark.parametrize("text", ["", "0", "two", "1,,2", "-1"])
def test_numbers_are_whole_and_from_one(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--threads"):
        numbers("--threads", text)


def test_numbers_are_sorted_and_each_once() -> None:
    assert numbers("--threads", "4, 1,4") == (1, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--json", "--csv"), "exclude each other", id="two formats"),
        pytest.param(("--plot", "run.doc"), "must be one of", id="no format of pictures"),
        pytest.param(("--tolerance", "0.5"), "--tolerance", id="a tolerance below one"),
        pytest.param(("--contexts", "few"), "--contexts", id="no number"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_measured(
    arguments: tuple[str, ...], words: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.bench.run.measure_all", lambda *_: pytest.fail("it measured"))
    result = run(str(bundle), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    result = run(str(tmp_path / "nothing"), *QUICK)
    assert result.exit_code == 3
    assert "cannot find model" in result.stderr


def test_a_provider_that_cannot_be_had_is_told(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    result = run(str(bundle), *QUICK, "--provider", "cpu,cuda")
    assert result.exit_code == 3
    assert "cannot measure on cuda" in result.stderr


def test_a_model_that_fell_back_on_another_provider_is_not_measured(bundle: Path) -> None:
    with pytest.raises(ProviderError, match="asked for cuda, the model runs on cpu"):
        demand("cuda", Engine(load_bundle(bundle), "cpu"))


def test_bundles_that_no_table_could_tell_apart_are_refused(bundle: Path, tmp_path: Path) -> None:
    other = shutil.copytree(bundle, tmp_path / "copy")
    plan = Plan((bundle, other), ("cpu",), (1,), (1,), (16,), 1, ())
    with pytest.raises(ValueError, match="both hold 'tiny' in int8"):
        check_plan(plan)


def test_a_worker_that_fails_says_why(tmp_path: Path) -> None:
    task = Task("load", str(tmp_path), "cpu", 1, 1, (16,), 1, ())
    with pytest.raises(BenchError, match=r"cannot measure .* on cpu: .*no manifest\.json"):
        run_worker(task)


class _Pipe:
    """A server's output that is read, and its input that nobody reads."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        import asyncio

        self.stdout = asyncio.StreamReader()
        self.written: list[bytes] = []
        for message in messages:
            body = json.dumps(message).encode()
            self.stdout.feed_data(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.stdout.feed_eof()

    def write(self, data: bytes) -> None:
        self.written.append(data)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param({"id": 1, "error": {"code": -32603}}, "answered with an error.*-32603", id="an error"),
        pytest.param({"method": "window/logMessage"}, "ended before it answered", id="no answer"),
    ],
)
async def test_a_server_that_fails_is_told(message: dict[str, Any], words: str) -> None:
    import asyncio

    pipe = _Pipe(message)
    client = Client(pipe.stdout, pipe)
    asking = asyncio.create_task(client.request("initialize", {}))
    await asyncio.sleep(0)
    await client.listen()
    with pytest.raises(ServerError, match=words):
        await asking


async def test_what_a_server_asks_is_answered() -> None:
    pipe = _Pipe({"id": 7, "method": "workspace/configuration", "params": {}})
    await Client(pipe.stdout, pipe).listen()
    assert b'{"jsonrpc": "2.0", "id": 7, "result": null}' in pipe.written[0]
