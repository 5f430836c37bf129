"""100 MB there, and 100 MB back, beside the least that it can cost on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from large import DOUBLES, PAGE, Array, made, touched
from measures import Measurement, Setting

#: What `touched` gives of an array of ones.
PAGES = float(-(-DOUBLES // PAGE))


def sent(of: Setting) -> Iterator[Measurement]:
    """Give a task an array that it reads, in a pool that has done so before."""
    array = np.ones(DOUBLES)

    def once() -> float:
        return float(of.pool.result(of.pool.submit(touched, array)))

    yield "100 MB argument", milliseconds(once, of.seconds), "ms"


def received(of: Setting) -> Iterator[Measurement]:
    """Let a task make an array, and read it here, in a pool that has done so before."""

    def once() -> float:
        return touched(of.pool.result(of.pool.submit(made, 1.0)))

    yield "100 MB result", milliseconds(once, of.seconds), "ms"


def floors(seconds: float) -> Iterator[tuple[str, str, float, str]]:
    """What a single copy costs in one process: nothing that copies once can be faster."""
    there, array = np.ones(DOUBLES), np.ones(DOUBLES)

    def copied(source: Callable[[], Array]) -> float:
        np.copyto(there, source())
        return touched(there)

    yield "100 MB argument", "memcpy + touch", milliseconds(lambda: copied(lambda: array), seconds), "ms"
    yield (
        "100 MB result",
        "make + memcpy + touch",
        milliseconds(lambda: copied(lambda: made(1.0)), seconds),
        "ms",
    )


def milliseconds(once: Callable[[], float], seconds: float) -> float:
    """The median of the runs in that time, after as much of it to get warm; one of each at least."""
    repeated(once, seconds)
    return statistics.median(repeated(once, seconds)) * 1e3


def repeated(once: Callable[[], float], seconds: float) -> list[float]:
    """How long each run takes, for so long."""
    times: list[float] = []
    while sum(times) < seconds:
        began = time.perf_counter()
        total = once()
        times.append(time.perf_counter() - began)
        assert total == PAGES
    return times
