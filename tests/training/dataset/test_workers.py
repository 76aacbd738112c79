"""The same dataset, byte for byte, however its chunks are worked on: here, in processes, on Dask, or after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from training.cli import corpus as app
from training.dataset import workers
from training.dataset.build import CHUNK_FILES, Dataset, build
from training.dataset.encode_files import chunks_of

N_FILES = 3 * CHUNK_FILES + 1
QUIET = {"dashboard_address": None, "worker_dashboard_address": None, "silence_logs": 50}


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Four chunks of small tunes."""
    root = tmp_path_factory.mktemp("scores")
    for number in range(N_FILES):
        line = "".join("CDEFGABc"[(number * step * step + step) % 8] for step in range(16))
        music = "|".join(line[at : at + 8] for at in (0, 8)) if number % 10 else "z8"
        (root / f"{number:03}.abc").write_text(f"X:1\nT:No {number}\nM:4/4\nL:1/8\nK:G\n{music}|]\n", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def alone(scores, tmp_path_factory):
    """What one process makes of them."""
    out = tmp_path_factory.mktemp("alone")
    build(out, {"folder": scores})
    return contents(out)


def contents(folder):
    """Every file of a dataset by its path; `shards` too, so that nothing is left of what was interrupted."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_processes_make_the_same_dataset(scores, alone, tmp_path):
    build(tmp_path, {"folder": scores}, jobs=2)
    assert contents(tmp_path) == alone
    assert len([path for path in alone if path.startswith("shards/")]) == 8


def test_a_dask_cluster_makes_the_same_dataset(scores, alone, tmp_path):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'ghostnote[cluster]'")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", **QUIET) as two:
        arguments = [
            "build",
            f"folder={scores}",
            "--out",
            str(tmp_path),
            "--scheduler",
            two.scheduler_address,
            "--json",
        ]
        done = CliRunner().invoke(app, arguments)
        with distributed.Client(two) as client:
            ran = client.run(os.getpid)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["corpora"]["folder"]["n_files"] == N_FILES
    assert len(set(ran.values()) - {os.getpid()}) == 2
    assert contents(tmp_path) == alone


def test_a_cluster_that_is_not_there_is_said(scores, tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'ghostnote[cluster]'")
    monkeypatch.setattr(workers, "_WAIT_S", 0.5)
    arguments = ["build", f"folder={scores}", "--out", str(tmp_path), "--scheduler", "tcp://127.0.0.1:9"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "no Dask scheduler answers at 'tcp://127.0.0.1:9'" in done.stderr


def test_dask_is_asked_for(scores, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install 'ghostnote\[cluster\]'"):
        build(tmp_path, {"folder": scores}, scheduler="tcp://127.0.0.1:9")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("jobs", [pytest.param(1, id="one process"), pytest.param(2, id="two processes")])
def test_a_build_that_is_killed_goes_on_to_the_same_dataset(jobs, scores, alone, tmp_path):
    command = [sys.executable, "-m", "training.cli", "corpus", "build", f"folder={scores}", "--out", str(tmp_path)]
    running = subprocess.Popen(
        [*command, "--jobs", str(jobs)], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not list(tmp_path.glob("shards/*/*.json")) and running.poll() is None:
        time.sleep(0.005)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    _wait_for_the_end_of(running.pid)
    assert 0 < len(list(tmp_path.glob("shards/*/*.json"))) < 4
    build(tmp_path, {"folder": scores})
    assert contents(tmp_path) == alone
    assert Dataset.open(tmp_path).corpora == ("folder",)


def _wait_for_the_end_of(group):
    """Until no process of a group is left: those of a killed build end by themselves."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("processes outlived the build that was killed")


def test_a_process_that_the_system_ends_is_said(scores, tmp_path):
    chunks = chunks_of("folder", scores, tmp_path, None, CHUNK_FILES)
    with pytest.raises(ValueError, match=r"ended by the system.*--jobs 1: what is done is kept"):
        list(workers.work_on(chunks, end_at_once, jobs=2))


def end_at_once(chunk):
    os._exit(9)


def test_windows_is_asked_for_no_more_processes_than_it_can_wait_for(scores, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(workers, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(workers, "ProcessPoolExecutor", lambda jobs, **_: asked.append(jobs) or ThreadPoolExecutor(1))
    chunks = chunks_of("folder", scores, tmp_path, None, CHUNK_FILES)
    assert len(list(workers.work_on(chunks, lambda chunk: chunk.shard, jobs=100))) == 4
    assert asked == [61]


def test_work_that_takes_too_long_is_not_taken_for_a_cluster_without_workers(scores, tmp_path):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'ghostnote[cluster]'")
    chunks = chunks_of("folder", scores, tmp_path, None, CHUNK_FILES)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **QUIET) as cluster,
        pytest.raises(TimeoutError, match="a slow disk"),
    ):
        list(workers.work_on(chunks, time_out, scheduler=cluster.scheduler_address))


def time_out(chunk):
    raise TimeoutError("a slow disk")


def test_a_shard_that_this_machine_does_not_see_is_said(tmp_path):
    with pytest.raises(ValueError, match="a folder that all machines share"):
        workers._in_sight(Path(tmp_path / "elsewhere"))


def test_a_folder_that_cannot_be_made_is_said(scores, tmp_path):
    (tmp_path / "file").touch()
    done = CliRunner().invoke(app, ["build", f"folder={scores}", "--out", str(tmp_path / "file" / "data")])
    assert done.exit_code == 2
    assert str(tmp_path / "file") in done.stderr


def test_without_sources_the_corpus_of_music21_is_built(tmp_path):
    done = CliRunner().invoke(app, ["build", "--out", str(tmp_path), "--limit", "5", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    assert Dataset.open(tmp_path).corpora == ("music21",)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param("openewld", "ghostnote corpus fetch openewld", id="no folder"),
        pytest.param("music21=", "'music21=' names no folder", id="a variable that is not set"),
        pytest.param("nothing=here", "unknown corpus nothing", id="no such corpus"),
        pytest.param("=here", "unknown corpus", id="no name"),
    ],
)
def test_a_wrong_source_is_refused(source, said, tmp_path):
    done = CliRunner().invoke(app, ["build", source, "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert said in done.stderr
