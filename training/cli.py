"""The verbs of the model's life that need torch or corpora: `corpus list`, `corpus build` and `train`.

Each is thin over the package that does the work. Errors that a user can mend are printed without a traceback, exit 2.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

corpus = typer.Typer(help="Corpora, and datasets made from them.", no_args_is_help=True)


@contextmanager
def _user_errors() -> Iterator[None]:
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error


@corpus.command("list")
def list_corpora() -> None:
    """Show the corpora that can be read, with their licences."""
    from training.corpora import CORPORA

    table = Table("corpus", "genre", "licence", "for released weights", "source")
    for each in CORPORA.values():
        table.add_row(each.name, each.genre, each.licence, "yes" if each.release else "no", each.source_url)
    Console().print(table)


@corpus.command()
def build(
    sources: Annotated[list[str], typer.Argument(metavar="NAME=PATH...", help="Corpora and their folders.")],
    out: Annotated[Path, typer.Option(help="The dataset folder.")],
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Files of each corpus, spread evenly.")] = None,
) -> None:
    """Read and encode corpora into a dataset folder; what is done already is not done again."""
    from training.dataset import build as builder

    with _user_errors():
        named = dict(_named_path(source) for source in sources)
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(TextColumn("{task.description}"), *columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("reading and encoding", total=None)

            def tell(doing: str, done: int, total: int) -> None:
                bar.update(task, description=doing, completed=done, total=total)

            report = builder.build(out, named, jobs=jobs, limit=limit, progress=tell)
    figures = report["all"]
    print(
        f"{out}: {figures['n_pieces']:,} pieces, {figures['n_measures']:,} measures "
        f"({figures['kept_share']:.2%} whole), {figures['n_tokens']:,} tokens; see {out / 'report.md'}"
    )


def _named_path(source: str) -> tuple[str, Path]:
    name, equals, path = source.partition("=")
    if not equals or not path:
        raise ValueError(f"'{source}' is not NAME=PATH: write for instance music21_folk=corpora/music21_folk.")
    return name, Path(path)


def train(
    data: Annotated[Path, typer.Option(help="A dataset folder, made by `corpus build`.")],
    out: Annotated[Path, typer.Option(help="The folder of the run.")],
    config: Annotated[str, typer.Option(help="A configuration of this package, or a TOML file.")] = "small",
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Wall-clock time of the run.")] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads of torch; 0 lets it choose.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Instead of the configuration's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")] = False,
) -> None:
    """Train a model on a dataset."""
    import logging

    from training.config import load_config
    from training.trainer import train as run

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    with _user_errors():
        settings = load_config(config, minutes=minutes, seed=seed)
        checkpoint = run(data, out, settings, n_threads=threads, resume=resume)
    print(checkpoint)


def main() -> None:
    """The same verbs as a program of their own, for a checkout without the server."""
    app = typer.Typer(no_args_is_help=True)
    app.add_typer(corpus, name="corpus")
    app.command()(train)
    app()


if __name__ == "__main__":
    main()
