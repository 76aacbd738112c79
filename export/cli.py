"""The verbs `export`, which makes a bundle of a checkpoint, and `evaluate`, which measures how well it predicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from inference.bundle import Precision
from notation.tokens.vocabulary import GENRES
from training.exits import fail


def export(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...", help="The model, as `ghostnote train` wrote it; of several the networks vote."
        ),
    ],
    out: Annotated[Path, typer.Argument(help="The bundle's folder; an older bundle there is replaced.")],
    precision: Annotated[Precision, typer.Option(help="fp16 is for CUDA, int8 for processors.")] = "int8",
    max_length: Annotated[
        int | None, typer.Option(min=2, help="Tokens of context; by default what the model was trained on.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The bundle's name; by default the folder's.")] = None,
    quality: Annotated[
        Path | None,
        typer.Option(help="Figures for the manifest and the card, as `ghostnote evaluate --out` wrote them."),
    ] = None,
) -> None:
    """Turn a trained model into the bundle that the server loads."""
    from export.bundle import export_bundle  # torch is slow to import: only this verb pays for it
    from training.models.checkpoint import load_checkpoints

    try:
        parity = export_bundle(
            load_checkpoints(models),
            out,
            precision=precision,
            max_length=max_length,
            name=name,
            quality=_read_quality(quality),
        )
    except (OSError, ValueError) as error:
        raise typer.Exit(fail(f"cannot export {' '.join(map(str, models))}: {error}", 1)) from error
    size = sum(file.stat().st_size for file in out.iterdir())
    typer.echo(
        f"{out}: {size / 1e6:.1f} MB, {precision}; logits off by at most {parity.max_error:.2g}, the same first choice "
        f"at {parity.top1_agreement:.1%} of {parity.tokens} positions"
    )


def _read_quality(path: Path | None) -> dict[str, Any]:
    from export.evaluation.report import summary

    if path is None:
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, not an object of figures.")
    return summary(content) if "tests" in content else content


def bench(
    bundles: Annotated[
        list[str] | None, typer.Argument(metavar="[BUNDLE]...", help="Folders or names; the shipped one if none.")
    ] = None,
    provider: Annotated[str, typer.Option(help="cpu, cuda or both (cpu,cuda); all there are if not given.")] = "",
    threads: Annotated[str, typer.Option(help="Threads within an operator, such as 1,2.")] = "1",
    batch: Annotated[str, typer.Option(help="Rows side by side, such as 1,4: candidates of a suggestion.")] = "1",
    contexts: Annotated[str, typer.Option(help="Tokens that were read before a step is timed.")] = "128,512,1024",
    repeats: Annotated[int, typer.Option(min=1, help="How often each context is measured.")] = 10,
    documents: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Real scores; a tune and a hymn if not given.")
    ] = None,
    sites: Annotated[int, typer.Option(min=1, help="Cursors in the documents, about.")] = 96,
    lsp: Annotated[bool, typer.Option("--lsp", help="Measure the real server over standard input and output too.")] = (
        False
    ),
    quality: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="A dataset folder: how good is it?")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV and nothing else.")] = False,
    plot: Annotated[Path | None, typer.Option(dir_okay=False, help="A picture to draw, .png or .svg.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="What --json printed earlier, to compare with.")
    ] = None,
    tolerance: Annotated[float, typer.Option(min=1, help="How many times worse than the baseline is allowed.")] = 1.3,
) -> None:
    """Measure how fast models are on this machine, without an editor, and how good."""
    from export.bench.command import Request, numbers, run_bench

    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other: give one of them.")
    request = Request(
        bundles=tuple(bundles or [""]),
        providers=tuple(part.strip() for part in provider.split(",") if part.strip()),
        threads=numbers("--threads", threads),
        batches=numbers("--batch", batch),
        contexts=numbers("--contexts", contexts),
        repeats=repeats,
        documents=documents,
        sites=sites,
        lsp=lsp,
        quality=quality,
        output="json" if as_json else "csv" if as_csv else "table",
        plot=plot,
        baseline=baseline,
        tolerance=tolerance,
    )
    raise typer.Exit(run_bench(request))


def evaluate(
    data: Annotated[Path, typer.Option(help="A dataset folder, made by `corpus build`.")],
    bundle: Annotated[
        str | None, typer.Option(help="A bundle, folder or name; without one, only the simple rules are scored.")
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(help="Instead, a model as `ghostnote train` wrote it; given several times, their networks vote."),
    ] = None,
    genre: Annotated[
        list[str] | None,
        typer.Option(help=f"May be given several times: {', '.join(GENRES)}; six of them if not given."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(help="May be given several times; 'next measure', infill, keystrokes and continuation."),
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid, test or unseen: composers held out whole.")] = "test",
    limit: Annotated[
        int,
        typer.Option(min=0, help="Measures of each genre, drawn by chance; fewer pieces in the other tests. 0: all."),
    ] = 100,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print tables as Markdown.")] = False,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the JSON here, for `ghostnote export --quality`.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(dir_okay=False, help="A picture to draw, .png or .svg.")] = None,
    listening: Annotated[
        Path | None, typer.Option(file_okay=False, help="A folder for scores and MIDI of real and suggested music.")
    ] = None,
) -> None:
    """Predict held-out music, beside simple rules on the same music."""
    from export.evaluation.command import Request, run_evaluation

    if as_json and as_markdown:
        raise typer.BadParameter("--json and --markdown exclude each other: give one of them.")
    request = Request(
        data=data,
        bundle=bundle,
        checkpoints=tuple(model or ()),
        genres=tuple(genre or ()),
        tests=tuple(test or ()),
        split=split,
        limit=limit or None,
        seed=seed,
        threads=threads,
        output="json" if as_json else "markdown" if as_markdown else "table",
        out=out,
        plot=plot,
        listening=listening,
    )
    raise typer.Exit(run_evaluation(request))
