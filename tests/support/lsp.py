"""Real clients for real servers: start one, connect, initialize, and take leave properly."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from lsprotocol import types
from pytest_lsp.client import LanguageClient, make_test_lsp_client

from lsp_server.positions import LineIndex
from tests.support.clients import initialize_params

ROOT = Path(__file__).parents[2]
REAL_SERVER = ("-m", "lsp_server", "serve")
FAKE_SERVER = ("-m", "tests.support.fake_server")
INVOKED = types.InlineCompletionTriggerKind.Invoked
AUTOMATIC = types.InlineCompletionTriggerKind.Automatic


class Editor:
    """One editor with its server.

    Attributes:
        client: what talks to the server.
        encoding: what was agreed on.
        capabilities: of the server.
        registrations: methods the server registered while running.
        texts: the editor's own idea of each document.
    """

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.encoding = types.PositionEncodingKind.Utf16
        self.capabilities = types.ServerCapabilities()
        self.registrations: list[str] = []
        self.texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}

        @client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.registrations.extend(one.method for one in params.registrations)

    async def initialize(self, profile: str, options: object = None, folder: Path | None = None) -> None:
        """Say hello as an editor does."""
        result = await self.client.initialize_session(initialize_params(profile, options, folder))
        self.capabilities = result.capabilities
        self.encoding = types.PositionEncodingKind(result.capabilities.position_encoding)

    def open(self, uri: str, text: str, language_id: str = "abc") -> None:
        """Open a document."""
        self.texts[uri], self._versions[uri] = text, 1
        item = types.TextDocumentItem(uri, language_id, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def edit(self, uri: str, start: int, end: int, text: str) -> None:
        """Replace the characters from `start` to `end`; offsets in code points."""
        old = self.texts[uri]
        lines = LineIndex(old, self.encoding)
        self.texts[uri] = old[:start] + text + old[end:]
        self._versions[uri] += 1
        change = types.TextDocumentContentChangePartial(
            range=types.Range(lines.position(start), lines.position(end)), text=text
        )
        identifier = types.VersionedTextDocumentIdentifier(version=self._versions[uri], uri=uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))

    def position(self, uri: str, offset: int | None = None) -> types.Position:
        """A position in client units; the end of the document if no offset is given."""
        text = self.texts[uri]
        return LineIndex(text, self.encoding).position(len(text) if offset is None else offset)

    def inline_params(
        self,
        uri: str,
        offset: int | None = None,
        kind: types.InlineCompletionTriggerKind = AUTOMATIC,
        selected: types.SelectedCompletionInfo | None = None,
    ) -> types.InlineCompletionParams:
        """The parameters of a request for ghost text."""
        context = types.InlineCompletionContext(kind, selected)
        return types.InlineCompletionParams(context, types.TextDocumentIdentifier(uri), self.position(uri, offset))

    async def ghost(
        self, uri: str, offset: int | None = None, kind: Any = AUTOMATIC, selected: Any = None
    ) -> list[str]:
        """The texts of the suggestions at an offset."""
        return [str(one.insert_text) for one in await self.ghost_items(uri, offset, kind, selected)]

    async def ghost_items(
        self, uri: str, offset: int | None = None, kind: Any = AUTOMATIC, selected: Any = None
    ) -> list[types.InlineCompletionItem]:
        """The suggestions at an offset."""
        params = self.inline_params(uri, offset, kind, selected)
        answer = await self.client.text_document_inline_completion_async(params)
        return list(answer.items) if isinstance(answer, types.InlineCompletionList) else list(answer or [])

    def ask(self, uri: str, msg_id: str, kind: Any = AUTOMATIC) -> asyncio.Future[Any]:
        """Send a request for ghost text now; its answer comes later, if it is not cancelled by its id."""
        params = self.inline_params(uri, kind=kind)
        method = types.TEXT_DOCUMENT_INLINE_COMPLETION
        return asyncio.wrap_future(self.client.protocol.send_request(method, params, msg_id=msg_id))

    def ask_raw(self, params: dict[str, Any]) -> asyncio.Future[Any]:
        """Send a request for ghost text with parameters that are not checked."""
        future: Future[Any] = Future()
        self.client.protocol._request_futures["raw"] = future
        method = types.TEXT_DOCUMENT_INLINE_COMPLETION
        self.client.protocol._send_data({"jsonrpc": "2.0", "id": "raw", "method": method, "params": params})
        return asyncio.wrap_future(future)

    async def popup(
        self, uri: str, offset: int | None = None, context: types.CompletionContext | None = None
    ) -> list[types.CompletionItem]:
        """The popup's entries at an offset."""
        identifier = types.TextDocumentIdentifier(uri)
        params = types.CompletionParams(identifier, self.position(uri, offset), context=context)
        answer = await self.client.text_document_completion_async(params)
        return list(answer.items) if isinstance(answer, types.CompletionList) else list(answer or [])

    def accept(self, uri: str, item: types.InlineCompletionItem) -> str:
        """The text after accepting a suggestion."""
        assert item.range is not None
        span = LineIndex(self.texts[uri], self.encoding).span(item.range)
        return self.texts[uri][: span.start] + str(item.insert_text) + self.texts[uri][span.end :]

    async def until(self, condition: Any, what: str) -> None:
        """Wait until something is so."""
        for _ in range(2000):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"waited 20 seconds in vain: {what}")


@asynccontextmanager
async def editor(
    profile: str = "vscode",
    command: tuple[str, ...] = FAKE_SERVER,
    options: Any = None,
    configuration: Any = None,
    folder: Path | None = None,
) -> AsyncIterator[Editor]:
    """An editor connected over standard input and output, with a folder open or none."""
    client = _client(configuration)
    one = Editor(client)
    await client.start_io(sys.executable, *command, "--stdio", cwd=str(ROOT))
    try:
        await one.initialize(profile, options, folder)
        yield one
        await client.shutdown_session()
    except BaseException:
        if client._server is not None and client._server.returncode is None:
            client._server.kill()
        raise
    finally:
        await client.stop()


@contextmanager
def listening(*command: str) -> Iterator[int]:
    """A server that listens on a port of this machine; gives the port."""
    with Popen([sys.executable, *command], cwd=ROOT, stderr=PIPE, stdout=PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            while "listen" not in line and line:
                line = process.stderr.readline()
            yield int(line.rsplit(":", 1)[-1].split()[-1])
        finally:
            process.terminate()


@asynccontextmanager
async def remote_editor(
    port: int,
    profile: str = "vscode",
    options: Any = None,
    configuration: Any = None,
    scheme: str = "tcp",
    folder: Path | None = None,
) -> AsyncIterator[Editor]:
    """An editor connected over `tcp` or `ws`."""
    client = _client(configuration)
    one = Editor(client)
    await (client.start_tcp if scheme == "tcp" else client.start_ws)("127.0.0.1", port)
    try:
        await one.initialize(profile, options, folder)
        yield one
        await client.shutdown_session()
    finally:
        await _hang_up(client)


def _client(configuration: Any) -> LanguageClient:
    client = make_test_lsp_client()
    if configuration is not None:
        client.set_configuration({"ghostnote": configuration})
    return client


async def _hang_up(client: LanguageClient) -> None:
    """End a connection without waiting for the other side."""
    client._stop_event.set()
    for task in client._async_tasks:
        task.cancel()
    await asyncio.gather(*client._async_tasks, return_exceptions=True)
    writer = client.protocol.writer
    closing = writer.close() if writer is not None else None
    if closing is not None:
        await closing
