"""Our executors with what CPython's tests know of CPython's: its arguments, and names of its inside.

Each name is answered by what can be seen from outside: the processes by the kernel's list of them, a broken
place by its refusal. Nothing of this is the product's.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import anyplace


class Executor(anyplace.Place):
    """What both have."""

    @property
    def _max_workers(self) -> int:
        return self.workers

    @property
    def _broken(self) -> bool:
        try:
            anyplace.Place.submit(self, int)
        except BrokenExecutor:
            return True
        return False


class ThreadPoolExecutor(Executor):
    """A place of threads."""

    def __new__(
        cls,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> ThreadPoolExecutor:
        return super().__new__(
            cls, address("threads", max_workers), initializer=initializer, initargs=initargs
        )


class ProcessPoolExecutor(Executor):
    """A strict place of processes: it breaks when one of them dies."""

    def __new__(
        cls,
        max_workers: int | None = None,
        mp_context: Any = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
    ) -> ProcessPoolExecutor:
        place = address("processes", max_workers)
        if max_tasks_per_child is not None:
            place += f"?max_tasks={max_tasks_per_child}"
        return super().__new__(cls, place, initializer=initializer, initargs=initargs, strict=True)

    def __init__(self, max_workers: int | None = None, mp_context: Any = None, *_: Any, **__: Any) -> None:
        # It says how multiprocessing starts processes; ours are always started afresh.
        self._mp_context = mp_context or multiprocessing.get_context("spawn")
        self._futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        future = super().submit(fn, *args, **kwargs)
        self._futures.append(future)
        return future

    @property
    def _processes(self) -> dict[int, Worker]:
        """The workers; those that tasks wait for are started a moment after `submit`, not in it."""
        while True:
            found = {worker: Worker(worker) for worker in workers()}
            unfinished = sum(not future.done() for future in self._futures)
            if len(found) >= min(unfinished, self.workers):
                return found

    @property
    def _executor_manager_thread(self) -> Ending:
        return Ending(list(self._processes.values()))

    @property
    def _call_queue(self) -> Ending:
        return self._executor_manager_thread


class Worker:
    """A process, as the kernel has it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)

    def terminate(self) -> None:
        signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)

    def join(self) -> None:
        select.select([self._pidfd], [], [])


class Ending:
    """What is over when all workers are gone."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers

    def join(self) -> None:
        for worker in self._workers:
            worker.join()

    join_thread = join


def workers() -> list[int]:
    """The worker processes of this program: the children of its zygote."""
    zygotes = [child for child in children(os.getpid()) if b"zygote" in said(child, "cmdline").split(b"\0")]
    return [worker for zygote in zygotes for worker in children(zygote)]


def children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir() if Path(f"/proc/{pid}/task").exists() else []
    return [int(child) for thread in threads for child in said(thread, "children").split()]


def said(process: int | Path, name: str) -> bytes:
    """What the kernel tells of a process; nothing of one that is gone."""
    try:
        return (Path("/proc") / str(process) / name).read_bytes()
    except OSError:
        return b""


def address(scheme: str, max_workers: int | None) -> str:
    return f"{scheme}:{'' if max_workers is None else max_workers}"
