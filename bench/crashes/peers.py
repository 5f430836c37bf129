"""The pools whose tasks crash, each with two workers and behind two calls."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

#: Waits for a result, for so many seconds.
Wait = Callable[[float], Any]
#: Submits a function with an argument and the seconds that it may run.
Submit = Callable[[Callable[[Any], Any], Any, float | None], Wait]

WORKERS = 2


@dataclass(frozen=True)
class Peer:
    """A way to open a pool; what it gives is also what the pool's own `with` block would close."""

    open: Callable[[], tuple[Any, Submit]]
    #: Whether a task can be given a time limit that ends it.
    has_limits: bool = False


def anyplace() -> tuple[Any, Submit]:
    """Open a place."""
    import anyplace

    place = anyplace.open(f"processes:{WORKERS}")
    return place, lambda f, argument, limit: place.options(timeout=limit).submit(f, argument).result


def standard() -> tuple[Any, Submit]:
    """Open the standard library's executor."""
    return of_executor(ProcessPoolExecutor(WORKERS))


def loky() -> tuple[Any, Submit]:
    """Open the executor beneath joblib."""
    from loky import ProcessPoolExecutor

    return of_executor(ProcessPoolExecutor(WORKERS))


def of_executor(executor: Any) -> tuple[Any, Submit]:
    """Call an executor as its documentation does."""
    return executor, lambda f, argument, _: executor.submit(f, argument).result


def multi() -> tuple[Any, Submit]:
    """Open `multiprocessing.Pool`."""
    pool = multiprocessing.Pool(WORKERS)
    return pool, lambda f, argument, _: pool.apply_async(f, (argument,)).get


def pebble() -> tuple[Any, Submit]:
    """Open the pool whose tasks may have time limits."""
    from pebble import ProcessPool

    pool = ProcessPool(WORKERS)
    return pool, lambda f, argument, limit: pool.schedule(f, args=[argument], timeout=limit).result


def mpire() -> tuple[Any, Submit]:
    """Open the pool with the many helpers."""
    from mpire import WorkerPool

    pool = WorkerPool(WORKERS, keep_alive=True)

    def submit(f: Callable[[Any], Any], argument: Any, limit: float | None) -> Wait:
        get: Wait = pool.apply_async(f, args=(argument,), task_timeout=limit).get
        return get

    return pool, submit


#: THE pools, in the order of the table.
PEERS = {
    "ProcessPoolExecutor": Peer(standard),
    "multiprocessing.Pool": Peer(multi),
    "loky": Peer(loky),
    "pebble": Peer(pebble, has_limits=True),
    "mpire": Peer(mpire, has_limits=True),
    "anyplace": Peer(anyplace, has_limits=True),
}
