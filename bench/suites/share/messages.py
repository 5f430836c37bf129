"""Queues between processes: numbers, arrays, and a word there and back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

import clock
from clock import Measurement
from items import consumer, count_up, echo
from kinds import Get, Kind, Put

#: 1 MB of doubles.
DOUBLES = 125_000
#: A page of memory holds so many.
PAGE = 512
#: So many arrays may wait: what is unbounded would only measure how fast memory fills.
ARRAYS = 8
#: So many numbers are taken at once where several may.
AT_ONCE = 100


def numbers(kind: Kind, seconds: float) -> Iterator[Measurement]:
    """Put small numbers in one process and get them in another."""
    (want, wanted), (put, get) = kind.make(0), kind.make(0)
    with kind.library.beside(count_up, wanted, put):
        yield "small ints", 1 / clock.each(consumer(want, get), seconds), "items/s"


def several(kind: Kind, seconds: float) -> Iterator[Measurement]:
    """The same, but get what is there, up to a hundred at once."""
    if kind.make_many is None:
        return
    (want, wanted), (put, get_many) = kind.make(0), kind.make_many()

    def many(count: int) -> None:
        want(count)
        total, left = 0, count
        while left:
            some = get_many(min(left, AT_ONCE))
            total, left = total + sum(some), left - len(some)
        assert total == count * (count - 1) // 2

    with kind.library.beside(count_up, wanted, put):
        yield "small ints by get_many", 1 / clock.each(many, seconds), "items/s"


def arrays(kind: Kind, seconds: float) -> Iterator[Measurement]:
    """Put 1 MB in one process and look at each page of it in another."""
    (want, wanted), (put, get) = kind.make(0), kind.make(ARRAYS)
    pages = float(-(-DOUBLES // PAGE))

    def many(count: int) -> None:
        want(count)
        for _ in repeat(None, count):
            array: NDArray[np.float64] = get()
            assert array[::PAGE].sum() == pages

    with kind.library.beside(send_arrays, wanted, put):
        yield "1 MB arrays", DOUBLES * 8 / 1e6 / clock.each(many, seconds), "MB/s"


def send_arrays(wanted: Get, put: Put) -> None:
    """Put as many arrays as are wanted, for ever."""
    array = np.ones(DOUBLES)
    while True:
        for _ in repeat(None, wanted()):
            put(array)


def round_trips(kind: Kind, seconds: float) -> Iterator[Measurement]:
    """Give a number to a process that waits for it, and wait for its answer."""
    (put, there), (back, get) = kind.make(0), kind.make(0)

    def once() -> None:
        put(1)
        assert get() == 1

    with kind.library.beside(echo, there, back):
        times = clock.trips(once, seconds)
    yield "round trip p50", clock.percentile(times, 50) * 1e6, "us"
    yield "round trip p99", clock.percentile(times, 99) * 1e6, "us"
