"""The verb `export`: a checkpoint becomes a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from inference.bundle import Precision


def export(
    checkpoint: Annotated[Path, typer.Argument(help="The trained model, as `ghostnote train` wrote it.")],
    out: Annotated[Path, typer.Argument(help="The bundle's folder; an older bundle there is replaced.")],
    precision: Annotated[Precision, typer.Option(help="How the large matrices are stored.")] = "int8",
    max_length: Annotated[
        int | None, typer.Option(min=2, help="Tokens of context; by default what the model was trained on.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The bundle's name; by default the folder's.")] = None,
    quality: Annotated[
        Path | None, typer.Option(help="A JSON object of measured figures for the manifest and the card.")
    ] = None,
) -> None:
    """Turn a trained model into the bundle that the server loads."""
    from export.bundle import export_bundle  # torch is slow to import: only this verb pays for it
    from training.models.checkpoint import load_checkpoint

    try:
        parity = export_bundle(
            load_checkpoint(checkpoint),
            out,
            precision=precision,
            max_length=max_length,
            name=name,
            quality=_read_quality(quality),
        )
    except (OSError, ValueError) as error:
        typer.echo(f"cannot export {checkpoint}: {error}", err=True)
        raise typer.Exit(1) from error
    size = sum(file.stat().st_size for file in out.iterdir())
    typer.echo(
        f"{out}: {size / 1e6:.1f} MB, {precision}; logits off by at most {parity.max_error:.2g}, the same first choice "
        f"at {parity.top1_agreement:.1%} of {parity.tokens} positions"
    )


def _read_quality(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, not an object of figures.")
    return content
