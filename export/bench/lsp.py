"""The same suggestions through the real server, over standard input and output: what does the protocol cost?

A typing replay. Ghost text was asked for a note or a word earlier, the document stands as it was one character before
the cursor, and the editor has been quiet; then the character is typed, ghost text is asked for at once, and the clock
stops when the answer has been read. In turn with it the same document state is completed by a bare call in this process
after the same call before and the same quiet, so that both have the same model state to reuse, the processor's caches
are as cold, and the ratio is of times measured within moments of each other. Then the first character of the suggestion
is typed, which the server should answer without the model. Between the two earlier states the document is closed, or
the server might answer from memory.

The client speaks JSON-RPC with as little of its own as can be: what it costs is in the figures. Columns are code points
(UTF-32 is negotiated).

Source: LSP 3.18, "Base Protocol", "Inline Completion Request".
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from export.bench import measure
from export.bench.documents import Site
from export.bench.machine import environment, peak_memory
from export.bench.measure import Timed
from export.bench.rows import Measurement, summarise
from notation.source import line_and_column

if TYPE_CHECKING:
    from inference.completion import Completer

_QUIET = 0.05
"""Seconds that the editor is quiet before a key is pressed: the server's work on earlier edits is done by then."""
_STARTS = 5
"""How often the server is started."""
_PATIENCE = 60.0
"""Seconds to wait for an answer."""
_AUTOMATIC = 2
"""The trigger kind of a request that typing made."""
_LEAVES_OUT = "the editor's drawing, the pause before asking (set to 0 here, 75 ms by default)"


class ServerError(ValueError):
    """The server ended, stayed silent, or answered with an error."""


@dataclass
class Client:
    """One end of a connection.

    Attributes:
        reader: what the server sends.
        writer: what it is sent.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _last_id: int = 0

    async def request(self, method: str, params: object) -> Any:
        """The answer to a request.

        Raises:
            ServerError: there is none, or it is an error.
        """
        self._last_id += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._last_id] = answer
        self._send({"id": self._last_id, "method": method, "params": params})
        try:
            return await asyncio.wait_for(answer, _PATIENCE)
        except TimeoutError as error:
            raise ServerError(f"the server did not answer {method} within {_PATIENCE:.0f} s.") from error

    def notify(self, method: str, params: object) -> None:
        """Tell the server something."""
        self._send({"method": method, "params": params})

    async def listen(self) -> None:
        """Read what the server sends until it ends."""
        try:
            while True:
                self._take(await self._read())
        except asyncio.IncompleteReadError:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ServerError("the server ended before it answered."))

    async def _read(self) -> dict[str, Any]:
        header = await self.reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in header.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await self.reader.readexactly(int(lengths[0].split(b":")[1]))
        message: dict[str, Any] = json.loads(body)
        return message

    def _take(self, message: Mapping[str, Any]) -> None:
        if "method" in message:
            if "id" in message:  # the server asks something: whatever it is, we have nothing to add
                self._send({"id": message["id"], "result": None})
            return
        answer = self._waiting.pop(message["id"], None)
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(ServerError(f"the server answered with an error: {message['error']}"))
        else:
            answer.set_result(message.get("result"))

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


@dataclass
class Editor:
    """An editor with one document open at a time, as far as the replay needs one."""

    client: Client
    _version: int = 0
    _uri: str = ""

    def open(self, site: Site, text: str) -> None:
        """Open the document of a site in a state, in place of what was open."""
        if self._uri:
            self.client.notify("textDocument/didClose", {"textDocument": {"uri": self._uri}})
        self._uri = f"file:///bench/{quote(site.piece)}.{site.language}"
        self._version = 1
        item = {"uri": self._uri, "languageId": site.language, "version": 1, "text": text}
        self.client.notify("textDocument/didOpen", {"textDocument": item})

    async def show(self, site: Site, text: str) -> None:
        """Open a document, and be quiet for a moment."""
        self.open(site, text)
        await asyncio.sleep(_QUIET)

    async def ask(self, text: str, offset: int) -> str:
        """The first suggestion at an offset of the open document, whose text is given; empty if there is none."""
        params = {
            "textDocument": {"uri": self._uri},
            "position": _position(text, offset),
            "context": {"triggerKind": _AUTOMATIC},
        }
        answer = await self.client.request("textDocument/inlineCompletion", params)
        items = answer.get("items", []) if isinstance(answer, dict) else answer or []
        return str(items[0]["insertText"]) if items else ""

    async def type(self, text: str, before: str, offset: int) -> tuple[float, str]:
        """Type characters and ask for ghost text behind them.

        Args:
            text: what is typed.
            before: the document until then.
            offset: where it is typed.

        Returns:
            Milliseconds until the answer, and the first suggestion; empty if there is none.
        """
        after = before[:offset] + text + before[offset:]
        change = self._change(before, offset, 0, text)
        began = time.perf_counter()
        self.client.notify("textDocument/didChange", change)
        suggestion = await self.ask(after, offset + len(text))
        return 1000 * (time.perf_counter() - began), suggestion

    def replace(self, before: str, offset: int, length: int, text: str) -> None:
        """Put characters in place of `length` others of the document, which was `before`."""
        self.client.notify("textDocument/didChange", self._change(before, offset, length, text))

    def _change(self, before: str, offset: int, length: int, text: str) -> dict[str, Any]:
        self._version += 1
        places = {"start": _position(before, offset), "end": _position(before, offset + length)}
        identifier = {"uri": self._uri, "version": self._version}
        return {"textDocument": identifier, "contentChanges": [{"range": places, "text": text}]}


@dataclass(frozen=True, slots=True)
class Pair:
    """One suggestion both ways.

    Attributes:
        bare: by a call.
        ms, text: through the server.
        typed_through: milliseconds to the rest of the suggestion after its first character; None if there is no rest.
    """

    bare: Timed
    ms: float
    text: str
    typed_through: float | None


def measure_server(bundle: Path, provider: str, threads: int, sites: Sequence[Site]) -> list[Measurement]:
    """Replay the sites against the real server.

    Raises:
        GhostnoteError: the model cannot be used.
        ServerError: the server failed.
    """
    from inference.bundle import load_bundle
    from inference.completion import Completer

    completer = Completer(load_bundle(bundle), provider, threads)
    measure.demand(provider, completer)
    measure.warm_up(completer, sites)
    settings = {"model": str(bundle.resolve()), "provider": provider, "threads": threads}
    return asyncio.run(_measure(completer, settings, sites))


async def _measure(completer: Completer, settings: Mapping[str, Any], sites: Sequence[Site]) -> list[Measurement]:
    site = next((site for site in sites if _bare(completer, site).text), None)
    initialized: list[float] = []
    first: list[float] = []
    for start in range(_STARTS):
        began = time.perf_counter()
        async with running(("serve", "--stdio")) as (client, process):
            await initialize(client, **settings)
            initialized.append(1000 * (time.perf_counter() - began))
            editor = Editor(client)
            if site is not None:
                first.append(await _first_suggestion(editor, site, began))
            if start == _STARTS - 1:
                pairs = [await _pair(editor, completer, each, index) for index, each in enumerate(sites)]
                memory = measure.memory(peak_memory(process.pid), "lsp: server's peak memory")
    return [
        summarise("lsp: initialize", "ms", initialized, leaves_out="the editor"),
        *([summarise("lsp: first suggestion", "ms", first, leaves_out="the editor")] if first else []),
        *_figures(pairs),
        *memory,
    ]


@asynccontextmanager
async def running(command: Sequence[str]) -> AsyncIterator[tuple[Client, asyncio.subprocess.Process]]:
    """A server that is started, and ended whatever happens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lsp_server", *command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdin is not None
    client = Client(process.stdout, process.stdin)
    listening = asyncio.create_task(client.listen())
    try:
        yield client, process
        await client.request("shutdown", None)
        client.notify("exit", None)
        await asyncio.wait_for(process.wait(), _PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listening


async def initialize(client: Client, folder: Path | None = None, **settings: object) -> None:
    """Begin a session in which columns are code points and no pause is made before the model is asked.

    Args:
        client: who begins it.
        folder: what the editor has open; nothing by default.
        settings: of the user, as the client writes them; others keep their defaults.

    Raises:
        ServerError: the server counts columns otherwise.
    """
    inline = {"inlineCompletion": {"dynamicRegistration": False}}
    capabilities = {"general": {"positionEncodings": ["utf-32"]}, "textDocument": inline}
    options = {"ghostnote": {"delayMs": 0, **settings}}
    params: dict[str, Any] = {
        "processId": None,
        "rootUri": None,
        "capabilities": capabilities,
        "initializationOptions": options,
    }
    if folder is not None:
        params["workspaceFolders"] = [{"uri": folder.resolve().as_uri(), "name": folder.name}]
    answer = await client.request("initialize", params)
    encoding = answer["capabilities"].get("positionEncoding")
    if encoding != "utf-32":
        raise ServerError(f"the server counts columns in {encoding}, the benchmark in utf-32: the versions differ.")
    client.notify("initialized", {})


async def _first_suggestion(editor: Editor, site: Site, began: float) -> float:
    """Milliseconds from `began` to the first suggestion, while the server may still be loading the model."""
    while time.perf_counter() - began < _PATIENCE:
        editor.open(site, one_before(site))
        _, text = await editor.type(site.text[site.offset - 1], one_before(site), site.offset - 1)
        if text:
            return 1000 * (time.perf_counter() - began)
        await asyncio.sleep(_QUIET)
    raise ServerError(f"the server gave no suggestion within {_PATIENCE:.0f} s, where a bare call gives one.")


async def _pair(editor: Editor, completer: Completer, site: Site, index: int) -> Pair:
    """One suggestion both ways, each first in turn."""
    bare = _bare(completer, site) if index % 2 else None
    text, offset = site.earlier()
    await editor.show(site, text)
    await editor.ask(text, offset)
    await editor.show(site, one_before(site))
    ms, text = await editor.type(site.text[site.offset - 1], one_before(site), site.offset - 1)
    typed_through = None
    if len(text) > 1:
        await asyncio.sleep(_QUIET)
        typed_through, _ = await editor.type(text[0], site.text, site.offset)
    return Pair(bare or _bare(completer, site), ms, text, typed_through)


def _bare(completer: Completer, site: Site) -> Timed:
    from inference.completion import CompletionOptions

    return measure.suggest_while_typing(completer, site, CompletionOptions(), quiet=_QUIET)


def _figures(pairs: Sequence[Pair]) -> list[Measurement]:
    same = [pair for pair in pairs if pair.text and pair.text == pair.bare.text]
    rest = [pair.typed_through for pair in pairs if pair.typed_through is not None]
    share = 100 * sum(1 for pair in pairs if pair.text == pair.bare.text) / len(pairs)
    figures = [
        summarise("lsp: suggestion", "ms", [pair.ms for pair in pairs], tail=True, leaves_out=_LEAVES_OUT),
        summarise("lsp: bare call in turn", "ms", [pair.bare.ms for pair in pairs], tail=True, leaves_out=_LEAVES_OUT),
        summarise("lsp: same answer as the bare call", "%", [share], better="higher"),
    ]
    if rest:
        figures.append(summarise("lsp: typed through", "ms", rest, tail=True, leaves_out=_LEAVES_OUT))
    if same:
        decode = [pair.ms / (pair.bare.stages["prefill"] + pair.bare.stages["decode"]) for pair in same]
        figures += [
            summarise("lsp: ratio to the bare call", "ratio", [pair.ms / pair.bare.ms for pair in same]),
            summarise("lsp: ratio to prefill and decoding alone", "ratio", decode),
        ]
    return figures


def one_before(site: Site) -> str:
    """The document one character earlier."""
    return site.text[: site.offset - 1] + site.text[site.offset :]


def _position(text: str, offset: int) -> dict[str, int]:
    line, column = line_and_column(text, offset)
    return {"line": line - 1, "character": column - 1}
