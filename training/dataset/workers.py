"""Where the chunks of a build are worked on: in this process, in processes of this machine, or on a Dask cluster.

The same function is called on the same chunks in all three, in any order, so they give the same shards. On a cluster,
corpora and dataset must lie in a folder that all machines see under one path, and all must run the same Ghostnote; both
are checked before anything is written.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path

from training.dataset.encode_files import Chunk

Work = Callable[[Chunk], Path]

_WAIT_S = 30
"""How long a scheduler may take to answer, and a first worker to come."""

_MOST_ON_WINDOWS = 61
"""Processes that Windows can wait for at once."""


def work_on(chunks: Sequence[Chunk], work: Work, *, jobs: int = 1, scheduler: str | None = None) -> Iterator[Path]:
    """Call `work` on every chunk; the results come as they are ready.

    Args:
        chunks: what there is to do.
        work: a function of a module.
        jobs: number of processes; 1 works in this one.
        scheduler: address of a Dask scheduler, instead of processes.

    Raises:
        ValueError: no cluster can be used at the address, or the system ended a worker.
        Exception: what `work` raises.
    """
    if not chunks:
        return iter(())
    if scheduler is not None:
        return _on_cluster(chunks, work, scheduler)
    return map(work, chunks) if jobs <= 1 else _in_processes(chunks, work, jobs)


def available_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_processes(chunks: Sequence[Chunk], work: Work, jobs: int) -> Iterator[Path]:
    if sys.platform == "win32":
        jobs = min(jobs, _MOST_ON_WINDOWS)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        try:
            for future in as_completed([pool.submit(work, chunk) for chunk in chunks]):
                yield future.result()
        except BrokenProcessPool as error:
            raise ValueError(
                f"one of {jobs} processes was ended by the system, most likely for want of memory. Run the same command"
                f" again with fewer, such as --jobs {max(1, jobs // 2)}: what is done is kept."
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """See to it that this process does not outlive a parent that was killed."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _on_cluster(chunks: Sequence[Chunk], work: Work, scheduler: str) -> Iterator[Path]:
    try:
        from distributed import Client, KilledWorker
        from distributed import as_completed as ready
    except ImportError as error:
        raise ValueError("--scheduler needs Dask: pip install 'ghostnote[cluster]'.") from error
    try:
        client = Client(scheduler, timeout=_WAIT_S)  # type: ignore[no-untyped-call]  # Dask's own is not typed
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no Dask scheduler answers at '{scheduler}' ({error}). Start one with `dask scheduler`, and workers on "
            f"each machine with `dask worker {scheduler}`."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_WAIT_S)
        except TimeoutError as error:
            raise ValueError(
                f"no worker came to '{scheduler}' in {_WAIT_S} s: start `dask worker {scheduler}`."
            ) from error
        try:
            futures = client.map(work, chunks, pure=False)
            for future in ready(futures):  # type: ignore[no-untyped-call]  # likewise
                yield _in_sight(future.result())
        except KilledWorker as error:
            raise ValueError(
                f"workers of '{scheduler}' ended again and again at one task, most likely for want of memory: {error}. "
                "Start them with more (--memory-limit); what is done is kept."
            ) from error


def _in_sight(shard: Path) -> Path:
    if not shard.with_suffix(".json").exists():
        raise ValueError(
            f"a worker wrote '{shard}', but this machine does not see it. The dataset folder and the corpora must lie "
            "in a folder that all machines share, under the same path."
        )
    return shard
