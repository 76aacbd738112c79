"""How long does a whole parse take, beside the parsers that people use?

Ours is what an editor gets: the score with the place of everything in the text, and all diagnostics. The peers make
their own score of the same text and know no places (lxml makes no score at all: it is the floor for reading XML). Each
document is read once by each, so that nothing of it is remembered; others have been read before, so that interpreters
and just-in-time compilers are warm on both sides.

    python -m benchmarks.peers.parsing --json
"""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from benchmarks.peers.pairing import (
    AsJson,
    Benchmark,
    Comparison,
    Core,
    Out,
    Timed,
    compare,
    report,
    seconds,
    use_one_core,
)
from benchmarks.peers.weights import installed
from benchmarks.sites import abc_tunes
from benchmarks.validity import packaged
from notation.abc import decode_bytes
from notation.language import language
from notation.musicxml import MxlError, read_file

NODE_FOLDER = Path(__file__).parents[2] / "tests" / "support" / "judges" / "node"
ABCJS_TIMER = Path(__file__).with_name("abcjs.mjs")
GOALS = {
    "musicxml": {"music21": 1 / 12, "partitura": 1 / 8},
    "abc": {"music21": 1 / 50, "abcjs": 1.5},
}
WARM_UP = 5
"""Documents that are read before anything counts."""
LONGEST = 1_000_000
"""Code points of a document at most: music21 takes a minute for more."""
Data = Annotated[list[Path] | None, typer.Option(help="a file or folder of documents; may be repeated")]
Listed = Annotated[Path | None, typer.Option("--list", help="a file with one path a line, in UTF-8")]
Languages = Annotated[str, typer.Option(help="which ones, with commas")]
LEAVES_OUT = "reading the file, decompressing and decoding it, starting the programs"


def whole_parse(name: str) -> Timed[str]:
    """Our parse of a text."""
    notation = language(name)
    return lambda text: seconds(lambda: _look_at(notation.parse(text).scores))


def _look_at(scores: Iterable[object]) -> None:
    """Ask for every measure, should a parser put work off until somebody does."""
    for score in scores:
        for part in getattr(score, "parts", ()):
            for measure in part.measures:
                measure.voices  # noqa: B018  # it may be made when it is asked for


def music21_parse(name: str) -> Timed[str]:
    """music21's parse of a text; nothing is cached for texts that come from no file."""
    from music21 import converter

    return lambda text: seconds(lambda: converter.parseData(text, format=name))


def partitura_parse() -> Timed[str]:
    """partitura's parse of a MusicXML text."""
    import partitura

    def parse(text: str) -> float:
        file = io.BytesIO(text.encode())
        return seconds(lambda: partitura.load_musicxml(file))

    return parse


def lxml_parse() -> Timed[str]:
    """lxml's tree of an XML text."""
    from lxml import etree

    def parse(text: str) -> float:
        data = text.encode()
        return seconds(lambda: etree.fromstring(data))

    return parse


@contextmanager
def abcjs_parse() -> Iterator[Timed[str]]:
    """abcjs's parse of an ABC text, timed in node."""
    command = ["node", str(ABCJS_TIMER), str(NODE_FOLDER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        requests, answers = node.stdin, node.stdout

        def parse(text: str) -> float:
            requests.write(json.dumps(text) + "\n")
            return int(answers.readline()) / 1e6

        try:
            yield parse
        finally:
            requests.close()


def peers_of(name: str, open_until: ExitStack) -> tuple[dict[str, Timed[str]], list[str]]:
    """The peers of a language that are installed, and notes on those that are not."""
    with_music21: tuple[str, bool, Callable[[], Timed[str]]] = (
        "music21",
        installed("music21"),
        lambda: music21_parse(name),
    )
    known = {
        "musicxml": [
            with_music21,
            ("partitura", installed("partitura"), partitura_parse),
            ("lxml", installed("lxml"), lxml_parse),
        ],
        "abc": [
            with_music21,
            ("abcjs", abcjs_installed(), lambda: open_until.enter_context(abcjs_parse())),
        ],
    }[name]
    found = {peer: make() for peer, is_here, make in known if is_here}
    missing = [f"{peer} is absent: it is not installed." for peer, is_here, _ in known if not is_here]
    return found, missing


def abcjs_installed() -> bool:
    """Whether node and abcjs are here."""
    return shutil.which("node") is not None and (NODE_FOLDER / "node_modules" / "abcjs").is_dir()


# Documents


def readable(documents: Iterable[str], n: int, peers: Iterable[Timed[str]]) -> tuple[list[str], int]:
    """The first `n` documents that every peer can read, and how many it took to find them."""
    every = list(peers)
    found: list[str] = []
    looked_at = 0
    for text in documents:
        if len(found) == n:
            break
        looked_at += 1
        with suppress(Exception):  # a peer may fail in any way that it likes
            for peer in every:
                peer(text)
            found.append(text)
    return found, looked_at


def paths_given(data: Sequence[Path] | None, listed: Path | None) -> list[Path]:
    """The files and folders that the command line names, and those that stand in a file one a line."""
    lines = listed.read_text(encoding="utf-8").splitlines() if listed else []
    return [*(data or []), *map(Path, lines)]


def documents(paths: Sequence[Path] | None, name: str, seed: int) -> Iterator[str]:
    """Whole documents of a language in random order, of ABC files one tune of each.

    Args:
        paths: files and folders; None takes music21's packaged scores.
        name: of the language.
        seed: of the order.
    """
    paths = packaged(name) if paths is None else paths
    suffixes = {"abc": {".abc"}, "musicxml": {".musicxml", ".mxl", ".xml"}}[name]
    files = sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))})
    files = [file for file in files if file.suffix in suffixes]
    rng = random.Random(seed)
    rng.shuffle(files)
    for file in files:
        text = _read(file, name, rng)
        if 0 < len(text) <= LONGEST:
            yield text


def _read(file: Path, name: str, rng: random.Random) -> str:
    """The text of a file, of several tunes one; empty if it holds no document."""
    try:
        if name == "musicxml":
            return read_file(file.read_bytes())
    except MxlError:
        return ""
    tunes = [tune for tune in abc_tunes(decode_bytes(file.read_bytes())[0]) if "K:" in tune]
    return rng.choice(tunes) if tunes else ""


def measure(name: str, paths: Sequence[Path] | None, n: int, seed: int) -> tuple[list[Comparison], list[str]]:
    """The comparisons of one language, and notes."""
    with ExitStack() as open_until, Progress(console=Console(stderr=True)) as progress:
        peers, notes = peers_of(name, open_until)
        source = progress.track(documents(paths, name, seed), description=f"{name}: choosing", total=None)
        texts, looked_at = readable(source, n + WARM_UP, peers.values())
        if len(texts) <= WARM_UP:
            raise typer.BadParameter(f"no more than {len(texts)} {name} documents can be read by all; see --data")
        warm_up, texts = texts[:WARM_UP], texts[WARM_UP:]
        task = progress.add_task(f"{name}: timing", total=len(texts))
        found = compare(
            f"whole parse of {name}",
            texts,
            ("ghostnote", whole_parse(name)),
            peers,
            warm_up=warm_up,
            goals=GOALS[name],
            leaves_out=LEAVES_OUT,
            progress=lambda: progress.advance(task),
        )
    lengths = sorted(map(len, texts))
    notes.append(
        f"{name}: {len(texts)} documents of {lengths[0]:,} to {lengths[-1]:,} characters, median "
        f"{lengths[len(lengths) // 2]:,}; {looked_at - len(texts) - WARM_UP} more were left out: a peer fails on them."
    )
    return found, notes


def main(
    data: Data = None,
    listed: Listed = None,
    languages: Languages = "musicxml,abc",
    n: Annotated[int, typer.Option("--documents", min=1, help="of each language")] = 60,
    seed: int = 0,
    core: Core = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Time whole parses beside music21, partitura, lxml and abcjs."""
    use_one_core(core)
    warnings.simplefilter("ignore")  # partitura's, about documents
    given = paths_given(data, listed)
    origin = "the documents given" if given else "music21's packaged scores"
    benchmark = Benchmark(
        "parsing",
        "How long does a whole parse take?",
        f"Whole documents drawn from {origin} (seed {seed}), each read once by every parser.",
        packages=("lxml", "music21", "partitura"),
    )
    for name in languages.split(","):
        found, notes = measure(name, given or None, n, seed)
        benchmark.comparisons += found
        benchmark.notes += notes
    report(benchmark, "python -m benchmarks.peers.parsing", as_json, out)


if __name__ == "__main__":
    typer.run(main)
