"""The kinds of queue between processes, without numpy, which who only waits does not need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import library
from library import Library

Put = Callable[[Any], object]
Get = Callable[[], Any]
#: Gets some items, at most so many.
GetMany = Callable[[int], list[Any]]

#: What has room for bytes gets this much for each item that is to fit, where it is told how many.
ITEM_BYTES = 1 << 20


@dataclass(frozen=True)
class Kind:
    """A kind of queue: how one is made, and how processes are started that use it."""

    library: Library
    #: Makes a queue of at most so many items (0 for any number) and gives what puts and gets.
    make: Callable[[int], tuple[Put, Get]]
    #: The same of any number, for a kind that can give several items at once.
    make_many: Callable[[], tuple[Put, GetMany]] | None = None


def ours() -> Kind:
    """Our `multiprocessing.Queue`."""
    mine = library.ours()

    def make(size: int) -> tuple[Put, Get]:
        queue = mine.Queue(size)
        return queue.put, queue.get

    def make_many() -> tuple[Put, GetMany]:
        queue = mine.Queue()
        return queue.put, queue.get_many

    return Kind(mine, make, make_many)


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
    """faster-fifo's queue. It has room for bytes, not for items, and by default for less than 1 MB."""
    from faster_fifo import Queue

    def make(size: int) -> tuple[Put, Get]:
        queue = Queue(max_size_bytes=size * ITEM_BYTES) if size else Queue()
        return queue.put, queue.get

    def make_many() -> tuple[Put, GetMany]:
        queue = Queue()
        return queue.put, lambda most: list(queue.get_many(max_messages_to_get=most))

    return Kind(library.standard(), make, make_many)


#: THE kinds, ours first.
KINDS: dict[str, Callable[[], Kind]] = {
    "anyplace": ours,
    "multiprocessing.Queue": standard,
    "multiprocessing.SimpleQueue": simple,
    "multiprocessing.Pipe": pipe,
    "faster-fifo": faster_fifo,
}
