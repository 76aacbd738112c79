"""`corpus fetch` against real git repositories, made here and reached over file://."""

import json
import os
import subprocess
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from training.cli import corpus as app
from training.corpora import CORPORA
from training.corpora.base import Pin
from training.corpora.fetch import FetchError, commit_of, fetch

_TUNE = "X:1\nT:Reel\nM:2/4\nL:1/8\nK:G\nGABc|d4|]\n"


def git(folder, *arguments):
    others = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # as hooks set
    environment = {**others, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit_all(folder, message):
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def upstream(tmp_path):
    """A repository with two commits: the pinned one has three tunes, the later one four."""
    root = tmp_path / "upstream"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "uploadpack.allowFilter", "true")
    git(root, "config", "uploadpack.allowAnySHA1InWant", "true")
    for name in ("one", "two", "zwölf, mit Komma"):
        file = root / "tunes" / f"{name}.abc"
        file.parent.mkdir(exist_ok=True)
        file.write_text(_TUNE, encoding="utf-8")
    (root / "LICENSE").write_text("CC0\n")
    (root / "big.pdf").write_bytes(b"%PDF" * 1000)
    pinned = commit_all(root, "first")
    (root / "tunes" / "four.abc").write_text(_TUNE)
    (root / "tunes" / "one.abc").write_text("X:1\nK:C\nC|]\n")
    commit_all(root, "second")
    return root, pinned


@pytest.fixture
def corpus(upstream, monkeypatch):
    """An entry of the registry for that repository, read like a folder of a user's own."""
    root, commit = upstream
    entry = replace(CORPORA["folder"], name="tunes", source_url=root.as_uri(), licence="CC0-1.0",
                    pin=Pin(commit, 3, ("*.abc",)))  # fmt: skip
    monkeypatch.setitem(CORPORA, "tunes", entry)
    return entry


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
                  and ".git" not in path.parts)  # fmt: skip


def test_the_pinned_files_come_and_nothing_else(corpus, tmp_path):
    steps = []
    folder = fetch(corpus, tmp_path / "corpora", progress=lambda *step: steps.append(step))
    assert folder == tmp_path / "corpora" / "tunes"
    assert files_of(folder) == ["LICENSE", "tunes/one.abc", "tunes/two.abc", "tunes/zwölf, mit Komma.abc"]
    assert (folder / "tunes" / "one.abc").read_text() == _TUNE
    assert commit_of(folder) == corpus.pin.commit
    assert not (tmp_path / "corpora" / "tunes.partial").exists()
    assert steps[-1] == ("checking", 0, 0)


def test_a_second_fetch_only_checks(corpus, upstream, tmp_path):
    folder = fetch(corpus, tmp_path)
    (folder / ".DS_Store").write_text("as a file manager leaves it")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.abc")}
    upstream[0].rename(tmp_path / "gone")
    assert fetch(corpus, tmp_path) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.abc")} == before


def test_a_repository_that_a_hook_of_git_names_is_left_alone(corpus, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    git(mine, "init", "--quiet")
    before = {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()}
    for name, value in (("GIT_DIR", ".git"), ("GIT_WORK_TREE", "."), ("GIT_INDEX_FILE", ".git/index")):
        monkeypatch.setenv(name, str(mine / value))
    assert commit_of(fetch(corpus, tmp_path)) == corpus.pin.commit
    assert {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "stop_before",
    [
        pytest.param("fetch", id="before anything came"),
        pytest.param("checkout", id="before the files were written"),
    ],
)
def test_an_interrupted_fetch_goes_on(stop_before, corpus, tmp_path, monkeypatch):
    from training.corpora.fetch import _Clone

    watch = _Clone._watch_git

    def stop(clone, *arguments):
        if arguments[0] == stop_before:
            raise KeyboardInterrupt
        watch(clone, *arguments)

    monkeypatch.setattr(_Clone, "_watch_git", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch(corpus, tmp_path)
    partial = tmp_path / "tunes.partial"
    (partial / ".git" / "index.lock").touch()  # as a killed git leaves it
    (partial / "tunes").mkdir(exist_ok=True)
    (partial / "tunes" / "one.abc").write_text("half a fi")
    monkeypatch.undo()
    assert len(corpus.list_files(fetch(corpus, tmp_path))) == 3
    assert (tmp_path / "tunes" / "tunes" / "one.abc").read_text() == _TUNE
    assert not partial.exists()


def _edit(folder):
    (folder / "tunes" / "two.abc").write_text("changed")


def _remove(folder):
    (folder / "tunes" / "two.abc").unlink()


def _add(folder):
    (folder / "tunes" / "more.abc").write_text(_TUNE)


def _move_on(folder):
    (folder / ".git" / "HEAD").write_text("0" * 40 + "\n")


def _forget(folder):
    (folder / ".git").rename(folder.parent / "elsewhere")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(_edit, r"differs from commit \w{12} in 1 files, the first is tunes/two\.abc", id="changed"),
        pytest.param(_remove, r"in 1 files, the first is tunes/two\.abc", id="removed"),
        pytest.param(_add, r"in 1 files, the first is tunes/more\.abc", id="added"),
        pytest.param(_move_on, r"holds 0{40}|git rev-parse failed", id="another commit"),
        pytest.param(_forget, r"holds no git repository, 'tunes' is pinned to \w{40}", id="not a clone"),
    ],
)
def test_a_folder_that_is_not_the_pinned_one_is_refused(harm, said, corpus, tmp_path):
    harm(fetch(corpus, tmp_path))
    with pytest.raises(FetchError, match=said):
        fetch(corpus, tmp_path)


def test_too_few_files_are_refused(corpus, tmp_path):
    wrong = replace(corpus, pin=replace(corpus.pin, n_files=4))
    with pytest.raises(FetchError, match=r"has 3 files to read, commit \w{12} of 'tunes' should have 4"):
        fetch(wrong, tmp_path)
    assert not (tmp_path / "tunes").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"pin": Pin("1" * 40, 3, ("*.abc",))}, "git fetch failed: .*1{40}", id="no such commit"),
        pytest.param({"source_url": "file:///nowhere"}, "from file:///nowhere: git fetch failed", id="no repository"),
    ],
)
def test_what_cannot_be_fetched_says_why_and_the_way_out(wrong, said, corpus, tmp_path):
    with pytest.raises(FetchError, match=said) as error:
        fetch(replace(corpus, **wrong), tmp_path)
    assert "run the same command again" in str(error.value)
    assert not (tmp_path / "tunes").exists()


def test_git_is_asked_for(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchError, match="git is not installed"):
        fetch(corpus, tmp_path)


def test_a_folder_of_the_users_own_cannot_be_fetched(tmp_path):
    with pytest.raises(FetchError, match="corpus build folder=PATH"):
        fetch(CORPORA["folder"], tmp_path)


def test_what_is_installed_is_not_fetched(tmp_path):
    root = CORPORA["music21_folk"].default_root()
    if root is None:
        pytest.skip("music21 is not installed: pip install music21")
    assert fetch(CORPORA["music21_folk"], tmp_path) == root
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [name for name, corpus in CORPORA.items() if corpus.pin])
def test_pins_are_whole(name):
    pin = CORPORA[name].pin
    assert len(pin.commit) == 40
    assert int(pin.commit, 16)
    assert pin.n_files > 0
    assert pin.patterns
    assert CORPORA[name].source_url


def test_all_that_is_public_can_be_had():
    assert [name for name, corpus in CORPORA.items() if not corpus.pin and not corpus.default_root()] == ["folder"]


def test_the_command_fetches_and_says_what_next(corpus, tmp_path):
    done = CliRunner().invoke(app, ["fetch", "tunes", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert f"corpus build tunes={tmp_path / 'tunes'}" in done.output
    again = CliRunner().invoke(app, ["fetch", "tunes", "--out", str(tmp_path), "--json"])
    assert json.loads(again.stdout) == {"folders": {"tunes": str(tmp_path / "tunes")}}


def test_the_command_ends_with_2_on_an_error(corpus, tmp_path, monkeypatch):
    monkeypatch.setitem(CORPORA, "tunes", replace(corpus, pin=replace(corpus.pin, commit="1" * 40)))
    done = CliRunner().invoke(app, ["fetch", "tunes", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "git fetch failed" in done.stderr
    assert "unknown corpus nonsense" in CliRunner().invoke(app, ["fetch", "nonsense"]).stderr


def test_the_list_says_licence_use_source_and_commit():
    listed = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)["corpora"]
    assert [each["name"] for each in listed] == list(CORPORA)
    assert all(each["licence"] and each["use"] for each in listed)
    jsb = next(each for each in listed if each["name"] == "jsb_json")
    assert (jsb["release"], jsb["use"], len(jsb["commit"])) == (False, "benchmark", 40)
    table = CliRunner().invoke(app, ["list"], env={"COLUMNS": "160"}).stdout
    assert "openscore_orchestra" in table
    assert "github.com/OpenScore/Lieder" in table
