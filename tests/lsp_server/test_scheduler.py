"""One worker, newest wins, and cancelling really stops: shown by flags and counts, never by the clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from lsp_server.scheduler import Scheduler, SupersededError

LONG = 20.0


@pytest_asyncio.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    one = Scheduler()
    yield one
    one.close()


class Patient:
    """A job that works until it is no longer wanted."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.steps_after_flag = 0
        self.stopped = threading.Event()

    def __call__(self, cancelled: Callable[[], bool]) -> str:
        self.began.set()
        flag = threading.Event()
        while not cancelled():
            flag.wait(0.001)
        self.stopped.set()
        raise RuntimeError("stopped half-way")

    async def is_running(self) -> None:
        """Wait until the worker is at it."""
        assert await asyncio.to_thread(self.began.wait, LONG)


async def test_a_result_comes_back(scheduler: Scheduler) -> None:
    assert await scheduler.run(("a",), lambda cancelled: 42) == 42


async def test_an_error_of_a_wanted_job_comes_back(scheduler: Scheduler) -> None:
    def job(cancelled: Callable[[], bool]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await scheduler.run(("a",), job)


async def test_a_newer_job_with_the_key_stops_the_running_one(scheduler: Scheduler) -> None:
    old = Patient()
    running = asyncio.ensure_future(scheduler.run(("client", "uri", "inline"), old))
    await old.is_running()
    assert await scheduler.run(("client", "uri", "inline"), lambda cancelled: "new") == "new"
    with pytest.raises(SupersededError):
        await running
    assert old.stopped.is_set()


async def test_jobs_overtaken_while_they_wait_never_start(scheduler: Scheduler) -> None:
    block, started = Patient(), []
    blocking = asyncio.ensure_future(scheduler.run(("other",), block))
    await block.is_running()

    def job(number: int) -> Callable[[Callable[[], bool]], int]:
        return lambda cancelled: started.append(number) or number

    waiting = [asyncio.ensure_future(scheduler.run(("a",), job(number))) for number in range(5)]
    await asyncio.sleep(0)
    scheduler.cancel(("other",))
    results = await asyncio.gather(blocking, *waiting, return_exceptions=True)
    assert [type(one) for one in results[:5]] == [SupersededError] * 5
    assert results[5] == 4
    assert started == [4]


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        pytest.param("a1 a2 a3 b1 c1 c2", "a1 b1 c1 a2 c2 a3", id="clients take turns"),
        pytest.param("a1 a1 a1 b1 a2", "a1 b1 a2", id="what is overtaken uses up no turn"),
        pytest.param("b1 a1 b2 a2", "b1 a1 b2 a2", id="who asks first has the first turn"),
    ],
)
async def test_clients_take_turns(scheduler: Scheduler, asked: str, done: str) -> None:
    """Each letter is a client, each number a document of its own."""
    block = Patient()
    blocking = asyncio.ensure_future(scheduler.run(("other",), block))
    await block.is_running()
    order: list[str] = []

    def job(name: str) -> Callable[[Callable[[], bool]], None]:
        return lambda cancelled: order.append(name)

    waiting = [asyncio.ensure_future(scheduler.run(tuple(name), job(name))) for name in asked.split()]
    await asyncio.sleep(0)
    scheduler.cancel(("other",))
    await asyncio.gather(blocking, *waiting, return_exceptions=True)
    assert order == done.split()


async def test_closing_ends_what_waits() -> None:
    scheduler, block = Scheduler(), Patient()
    jobs = [asyncio.ensure_future(scheduler.run((name,), block)) for name in "ab"]
    await block.is_running()
    scheduler.close()
    found = await asyncio.gather(*jobs, return_exceptions=True)
    assert [type(one) for one in found] == [SupersededError] * 2


@pytest.mark.parametrize(
    ("prefix", "is_stopped"),
    [
        pytest.param(("client", "uri"), True, id="an edit of the document"),
        pytest.param(("client",), True, id="the client is gone"),
        pytest.param(("client", "other"), False, id="an edit of another document"),
        pytest.param(("stranger",), False, id="another client is gone"),
    ],
)
async def test_cancel_reaches_what_its_prefix_says(
    scheduler: Scheduler, prefix: tuple[str, ...], is_stopped: bool
) -> None:
    job = Patient()
    running = asyncio.ensure_future(scheduler.run(("client", "uri", "inline"), job))
    await job.is_running()
    scheduler.cancel(prefix)
    if not is_stopped:
        assert not job.stopped.is_set()
        scheduler.cancel(())
    with pytest.raises(SupersededError):
        await running
    assert job.stopped.is_set()


async def test_a_cancelled_request_stops_its_job(scheduler: Scheduler) -> None:
    job = Patient()
    running = asyncio.ensure_future(scheduler.run(("a",), job))
    await job.is_running()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(job.stopped.wait, LONG)
    assert await scheduler.run(("a",), lambda cancelled: "alive") == "alive"


async def test_what_comes_first_is_awaited_and_can_be_overtaken(scheduler: Scheduler) -> None:
    gate, started = asyncio.Event(), []
    waiting = asyncio.ensure_future(scheduler.run(("a",), lambda cancelled: started.append(1), gate.wait()))
    await asyncio.sleep(0)
    scheduler.cancel(("a",))
    gate.set()
    with pytest.raises(SupersededError):
        await waiting
    assert started == []
