"""How clients reach the server: standard input and output, TCP, or WebSocket.

Over TCP and WebSocket every client gets a server object of its own; the worker and the models are shared. Addresses
other than loopback are refused unless they are allowed by name: the protocol has no passwords.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from typing import Any

from pygls.io_ import StdoutWriter, run_async, run_websocket

from lsp_server import heap
from lsp_server.log import log_failure, logger
from lsp_server.models import ModelChoice, Models, load
from lsp_server.scheduler import Scheduler
from lsp_server.server import GhostnoteServer
from lsp_server.settings import Settings

MAX_MESSAGE = 256 * 1024 * 1024
"""The longest WebSocket message, in bytes: a document of 50 MB, escaped, with room to spare."""

_CHUNK = 1 << 16
_PYGLS = logging.getLogger("pygls")
_LOCAL_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class AddressRefusedError(ValueError):
    """The address cannot or must not be listened on; the message says why and what to do."""


def parse_address(address: str, allow_remote: bool) -> tuple[str, int]:
    """Host and port of `HOST:PORT` (`[::1]:PORT` for IPv6; port 0 takes a free one).

    Raises:
        AddressRefusedError: it is no address, or one that others can reach and `allow_remote` is not given.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise AddressRefusedError(f"'{address}' is no HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:4711.")
    if not allow_remote and not _is_loopback(host):
        raise AddressRefusedError(
            f"{host} can be reached from other machines, and the server asks for no password. "
            "Use 127.0.0.1, or add --allow-remote if the network is yours."
        )
    return host, int(port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class House:
    """What the clients of one process share, and the settings they begin with."""

    def __init__(self, settings: Settings, loader: Callable[[ModelChoice], Any] = load) -> None:
        heap.map_large_blocks()
        self.settings = settings
        self.scheduler = Scheduler()
        self.models = Models(loader)

    def server(self, *, reads_files: bool = False) -> GhostnoteServer:
        """A server object for a client; `reads_files` if it may know what is in the folders that it names."""
        return GhostnoteServer(self.scheduler, self.models, self.settings, reads_files=reads_files)

    def close(self) -> None:
        """Let the threads end."""
        self.scheduler.close()
        self.models.close()


def serve_stdio(house: House) -> int:
    """Serve one client over standard input and output; gives the exit code that LSP asks for."""
    server = house.server(reads_files=True)
    server.protocol.set_writer(StdoutWriter(sys.stdout.buffer))
    # Whatever else prints must not end up between two messages.
    sys.stdout = sys.stderr

    async def serve() -> None:
        _log_without_text()
        reader = asyncio.StreamReader()
        _feed(reader, sys.stdin.fileno())
        await _converse(server, reader)

    try:
        asyncio.run(serve())
    finally:
        house.close()
    return server.exit_code


def serve_tcp(house: House, host: str, port: int, listening: Callable[[int], None]) -> None:
    """Serve every client that connects, until interrupted; `listening` is told the port."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = house.server()
        server.protocol.set_writer(writer)
        try:
            await _converse(server, reader)
        finally:
            writer.close()

    async def serve() -> None:
        _log_without_text()
        listener = await asyncio.start_server(accept, host, port)
        listening(listener.sockets[0].getsockname()[1])
        async with listener:
            await listener.serve_forever()

    _run(house, serve)


def serve_websocket(
    house: House, host: str, port: int, listening: Callable[[int], None], allow_remote: bool = False
) -> None:
    """Serve every client that connects, until interrupted; `listening` is told the port.

    Pages of other sites may not connect from a browser on this machine, unless remote clients are allowed.
    """
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as listen

    async def accept(websocket: ServerConnection) -> None:
        server = house.server()
        try:
            await run_websocket(websocket, server.stopped, server.protocol, _PYGLS, server.report_server_error)
        finally:
            server.close()

    async def serve() -> None:
        _log_without_text()
        origins = None if allow_remote else [None, _LOCAL_PAGES]
        async with listen(accept, host, port, max_size=MAX_MESSAGE, origins=origins) as listener:
            listening(next(iter(listener.sockets)).getsockname()[1])
            await listener.serve_forever()

    _run(house, serve)


def _run(house: House, serve: Callable[[], Any]) -> None:
    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        pass
    finally:
        house.close()


async def _converse(server: GhostnoteServer, reader: asyncio.StreamReader) -> None:
    """Handle messages until the client says `exit` or is gone."""
    try:
        await run_async(server.stopped, reader, server.protocol, _PYGLS, server.report_server_error)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        logger.info("the client is gone: %s", type(error).__name__)
    finally:
        server.close()


def _log_without_text() -> None:
    """Keep scores out of the log: pygls logs whole messages, asyncio the arguments of what failed."""
    _PYGLS.setLevel(logging.CRITICAL + 1)

    def failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            log_failure("a background task", error)

    asyncio.get_running_loop().set_exception_handler(failed)


def _feed(reader: asyncio.StreamReader, descriptor: int) -> None:
    """Read a file descriptor in a thread that does not keep the process alive.

    `os.read` rather than the buffered stream: that one would hold its lock when the interpreter ends.
    """
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            while data := os.read(descriptor, _CHUNK):
                loop.call_soon_threadsafe(reader.feed_data, data)
            loop.call_soon_threadsafe(reader.feed_eof)
        except (OSError, RuntimeError):  # the loop is closed: the client said `exit`
            return

    threading.Thread(target=read, name="ghostnote-stdin", daemon=True).start()
