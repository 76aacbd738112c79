"""The loaded models, shared by every client of this process.

A model is loaded in a thread of its own, once for each choice of bundle, provider and threads, so that the worker
stays free for parsing meanwhile. Nothing of inference (numpy, onnxruntime) is imported before the first load is asked
for: `initialize` is answered without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.completion import Completer


@dataclass(frozen=True)
class ModelChoice:
    """Which model, run how.

    Attributes:
        model: the folder of a bundle; empty for the one that is shipped.
        provider: `auto`, `cpu` or `cuda`.
        threads: of the model.
    """

    model: str = ""
    provider: str = "auto"
    threads: int = 1


class ModelUnavailableError(Exception):
    """The model cannot be used; the message says why and what to do."""


def load(choice: ModelChoice) -> Completer:
    """Load a model. Slow.

    Raises:
        ModelUnavailableError: it cannot be used.
    """
    try:
        from inference.completion import load_completer
        from inference.errors import GhostnoteError
    except ImportError as error:
        raise ModelUnavailableError(
            f"cannot run a model: {error}. Install Ghostnote again: pip install --force-reinstall ghostnote"
        ) from error
    try:
        return load_completer(choice.model or None, choice.provider, choice.threads)
    except GhostnoteError as error:
        raise ModelUnavailableError(str(error)) from error


class Models:
    """Loads models and keeps the latest. For the event loop."""

    def __init__(self, loader: Callable[[ModelChoice], Completer] = load) -> None:
        self._loader = loader
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ghostnote-loader")
        self._loading: dict[ModelChoice, asyncio.Future[Completer]] = {}

    def get(self, choice: ModelChoice) -> asyncio.Future[Completer]:
        """The model, as a future that is done once it is loaded (at once if it is) or cannot be.

        It raises ModelUnavailableError. A load that failed is not tried again in this process.
        """
        if choice not in self._loading:
            loop = asyncio.get_running_loop()
            self._loading[choice] = loop.run_in_executor(self._executor, self._loader, choice)
        return self._loading[choice]

    def is_loaded(self, choice: ModelChoice) -> bool:
        """Whether `get` gives its answer without waiting."""
        return choice in self._loading and self._loading[choice].done()

    def close(self) -> None:
        """Let the loading thread end."""
        self._executor.shutdown(wait=False, cancel_futures=True)
