"""`ghostnote convert`: one notation to another, by suffix."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lsp_server.commands.midi import write_midi
from lsp_server.commands.source import language_for, read_or_fail
from lsp_server.exits import INPUT, USAGE, fail
from notation.diagnostic import Severity
from notation.score import Score

_MIDI = (".mid", ".midi")


def convert(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file to read.")],
    target: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write; it is replaced.")],
    tune: Annotated[int | None, typer.Option(min=1, help="Which tune of the file, from 1; all if not given.")] = None,
) -> None:
    """Convert a score between .abc, .musicxml and .mxl, or write it as .mid; the suffixes say what is what."""
    if source.suffix.lower() in _MIDI:
        fail(f"cannot read '{source}': MIDI files can only be written. Convert from .abc or .musicxml.", USAGE)
    document = read_or_fail(source).parse()
    scores = _chosen(document.scores, tune, source)
    if len(scores) > 1 and target.suffix.lower() != ".abc":
        fail(f"'{source}' holds {len(scores)} tunes, '{target.suffix}' files hold one. Choose one with --tune.", USAGE)
    data = _written(scores, target)
    try:
        target.write_bytes(data)
    except OSError as error:
        fail(f"cannot write '{target}': {error.strerror}.", USAGE)
    errors = sum(one.severity is Severity.ERROR for one in document.diagnostics)
    if errors:
        fail(f"'{source}' has {errors} errors; '{target}' holds what could be read. See: ghostnote check", INPUT)


def _chosen(scores: tuple[Score, ...], tune: int | None, source: Path) -> tuple[Score, ...]:
    if not scores:
        fail(f"'{source}' holds no music.", INPUT)
    if tune is None:
        return scores
    if tune > len(scores):
        fail(f"--tune is {tune} but '{source}' holds {len(scores)}.", USAGE)
    return scores[tune - 1 : tune]


def _written(scores: tuple[Score, ...], target: Path) -> bytes:
    suffix = target.suffix.lower()
    if suffix in _MIDI:
        return write_midi(scores[0])
    text = language_for(target).print(scores)
    if suffix == ".mxl":
        from notation.musicxml import write_mxl

        return write_mxl(text)
    return text.encode("utf-8", errors="replace")
