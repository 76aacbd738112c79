"""`ghostnote complete`: the next measures of a file, at a cursor."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsp_server.commands.source import Source, read_or_fail
from lsp_server.exits import MODEL, USAGE, fail
from notation.language import Document
from notation.source import line_and_column

if TYPE_CHECKING:
    from inference.completion import Completer, CompletionResult

_TRIES = 2000
_LINE_END = re.compile(r"\r\n|\n|\r")


def complete(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An ABC or MusicXML file.")],
    line: Annotated[int | None, typer.Option(min=1, help="Line of the cursor, from 1; the end if not given.")] = None,
    column: Annotated[
        int | None,
        typer.Option(min=1, help="Column of the cursor, from 1, the line's end if not given."),
    ] = None,
    measures: Annotated[int, typer.Option(min=1, max=16, help="Measures in a suggestion.")] = 1,
    candidates: Annotated[int, typer.Option(min=1, max=10, help="How many different suggestions.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the random choices, where the temperature is above 0.")] = 0,
    temperature: Annotated[float, typer.Option(min=0.0, max=2.0, help="0 for the likeliest music.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    model: Annotated[str, typer.Option(help="Folder of a model bundle; the shipped one if not given.")] = "",
    provider: Annotated[str, typer.Option(help="Where the model runs: auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Processor threads the model may use.")] = 1,
) -> None:
    """Suggest the next measures of a file, at a cursor or at the end of its music."""
    if column is not None and line is None:
        fail("--column needs --line: say which line the cursor is on.", USAGE)
    source = read_or_fail(file)
    completer = _completer(model, provider, threads)
    from inference.completion import CompletionOptions

    began = time.perf_counter()
    document = source.parse()
    parse_ms = 1000 * (time.perf_counter() - began)
    offset = _end_of_music(source, document) if line is None else _offset(source.text, line, column)
    options = CompletionOptions(measures=measures, candidates=candidates, temperature=temperature, seed=seed)
    result = completer.complete(document, source.language, offset, options)
    timing = {**result.timing_ms}
    for stage in ("parse", "total"):
        timing[stage] = timing.get(stage, 0.0) + parse_ms
    if as_json:
        print(json.dumps(_as_json(source, offset, result, timing), ensure_ascii=False))
    else:
        from lsp_server.commands.show import show_completion

        show_completion(source.text, offset, result, timing)


def _completer(model: str, provider: str, threads: int) -> Completer:
    if provider not in ("auto", "cpu", "cuda"):
        fail(f"--provider is '{provider}' but must be auto, cpu or cuda.", USAGE)
    from lsp_server.models import ModelChoice, ModelUnavailableError, load

    try:
        completer = load(ModelChoice(model, provider, threads))
    except ModelUnavailableError as error:
        fail(str(error), MODEL)
    if completer.message:
        typer.echo(f"ghostnote: {completer.message}", err=True)
    return completer


def _offset(text: str, line: int, column: int | None) -> int:
    """The offset of a cursor; ends the program if the text has no such place."""
    starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
    if line > len(starts):
        fail(f"--line is {line} but the file has {len(starts)} lines.", USAGE)
    start = starts[line - 1]
    line_end = _LINE_END.search(text, start)
    width = (line_end.start() if line_end else len(text)) - start
    if column is None:
        return start + width
    if column > width + 1:
        fail(f"--column is {column} but line {line} ends at column {width + 1}.", USAGE)
    return start + column - 1


def _end_of_music(source: Source, document: Document) -> int:
    """The last place where music can be written: the end of a line, or the end of an element."""
    offset = len(source.text.rstrip())
    for _ in range(_TRIES):
        if source.language.completion_site(document, offset) is not None or offset == 0:
            return offset
        before = source.text[: offset - 1]
        offset = max(before.rfind(">") + 1, len(before[: before.rfind("\n") + 1].rstrip()))
    return len(source.text)


def _as_json(source: Source, offset: int, result: CompletionResult, timing: dict[str, float]) -> dict[str, Any]:
    suggestions = []
    for one in result.suggestions:
        line, column = line_and_column(source.text, one.offset)
        suggestions.append(
            {"text": one.text, "line": line, "column": column, "measures": one.measures, "score": one.score}
        )
    return {
        "language": source.language.name,
        "site": _site_as_json(source.text, offset, result),
        "suggestions": suggestions,
        "model": result.model,
        "provider": result.provider,
        "timing_ms": {stage: round(ms, 3) for stage, ms in timing.items()},
    }


def _site_as_json(text: str, offset: int, result: CompletionResult) -> dict[str, Any] | None:
    """The site; measure counts from 1, part is its name, remaining a fraction of a whole note."""
    site = result.site
    if site is None:
        return None
    line, column = line_and_column(text, offset)
    return {
        "line": line,
        "column": column,
        "measure": site.measure + 1,
        "part": site.score.parts[site.part].id,
        "voice": site.voice,
        "remaining": None if site.remaining is None else str(site.remaining),
    }
