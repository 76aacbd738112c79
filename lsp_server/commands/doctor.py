"""`ghostnote doctor`: what is installed, what the model runs on, and how to mend what is wrong."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer

from lsp_server.exits import MODEL
from lsp_server.version import version

_PACKAGES = ("pygls", "lsprotocol", "lxml", "numpy", "onnxruntime", "websockets")


def doctor(
    model: Annotated[str, typer.Option(help="Folder of a model bundle; the shipped one if not given.")] = "",
    provider: Annotated[str, typer.Option(help="Where the model runs: auto, cpu or cuda.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Show versions, providers and the model in use, and say what is wrong; exit code 3 if the model cannot be used."""
    found = _examine(model, provider)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        _show(found)
    if found["problems"]:
        raise typer.Exit(MODEL)


def _examine(model: str, provider: str) -> dict[str, Any]:
    """Everything there is to know; `problems` are messages that say what to do."""
    found: dict[str, Any] = {
        "ghostnote": version(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: _installed(name) for name in _PACKAGES},
        "providers": [],
        "bundle": None,
        "notes": [],
        "problems": [],
    }
    try:
        import onnxruntime

        from inference.bundle import find_bundle, load_bundle
        from inference.completion import load_completer
        from inference.errors import GhostnoteError
    except ImportError as error:
        found["problems"].append(f"cannot run a model: {error}. Install Ghostnote again, as its README says.")
        return found
    found["providers"] = onnxruntime.get_available_providers()
    try:
        path = find_bundle(model or None)
        bundle = load_bundle(path)
        manifest = bundle.manifest
        found["bundle"] = {
            "path": str(path),
            "name": manifest.name,
            "architecture": manifest.architecture,
            "parameters": manifest.parameters,
            "precision": manifest.precision,
            "card": bundle.card,
        }
        completer = load_completer(str(path), provider, 1)
        found["bundle"]["provider"] = completer.provider
        found["notes"] = [completer.message] if completer.message else []
    except (GhostnoteError, ValueError) as error:
        found["problems"].append(str(error))
    return found


def _installed(name: str) -> str | None:
    try:
        return installed_version(name)
    except PackageNotFoundError:
        return None


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Ghostnote {found['ghostnote']}, Python {found['python']}, {found['system']}")
    versions = ", ".join(f"{name} {number or 'missing'}" for name, number in found["packages"].items())
    console.print(f"Packages: {versions}")
    console.print(f"Providers: {', '.join(found['providers']) or 'none'}")
    bundle = found["bundle"]
    if bundle is not None:
        size = f"{bundle['parameters'] / 1e6:.1f} million parameters, {bundle['precision']}"
        console.print(f"Model: {bundle['name']} ({bundle['architecture']}, {size}) in {bundle['path']}", markup=False)
        console.print(Markdown(bundle["card"]))
    for note in found["notes"]:
        console.print(f"Note: {note}", style="yellow", markup=False)
    for problem in found["problems"]:
        console.print(f"Problem: {problem}", style="bold red", markup=False)
    if not found["problems"]:
        console.print("All is well.", style="green")
