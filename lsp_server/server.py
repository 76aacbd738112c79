"""The language server: one object a client, made of the features in `FEATURES`.

`FEATURES` is the list of everything the server answers; a new method is a file in `features/` and a line there.
Handlers are guarded: one that fails is logged by the kind of its error and where it happened, never with text of the
score, and the client gets an empty answer.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from threading import Event
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method

from lsp_server.features import (
    completion,
    configuration,
    diagnostics,
    inline_completion,
    lifecycle,
    text_sync,
    workspace,
)
from lsp_server.index import WorkspaceIndex
from lsp_server.log import log_failure, logger
from lsp_server.models import Models, ModelUnavailableError
from lsp_server.scheduler import Scheduler, SupersededError
from lsp_server.session import ARRIVED, Session
from lsp_server.settings import Settings
from lsp_server.version import version


@dataclass(frozen=True)
class Feature:
    """One LSP method.

    Attributes:
        method: its name in LSP.
        handler: takes the server and the parameters; plain if it is quick, a coroutine if it must wait.
        options: what the server tells the client about it.
    """

    method: str
    handler: Callable[[GhostnoteServer, Any], Any]
    options: Any = None


FEATURES = (
    Feature(types.INITIALIZE, lifecycle.initialize),
    Feature(types.INITIALIZED, lifecycle.initialized),
    Feature(types.SHUTDOWN, lifecycle.shutdown),
    Feature(types.TEXT_DOCUMENT_DID_OPEN, text_sync.did_open),
    Feature(types.TEXT_DOCUMENT_DID_CHANGE, text_sync.did_change),
    Feature(types.TEXT_DOCUMENT_DID_SAVE, text_sync.did_save, types.SaveOptions(include_text=False)),
    Feature(types.TEXT_DOCUMENT_DID_CLOSE, text_sync.did_close),
    Feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION, configuration.did_change_configuration),
    Feature(
        types.TEXT_DOCUMENT_INLINE_COMPLETION,
        inline_completion.inline_completion,
        types.InlineCompletionOptions(work_done_progress=False),
    ),
    Feature(types.TEXT_DOCUMENT_COMPLETION, completion.completion, completion.OPTIONS),
    Feature(types.COMPLETION_ITEM_RESOLVE, completion.resolve),
    Feature(types.WORKSPACE_SYMBOL, workspace.symbol),
    Feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, workspace.did_change_watched_files),
    Feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, workspace.did_change_workspace_folders),
)


class GhostnoteProtocol(LanguageServerProtocol):
    """pygls's protocol, with documents kept by our own text sync and an `exit` that ends one client only."""

    _server: GhostnoteServer

    def __init__(self, server: GhostnoteServer, converter: Any) -> None:
        super().__init__(server, converter)
        for method in (
            types.TEXT_DOCUMENT_DID_OPEN,
            types.TEXT_DOCUMENT_DID_CHANGE,
            types.TEXT_DOCUMENT_DID_CLOSE,
        ):
            del self.fm.builtin_features[method]

    def handle_message(self, message: Any) -> None:
        """Handle a message, remembering the document as it is now."""
        uri = getattr(getattr(getattr(message, "params", None), "text_document", None), "uri", "")
        ARRIVED.set(self._server.session.documents.get(uri))
        super().handle_message(message)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Read a message; a request with wrong parameters is answered with an error, not left waiting."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "id" in data and "method" in data:
                self._send_response(data["id"], error=error.to_response_error())
            raise

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """End this client's connection; pygls would end the process, and with it all other clients."""
        self._server.exit_code = 0 if self._shutdown else 1
        self._server.stopped.set()
        yield from ()


class GhostnoteServer(LanguageServer):
    """The server of one client.

    Attributes:
        session: what is known of the client.
        scheduler: the worker; may be shared.
        models: the loaded models; may be shared.
        diagnostics: what publishes diagnostics.
        index: the pieces in the client's folders; None for a client that this machine's files are none of.
        stopped: set once the client said `exit`.
        exit_code: 0 if the client said `shutdown` before `exit`.
    """

    def __init__(self, scheduler: Scheduler, models: Models, settings: Settings, *, reads_files: bool = False) -> None:
        super().__init__(
            "ghostnote",
            version(),
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            protocol_cls=GhostnoteProtocol,
            converter_factory=default_converter,
        )
        self.session = Session(settings)
        self.scheduler = scheduler
        self.models = models
        self.diagnostics = diagnostics.Publisher(self)
        self.index = WorkspaceIndex(lambda: scheduler.is_busy) if reads_files else None
        self.stopped = Event()
        self.exit_code = 1
        self._tasks: set[asyncio.Task[None]] = set()
        for feature in FEATURES:
            self.feature(feature.method, feature.options)(_guarded(self, feature))

    def spawn(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Do a coroutine in the background; it ends with the client."""
        task = asyncio.ensure_future(_logged(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # a task that is cancelled before it begins never awaits it

    def tell(self, message: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        """Show the user a message, once."""
        if message not in self.session.told:
            self.session.told.add(message)
            self.window_show_message(types.ShowMessageParams(kind, message))

    def tell_no_model(self, error: ModelUnavailableError) -> None:
        """Show the user why there are no suggestions, once."""
        self.tell(f"Ghostnote gives no suggestions: {error}", types.MessageType.Error)

    def close(self) -> None:
        """The client is gone: overtake its jobs and end its tasks."""
        self.scheduler.cancel((self.session,))
        self.diagnostics.close()
        self.session.documents.clear()
        if self.index is not None:
            self.index.close()
        for task in self._tasks:
            task.cancel()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """What pygls could not do (a message that is no JSON-RPC, a client that is gone) goes to the log by kind."""
        logger.error("protocol error: %s in %s", type(error).__name__, getattr(source, "__name__", source))


def _guarded(server: GhostnoteServer, feature: Feature) -> Callable[[Any], Any]:
    """The handler as pygls calls it: it never raises but for being cancelled."""
    handler = feature.handler

    if inspect.iscoroutinefunction(handler):

        async def wait(params: Any) -> Any:
            try:
                return await handler(server, params)
            except SupersededError:
                return None
            except Exception as error:
                log_failure(feature.method, error)
                return None

        return wait

    def answer(params: Any = None) -> Any:
        try:
            return handler(server, params)
        except Exception as error:
            log_failure(feature.method, error)
            return None

    return answer


async def _logged(work: Coroutine[Any, Any, None], what: str) -> None:
    try:
        await work
    except SupersededError:
        pass
    except Exception as error:
        log_failure(what, error)
