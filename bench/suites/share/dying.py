"""How long a lock is gone when its holder is killed: that of `multiprocessing` is gone for ever."""

from __future__ import annotations

import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

from clock import Measurement
from library import Library

#: Who does not have it by then does not get it.
PATIENCE_S = 20.0


def passed_on(library: Library, seconds: float) -> Iterator[Measurement]:
    """Wait for a lock whose holder is killed meanwhile."""
    lock, began, times = library.Lock(), time.perf_counter(), list[float]()
    while len(times) < 3 or time.perf_counter() < began + seconds * 4:
        times.append(once(library, lock))
    yield "from SIGKILL of a Lock's holder to the next", statistics.median(times) * 1e3, "ms"


def once(library: Library, lock: Any) -> float:
    """Let a process take the lock and be killed while we wait for it."""
    holds = library.Semaphore(0)
    holder = library.start(hold, lock, holds)
    assert holds.acquire(timeout=PATIENCE_S)
    killed: list[float] = []
    killing = threading.Timer(random.uniform(0.02, 0.2), lambda: killed.append(kill(holder.pid)))
    killing.start()
    assert lock.acquire(timeout=PATIENCE_S), "it has not passed on"
    passed = time.perf_counter()
    lock.release()
    killing.join()
    holder.join()
    return passed - killed[0]


def kill(pid: int) -> float:
    """Kill the process, and tell when."""
    now = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    return now


def hold(lock: Any, holds: Any) -> None:
    """Take the lock, say so, and keep it."""
    lock.acquire()
    holds.release()
    threading.Event().wait()
