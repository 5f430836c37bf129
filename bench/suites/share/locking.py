"""What a lock costs: alone, and with one other that wants it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import Any

import clock
from clock import Measurement
from library import Library


def pairs(library: Library, seconds: float) -> Iterator[Measurement]:
    """Acquire and release what nobody else wants."""
    for name, lock in [
        ("Lock", library.Lock()),
        ("RLock", library.RLock()),
        ("Semaphore", library.Semaphore(1)),
    ]:
        yield f"{name} acquire + release", clock.each(partial(pair, lock), seconds) * 1e9, "ns"
    yield "with Lock", clock.each(partial(blocks, library.Lock()), seconds) * 1e9, "ns"


def pair(lock: Any, count: int) -> None:
    """Acquire and release, so many times."""
    acquire, release = lock.acquire, lock.release
    for _ in repeat(None, count):
        acquire()
        release()


def blocks(lock: Any, count: int) -> None:
    """Enter a `with` block, so many times."""
    for _ in repeat(None, count):
        with lock:
            pass


def contended(library: Library, seconds: float) -> Iterator[Measurement]:
    """Let two acquire and release the same lock as fast as they can."""
    lock, go, done = library.Lock(), library.Semaphore(0), library.Semaphore(0)
    count = library.cell()

    def both(times: int) -> None:
        count.value = times
        go.release()
        pair(lock, times)
        done.acquire()

    with library.beside(contend, lock, go, done, count):
        yield "Lock contended by 2", clock.each(both, seconds) / 2 * 1e9, "ns"


def contend(lock: Any, go: Any, done: Any, count: Any) -> None:
    """Be the other one, each time it is asked for."""
    while True:
        go.acquire()
        pair(lock, count.value)
        done.release()


def added(library: Library, seconds: float) -> Iterator[Measurement]:
    """Count in a shared value, as the documentation of `multiprocessing` does it."""
    value = library.Value("q", 0)

    def add(count: int) -> None:
        before = value.value
        for _ in repeat(None, count):
            with value.get_lock():
                value.value += 1
        assert value.value == before + count

    yield "Value += 1 under its lock", clock.each(add, seconds) * 1e9, "ns"
