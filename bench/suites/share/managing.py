"""What a manager's objects cost a process that uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat

import clock
from clock import Measurement
from library import Library


def managed(library: Library, seconds: float) -> Iterator[Measurement]:
    """Use a dict, a list, a lock and a value of a manager."""
    with library.Manager() as manager:
        table, row = manager.dict(a=1), manager.list()
        lock, value = manager.Lock(), manager.Value("q", 0)

        def get() -> None:
            assert table["a"] == 1

        def set_() -> None:
            table["a"] = 1

        def append_and_pop() -> None:
            row.append(1)
            row.pop()

        def pair() -> None:
            lock.acquire()
            lock.release()

        def add() -> None:
            value.value += 1

        for case, once in [
            ("dict get", get),
            ("dict set", set_),
            ("list append + pop", append_and_pop),
            ("Lock acquire + release", pair),
            ("Value += 1", add),
        ]:
            yield case, clock.each(partial(again, once), seconds) * 1e6, "us"


def again(once: Callable[[], None], count: int) -> None:
    """Do it so many times."""
    for _ in repeat(None, count):
        once()
