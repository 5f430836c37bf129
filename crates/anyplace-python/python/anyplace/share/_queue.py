"""`Queue`: what some put, others get."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Generic, TypeVar

from anyplace import _core
from anyplace._shutdown import ShutDown

from ._waiting import given

T = TypeVar("T")


class Queue(_core.SharedQueue[T], Generic[T]):
    """A queue between threads and processes; ordered for each who puts.

    Its methods are those of `queue.Queue`, ``shutdown`` of Python 3.13 among them, and
    `multiprocessing.Queue`. There is no thread that feeds it: what cannot be pickled raises in `put`, and
    what was put is there though its maker dies. Large arrays are written once, and read in place.

    Parameters
    ----------
    place, name
        As for `Lock`.
    order : {"fifo", "lifo", "priority"}, default "fifo"
        What `get` gives: the first, the last, or the least of what was put. Numbers are compared as floats,
        texts and bytes by the eight bytes that they begin with, tuples by their first part; of what is equal
        so, the first comes first. Nothing else can be put into a priority queue.
    maxsize : int, default 0
        How many items fit; 0 is as many as there is memory for.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     jobs = place.queue("jobs", maxsize=100)
    ...     jobs.put("one")
    ...     jobs.put_many(["two", "three"])
    ...     place.submit(place.queue("jobs", maxsize=100).get).result()
    'one'
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    async def put_async(self, item: T) -> None:
        """Put an item, without keeping the event loop from other work while it is full."""
        await given(self._putting(item))

    async def get_async(self) -> T:
        """Get an item, without keeping the event loop from other work while there is none."""
        item: T = await given(self._getting())
        return item

    async def join_async(self) -> None:
        """Wait until `task_done` was called for every item that was put."""
        await given(self._joining())

    def __iter__(self) -> Iterator[T]:
        """Get items until the queue is shut down."""
        while True:
            try:
                yield self.get()
            except ShutDown:
                return

    async def __aiter__(self) -> AsyncIterator[T]:
        """Get items until the queue is shut down."""
        while True:
            try:
                yield await self.get_async()
            except ShutDown:
                return
