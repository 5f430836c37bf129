"""Queues between processes: numbers, arrays, and a word there and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import clock
import library
import numpy as np
from clock import Measurement
from items import consumer, count_up, echo
from library import Library
from numpy.typing import NDArray

Put = Callable[[Any], object]
Get = Callable[..., Any]

#: 1 MB of doubles.
DOUBLES = 125_000
#: A page of memory holds so many.
PAGE = 512
#: So many arrays may wait: what is unbounded would only measure how fast memory fills.
ARRAYS = 8
#: So many numbers go at once where several may.
BATCH = 100


@dataclass(frozen=True)
class Kind:
    """A kind of queue: how one is made, and how processes are started that use it."""

    library: Library
    #: Makes a queue of at most so many items (0 for any number) and gives what puts and gets.
    make: Callable[[int], tuple[Put, Get]]
    #: The same for lists of items, where the kind can take several at once.
    make_batches: Callable[[], tuple[Put, Get]] | None = None


def numbers(kind: Kind, seconds: float) -> Iterator[Measurement]:
    """Put small numbers in one process and get them in another."""
    (want, wanted), (put, get) = kind.make(0), kind.make(0)
    with kind.library.beside(count_up, wanted, put):
        yield "small ints", 1 / clock.each(consumer(want, get), seconds), "items/s"


def batches(kind: Kind, seconds: float) -> Iterator[Measurement]:
    """The same, many at once."""
    if kind.make_batches is None:
        return
    (want, wanted), (put, get) = kind.make(0), kind.make_batches()

    def many(count: int) -> None:
        want(count)
        total, left = 0, count * BATCH
        while left:
            some = get(BATCH)
            total, left = total + sum(some), left - len(some)
        assert total == count * sum(range(BATCH))

    with kind.library.beside(count_up_in_batches, wanted, put):
        yield "small ints in batches", BATCH / clock.each(many, seconds), "items/s"


def count_up_in_batches(wanted: Get, put: Put) -> None:
    """Put as many lists as are wanted, for ever."""
    batch = list(range(BATCH))
    while True:
        for _ in repeat(None, wanted()):
            put(batch)


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


def ours() -> Kind:
    """Our `multiprocessing.Queue`."""
    mine = library.ours()

    def make(size: int) -> tuple[Put, Get]:
        queue = mine.Queue(size)
        return queue.put, queue.get

    def make_batches() -> tuple[Put, Get]:
        queue = mine.Queue()
        return queue.put_many, queue.get_many

    return Kind(mine, make, make_batches)


def standard() -> Kind:
    """`multiprocessing.Queue`."""
    theirs = library.standard()

    def make(size: int) -> tuple[Put, Get]:
        queue = theirs.Queue(size)
        return queue.put, queue.get

    return Kind(theirs, make)


def simple() -> Kind:
    """`multiprocessing.SimpleQueue`, whose bounds are those of a pipe."""
    theirs = library.standard()

    def make(_: int) -> tuple[Put, Get]:
        queue = theirs.SimpleQueue()
        return queue.put, queue.get

    return Kind(theirs, make)


def pipe() -> Kind:
    """`multiprocessing.Pipe` with one process at each end."""
    theirs = library.standard()

    def make(_: int) -> tuple[Put, Get]:
        getting, putting = theirs.Pipe(duplex=False)
        return putting.send, getting.recv

    return Kind(theirs, make)


def faster_fifo() -> Kind:
    """faster-fifo's queue. It has room for bytes, not for items: more than its default where 1 MB shall fit."""
    from faster_fifo import Queue

    def make(size: int) -> tuple[Put, Get]:
        queue = Queue(max_size_bytes=size * (1 << 20)) if size else Queue()
        return queue.put, queue.get

    def make_batches() -> tuple[Put, Get]:
        queue = Queue()
        return queue.put_many, lambda most: queue.get_many(max_messages_to_get=most)

    return Kind(library.standard(), make, make_batches)


#: THE kinds, ours first.
KINDS: dict[str, Callable[[], Kind]] = {
    "anyplace": ours,
    "multiprocessing.Queue": standard,
    "multiprocessing.SimpleQueue": simple,
    "multiprocessing.Pipe": pipe,
    "faster-fifo": faster_fifo,
}
