"""One worker thread; of the jobs with one key, the newest wins.

Parsing and the model run here, so that the event loop only ever moves messages. A job is given a function that says
whether it is still wanted: no longer, once a newer job with its key was submitted, `cancel` was called for its key, or
the coroutine that awaits it was cancelled (`$/cancelRequest`). A job that was overtaken while it waited never starts.

Keys are the caller's; the first item names the client, so that clients that share a worker never meet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

T = TypeVar("T")
Key = tuple[object, ...]


class SupersededError(Exception):
    """The job was overtaken by a newer one or by an edit: nobody wants its result."""


class Scheduler:
    """Runs jobs one after another. For the event loop; only the jobs themselves run in the thread."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ghostnote-worker")
        self._newest: dict[Key, Event] = {}

    async def run(
        self, key: Key, job: Callable[[Callable[[], bool]], T], first: Coroutine[object, object, object] | None = None
    ) -> T:
        """Do a job in the worker and give its result.

        Args:
            key: what it is for; an unfinished job with the same key is overtaken.
            job: called with a function that says whether the job is still wanted. It should look often, and may
                return anything or raise once it is not.
            first: awaited before the job begins: a pause, a model that is being loaded.

        Raises:
            SupersededError: it was overtaken.
            Exception: whatever `first` or the job raised while it was still wanted.
        """
        self.cancel(key)
        cancelled = self._newest[key] = Event()
        try:
            if first is not None:
                await first
            result = await asyncio.get_running_loop().run_in_executor(self._executor, _run, job, cancelled)
        except Exception:
            if cancelled.is_set():
                raise SupersededError from None
            raise
        finally:
            cancelled.set()
            if self._newest.get(key) is cancelled:
                del self._newest[key]
        return result

    @property
    def is_busy(self) -> bool:
        """Whether a job is waiting or being done."""
        return bool(self._newest)

    def cancel(self, prefix: Key) -> None:
        """Overtake every unfinished job whose key begins with `prefix`."""
        for key, cancelled in self._newest.items():
            if key[: len(prefix)] == prefix:
                cancelled.set()

    def close(self) -> None:
        """Overtake everything and let the thread end."""
        self.cancel(())
        self._executor.shutdown(wait=False, cancel_futures=True)


def _run(job: Callable[[Callable[[], bool]], T], cancelled: Event) -> T:
    if cancelled.is_set():
        raise SupersededError
    result = job(cancelled.is_set)
    if cancelled.is_set():
        raise SupersededError
    return result
