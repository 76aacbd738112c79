"""One worker thread; of the jobs with one key, the newest wins, and clients take turns.

Parsing and the model run here, so that the event loop only ever moves messages. A job is given a function that says
whether it is still wanted: no longer, once a newer job with its key was submitted, `cancel` was called for its key, or
the coroutine that awaits it was cancelled (`$/cancelRequest`). A job that was overtaken while it waited never starts.

Keys are the caller's; the first item names the client, so that clients that share a worker never meet. A client's jobs
are done in their order, one a turn: it waits for at most one job of each other client, however many those have.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any, TypeVar

T = TypeVar("T")
Key = tuple[object, ...]


class SupersededError(Exception):
    """The job was overtaken by a newer one or by an edit: nobody wants its result."""


class Scheduler:
    """Runs jobs one after another. For the event loop; only the jobs themselves run in the thread."""

    def __init__(self) -> None:
        self._turns = _Turns()
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
            waiting = _Job(job, cancelled)
            self._turns.add(key[0], waiting)
            self._executor.submit(self._turns.take_one)
            result: T = await asyncio.wrap_future(waiting.result)
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
        self._executor.shutdown(wait=False)


@dataclass(eq=False)
class _Job:
    """A job, whether it is no longer wanted, and what comes of it."""

    do: Callable[[Callable[[], bool]], Any]
    cancelled: Event
    result: Future[Any] = field(default_factory=Future)

    def run(self) -> None:
        """Do it, in the worker."""
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            result = None if self.cancelled.is_set() else self.do(self.cancelled.is_set)
        except BaseException as error:
            # An error holds this frame, and with it a score, until garbage is searched for: not if nobody reads it.
            self.result.set_exception(SupersededError() if self.cancelled.is_set() else error)
            return
        if self.cancelled.is_set():
            self.result.set_exception(SupersededError())
        else:
            self.result.set_result(result)


class _Turns:
    """The jobs that wait, by client; whose turn is next comes first. Threads may share it."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[object, deque[_Job]] = OrderedDict()
        self._lock = Lock()

    def add(self, client: object, job: _Job) -> None:
        """Let a job wait."""
        with self._lock:
            self._waiting.setdefault(client, deque()).append(job)

    def take_one(self) -> None:
        """Do the next job; one that is no longer wanted does not use up its client's turn."""
        with self._lock:
            client, jobs = next(iter(self._waiting.items()))
            job = jobs.popleft()
            if not jobs:
                del self._waiting[client]
            elif not job.cancelled.is_set():
                self._waiting.move_to_end(client)
        job.run()
