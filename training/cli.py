"""The verb `corpus`: `list`, `fetch` and `build`.

Thin over the packages that do the work. Errors that a user can mend are printed without a traceback, exit 2.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

from training.corpora.base import Corpus
from training.exits import user_errors

corpus = typer.Typer(help="Corpora, and datasets made from them.", no_args_is_help=True)

_DEFAULT_CORPUS = "music21"
"""What a newcomer starts with: it came with the package music21."""

_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def _progress_bar(doing: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, and the function that moves it: (what is done, steps done, steps in all)."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(doing, total=None)

        def tell(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total or None)

        yield tell


@corpus.command("list")
def list_corpora(as_json: _AsJson = False) -> None:
    """Show the corpora that can be read: licence, use, and where they come from."""
    from training.corpora import CORPORA

    rows = [
        {
            "name": each.name,
            "genre": each.genre,
            "licence": each.licence,
            "use": each.use,
            "release": each.release,
            "source": each.source_url,
            "commit": each.pin.commit if each.pin else "",
        }
        for each in CORPORA.values()
    ]
    if as_json:
        print(json.dumps({"corpora": rows}))
        return
    columns = (Column("corpus", no_wrap=True), "licence", "use", "for release", Column("source", overflow="fold"))
    table = Table(*columns)
    for each in CORPORA.values():
        source = each.source_url.removeprefix("https://") or "your own"
        if each.pin:
            source += f" at {each.pin.commit[:8]}"
        elif each.default_root():
            source += ", installed"
        table.add_row(each.name, each.licence, each.use, "yes" if each.release else "no", source)
    Console().print(table)


@corpus.command("fetch")
def fetch_corpora(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Corpora, as `corpus list` calls them.")],
    out: Annotated[Path, typer.Option(help="The folder that gets a folder for each.")] = Path("corpora"),
    as_json: _AsJson = False,
) -> None:
    """Fetch corpora at the commits that the released dataset was made from, and check them; needs git."""
    from training.corpora.fetch import FetchError, fetch

    folders: dict[str, str] = {}
    with user_errors(FetchError):
        for each in [_corpus_named(name) for name in names]:
            with _progress_bar(each.name) as tell:
                folders[each.name] = str(fetch(each, out, progress=tell))
            if not as_json:
                print(f"{each.name}: {folders[each.name]} ({each.licence})")
    if as_json:
        print(json.dumps({"folders": folders}))
    else:
        given = " ".join(f"{name}={folder}" for name, folder in folders.items())
        print(f"Next: ghostnote corpus build {given} --out dataset")


@corpus.command()
def build(
    out: Annotated[Path, typer.Option(help="The dataset folder.")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=PATH]...",
            help="Corpora and their folders; a NAME alone for one that is installed. Without any: music21's own.",
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a processor.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Work on the Dask cluster with this address instead.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Files of each corpus, spread evenly.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Read and encode corpora into a dataset folder; what is done already is not done again."""
    from training.dataset import build as builder
    from training.dataset.workers import available_processors

    with user_errors(), _progress_bar("reading and encoding") as tell:
        named = dict(_source(source) for source in sources or [_DEFAULT_CORPUS])
        processes = jobs or available_processors()
        report = builder.build(out, named, jobs=processes, scheduler=scheduler, limit=limit, progress=tell)
    if as_json:
        print(json.dumps({"dataset": str(out), **report}))
        return
    figures = report["all"]
    print(
        f"{out}: {figures['n_pieces']:,} pieces, {figures['n_measures']:,} measures "
        f"({figures['kept_share']:.2%} whole), {figures['n_tokens']:,} tokens; see {out / 'report.md'}"
    )


def _corpus_named(name: str) -> Corpus:
    from training.corpora import CORPORA

    if name not in CORPORA:
        raise ValueError(f"unknown corpus {name}: choose among {', '.join(sorted(CORPORA))}.")
    return CORPORA[name]


def _source(source: str) -> tuple[str, Path]:
    """The name and the folder that `NAME=PATH`, or `NAME` alone, stands for."""
    name, equals, path = source.partition("=")
    if path:
        return name, Path(path)
    if equals:
        raise ValueError(f"'{source}' names no folder: write {name}=FOLDER.")
    root: Path | None = _corpus_named(name).default_root()
    if root is None:
        raise ValueError(
            f"'{source}' does not say where the corpus lies. Write {name}=FOLDER; `ghostnote corpus fetch {name}` gets "
            "it, or for what comes with a package: pip install 'ghostnote[training]'."
        )
    return name, root


def main() -> None:
    """The same verb as a program of its own, for a checkout without the server."""
    app = typer.Typer(no_args_is_help=True)
    app.add_typer(corpus, name="corpus")
    app()


if __name__ == "__main__":
    main()
