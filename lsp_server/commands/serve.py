"""`ghostnote serve`: the language server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from lsp_server.cli import serve_editor
from lsp_server.exits import USAGE, fail
from lsp_server.log import log_to_standard_error
from lsp_server.settings import Settings

_USUAL = Settings()


def serve(
    stdio: Annotated[bool, typer.Option("--stdio", help="Talk over standard input and output (the default).")] = False,
    tcp: Annotated[str, typer.Option("--tcp", metavar="HOST:PORT", help="Listen for clients over TCP.")] = "",
    ws: Annotated[str, typer.Option("--ws", metavar="HOST:PORT", help="Listen for clients over WebSocket.")] = "",
    model: Annotated[str, typer.Option(help="Folder of a model bundle; the shipped one if not given.")] = _USUAL.model,
    provider: Annotated[str, typer.Option(help="Where the model runs: auto, cpu or cuda.")] = _USUAL.provider,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads the model may use.")] = _USUAL.threads,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let other machines connect; there is no password.")
    ] = False,
) -> None:
    """Run the language server. Editors start this by themselves."""
    if stdio + bool(tcp) + bool(ws) > 1:
        fail("--stdio, --tcp and --ws exclude each other: give one of them.", USAGE)
    if provider not in ("auto", "cpu", "cuda"):
        fail(f"--provider is '{provider}' but must be auto, cpu or cuda.", USAGE)
    settings = Settings(model=model, provider=provider, threads=threads)
    if not tcp and not ws:
        raise typer.Exit(serve_editor(settings))

    from lsp_server.transports import AddressRefusedError, House, parse_address, serve_tcp, serve_websocket

    log_to_standard_error()
    try:
        host, port = parse_address(tcp or ws, allow_remote)
    except AddressRefusedError as error:
        fail(str(error), USAGE)
    if tcp:
        serve_tcp(House(settings), host, port, _announcer("tcp", host))
    else:
        serve_websocket(House(settings), host, port, _announcer("ws", host), allow_remote)


def _announcer(scheme: str, host: str) -> Callable[[int], None]:
    """Says where the server listens; programs that start it read the port from this line."""

    def announce(port: int) -> None:
        print(f"ghostnote listens on {scheme}://{host}:{port}", file=sys.stderr, flush=True)

    return announce
