"""The benchmarks beside other programs: each runs, tiny, with whatever peers are installed, and says what they must."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.peers.decoding import check
from benchmarks.peers.pairing import Benchmark, Comparison, as_markdown, compare
from benchmarks.peers.parsing import abcjs_installed
from benchmarks.peers.weights import GENAI, LLAMA_CPP, TRANSFORMERS, EagerTorch, network, worst_difference
from export.bench.documents import load_pieces
from export.bench.machine import environment
from notation.tokens.vocabulary import TOKENS
from training.corpora import CORPORA
from training.dataset.build import build
from training.models import ModelConfig, build_model
from training.models.checkpoint import Checkpoint, save_checkpoint

SUFFIX = {"abc": ".abc", "musicxml": ".musicxml"}


def small_checkpoint(seed: int) -> Checkpoint:
    """A network that knows nothing, but in the real vocabulary, with keys shared among query heads."""
    config = ModelConfig("llama", len(TOKENS), n_layer=2, n_head=4, n_kv_head=2, n_embd=128, block_size=512)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build_model(config).eval()
    return Checkpoint(model, list(TOKENS), {})


def run(script: str, *arguments: str) -> dict[str, Any]:
    """What a script prints with --json; it runs by itself, for it binds its process to one core."""
    command = [sys.executable, "-m", f"benchmarks.peers.{script}", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=280)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def written(found: dict[str, Any], folder: Path) -> None:
    """The table and the plot are there, and the table has a row for each comparison."""
    table = (folder / f"{found['benchmark']}.md").read_text(encoding="utf-8")
    assert table.count("\n| ") == len(found["comparisons"]) + 1
    assert (folder / f"{found['benchmark']}.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pieces that come with the program, a few times over."""
    folder = tmp_path_factory.mktemp("peers")
    for number in range(3):
        for piece in load_pieces():
            (folder / f"{piece.name}-{number}{SUFFIX[piece.language]}").write_text(piece.text, encoding="utf-8")
    return folder


# Pairing


def test_sides_take_turns_and_ratios_are_of_pairs() -> None:
    """Ours takes half the peer's time on every item, and neither side always goes first."""
    order: list[str] = []

    def side(name: str, factor: float) -> Any:
        return lambda item: (order.append(name), factor * item)[1]

    (found,) = compare(
        "work", [1.0, 2.0, 3.0], ("a", side("a", 1)), {"b": side("b", 2)}, warm_up=[9.0], goals={"b": 0.5}
    )
    assert "".join(order) == "ab" + "abbaab"
    assert found.ratios == (0.5,) * 3
    assert found.ours_ms == (1000, 2000, 3000)
    assert found.met is True


def test_of_several_rounds_the_median_of_a_side_counts() -> None:
    """Each item is begun by either side in turn, whether their number is even or odd."""
    order: list[str] = []
    times = {"a": iter([1.0, 2.0, 9.0, 2.0, 1.0, 2.0]), "b": iter([4.0] * 6)}

    def side(name: str) -> Any:
        return lambda item: (order.append(f"{name}{item}"), next(times[name]))[1]

    (found,) = compare("work", [1, 2], ("a", side("a")), {"b": side("b")}, warm_up=[], rounds=3)
    assert order == ["a1", "b1", "b2", "a2", "b1", "a1", "a2", "b2", "a1", "b1", "b2", "a2"]
    assert found.ours_ms == (1000, 2000)
    assert found.ratios == (0.25, 0.5)


def test_a_clock_that_is_too_coarse_for_the_peer_gives_a_ratio() -> None:
    (found,) = compare("work", [1], ("a", lambda _: 0.016), {"b": lambda _: 0.0}, warm_up=[])
    assert found.ratio > 1


@pytest.mark.parametrize(
    ("goal", "said"),
    [pytest.param(1.0, "no", id="missed"), pytest.param(2.0, "yes", id="met"), pytest.param(None, "", id="none")],
)
def test_table_says_whether_a_goal_is_met(goal: float | None, said: str) -> None:
    one = Comparison("work", "a", "b", (1.0, 2.0, 1.5), (1.0, 2.0, 1.5), (1.0, 1.0, 1.0), goal)
    table = as_markdown(Benchmark("name", "Title?", "Work.", [one]), "command")
    assert f"| **1.5** | 1.25 to 1.75 | {'' if goal is None else f'{goal:.3g}'} | {said} |" in table


# The same weights


def test_eager_torch_computes_what_the_network_computes() -> None:
    checkpoint = small_checkpoint(1)
    eager = EagerTorch(checkpoint, 64)
    worst, agreed = worst_difference(eager, network(checkpoint), [[5], list(range(40))])
    assert worst < 1e-4
    assert agreed == 1
    ids = eager.write([3, 1, 4], 6).ids
    again = [int(eager.logits([3, 1, 4, *ids[:length]]).argmax()) for length in range(6)]
    assert ids == again


def test_other_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="holds other weights"):
        check({"eager torch, fp32": EagerTorch(small_checkpoint(2), 64)}, small_checkpoint(1), [[1, 2, 3]])


@pytest.fixture(scope="module")
def decoding(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the decoding benchmark prints."""
    folder = tmp_path_factory.mktemp("decoding")
    save_checkpoint(folder / "model.pt", small_checkpoint(1).model, TOKENS)
    options = ("--checkpoint", str(folder / "model.pt"), "--data", str(data), "--sites", "4", "--out", str(folder))
    found = run("decoding", *options)
    written(found, folder)
    return found


@pytest.mark.parametrize(
    ("peer", "package"),
    [
        pytest.param("eager torch, fp32", "torch", id="eager torch"),
        pytest.param("bare engine, argmax", "onnxruntime", id="our engine without grammar"),
        pytest.param(LLAMA_CPP, "llama_cpp", id="llama.cpp"),
        pytest.param(TRANSFORMERS, "transformers", id="transformers"),
        pytest.param(GENAI, "onnxruntime_genai", id="onnxruntime-genai"),
    ],
)
def test_decodes_beside(decoding: dict[str, Any], peer: str, package: str) -> None:
    if find_spec(package) is None:
        assert any(note.startswith(f"{peer} is absent") for note in decoding["notes"])
        pytest.skip(f"{package} is not installed: see benchmarks/peers/__init__.py")
    work = {one["what"] for one in decoding["comparisons"] if one["peer"] == peer and one["ratio"] > 0}
    assert {"a token after the prompt, with drafts", "a token after the prompt, without drafts"} <= work


# Parsing


@pytest.fixture(scope="module")
def parsing(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the parsing benchmark prints."""
    folder = tmp_path_factory.mktemp("parsing")
    found = run("parsing", "--data", str(data), "--documents", "1", "--out", str(folder))
    written(found, folder)
    return found


@pytest.mark.parametrize(
    ("peer", "language", "is_here"),
    [
        pytest.param("music21", "musicxml", find_spec("music21") is not None, id="music21, MusicXML"),
        pytest.param("partitura", "musicxml", find_spec("partitura") is not None, id="partitura"),
        pytest.param("lxml", "musicxml", True, id="lxml"),
        pytest.param("music21", "abc", find_spec("music21") is not None, id="music21, ABC"),
        pytest.param("abcjs", "abc", abcjs_installed(), id="abcjs"),
    ],
)
def test_parses_beside(parsing: dict[str, Any], peer: str, language: str, is_here: bool) -> None:
    if not is_here:
        assert any(note.startswith(f"{peer} is absent") for note in parsing["notes"])
        pytest.skip(f"{peer} is not installed: see benchmarks/peers/__init__.py")
    (one,) = (
        one for one in parsing["comparisons"] if one["peer"] == peer and one["what"] == f"whole parse of {language}"
    )
    assert len(one["ratios"]) == 1
    assert one["ratio"] > 0


# Growth


def test_compares_an_edit_in_a_short_and_in_a_long_document(tmp_path: Path, model: str) -> None:
    found = run("scaling", "--edits", "1", "--rounds", "1", "--model", model, "--out", str(tmp_path))
    written(found, tmp_path)
    assert len(found["comparisons"]) == 6
    assert all(one["goal"] == 1.2 and one["ratio"] > 0 for one in found["comparisons"])


def test_trains_beside_a_bare_loop(tmp_path: Path) -> None:
    build(tmp_path / "data", {"music21": CORPORA["music21"].default_root()}, limit=20)
    found = run("training", str(tmp_path / "data"), "--config", "small", "--steps", "2", "--rounds", "1")
    assert [one["peer"] for one in found["comparisons"]] == ["bare torch loop"]
    assert found["comparisons"][0]["ratio"] > 0
