"""Queues between the threads of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import clock
from clock import Measurement

#: Makes a queue of at most so many items; 0 for any number.
Make = Callable[[int], Any]


def put_and_got(make: Make, seconds: float) -> Iterator[Measurement]:
    """Put an item and get it again, in one thread."""
    queue = make(0)
    put, get = queue.put, queue.get

    def pairs(count: int) -> None:
        for number in range(count):
            put(number)
            get()

    yield "put + get", clock.each(pairs, seconds) * 1e9, "ns"


def passed_on(make: Make, seconds: float) -> Iterator[Measurement]:
    """Put items in one thread and get them in another."""
    queue, wanted = make(0), make(0)
    threading.Thread(target=count_up, args=(wanted.get, queue.put), daemon=True).start()
    yield "1 producer 1 consumer", 1 / clock.each(consumer(wanted.put, queue.get), seconds), "items/s"


def there_and_back(make: Make, seconds: float) -> Iterator[Measurement]:
    """Give an item to a thread that waits for it, and wait for its answer."""
    there, back = make(0), make(0)
    threading.Thread(target=echo, args=(there.get, back.put), daemon=True).start()
    put, get = there.put, back.get

    def trips(count: int) -> None:
        for number in range(count):
            put(number)
            assert get() == number

    yield "there and back", clock.each(trips, seconds) * 1e6, "us"


def count_up(wanted: Callable[[], int], put: Callable[[int], object]) -> None:
    """Put as many numbers as are wanted, for ever."""
    while True:
        for number in range(wanted()):
            put(number)


def consumer(want: Callable[[int], object], get: Callable[[], int]) -> Callable[[int], None]:
    """Give a function that has so many numbers put, and gets them."""

    def many(count: int) -> None:
        want(count)
        total = 0
        for _ in repeat(None, count):
            total += get()
        assert total == count * (count - 1) // 2

    return many


def echo(get: Callable[[], Any], put: Callable[[Any], object]) -> None:
    """Give back what comes, for ever."""
    while True:
        put(get())


def standard(size: int) -> Any:
    """The standard library's queue."""
    import queue

    return queue.Queue[Any](size)


def simple(_: int) -> Any:
    """The standard library's queue in C, which knows no bounds."""
    import queue

    return queue.SimpleQueue[Any]()


def culsans(size: int) -> Any:
    """The queue for threads and coroutines, as threads use it."""
    from culsans import Queue

    return Queue[Any](size).sync_q


def ours(size: int) -> Any:
    """Our queue."""
    from anyplace import queue

    return queue.Queue[Any](size)
