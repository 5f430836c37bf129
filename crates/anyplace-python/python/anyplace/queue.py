"""Queues between threads: the standard library's ``queue``, native, and to be awaited.

A program that imports this module in the place of ``queue`` goes on as before. Items are put and taken several times
faster; `Queue.shutdown` is there in every Python; and coroutines can wait, too: ``await q.get_async()``.

A program that looks at the inside of a queue (``q.queue``, ``q.mutex``, its conditions) or has its own ``_put`` or
``_get`` finds them, and that queue goes on as the standard library's does, as fast as that.

Examples
--------
>>> from anyplace import queue
>>> orders = queue.PriorityQueue()
>>> orders.put((2, "tea"))
>>> orders.put((1, "soup"))
>>> orders.get()
(1, 'soup')
>>> orders.get_nowait()
(2, 'tea')
"""

from __future__ import annotations

import queue
from queue import Empty, Full
from typing import TYPE_CHECKING, Any, TypeVar

from anyplace import _core, _queue_open
from anyplace._core import SimpleQueue
from anyplace._shutdown import ShutDown

if TYPE_CHECKING:
    import threading

__all__ = ["Empty", "Full", "LifoQueue", "PriorityQueue", "Queue", "ShutDown", "SimpleQueue"]

T = TypeVar("T")


class Queue(_core.Queue[T], queue.Queue[T]):
    """First in, first out.

    Parameters
    ----------
    maxsize : int, default 0
        How many items there may be; zero or less for any number.
    """

    __order: str | None = "fifo"

    if TYPE_CHECKING:
        mutex: threading.Lock
        maxsize: int
        unfinished_tasks: int
        is_shutdown: bool

    def __init__(self, maxsize: int = 0) -> None:
        order = self.__order
        self._begin(maxsize, order or "fifo")
        if self.__dict__:
            for name in _queue_open.INSIDE:
                self.__dict__.pop(name, None)
        if order is None:
            _queue_open.begin(self, maxsize)

    def __init_subclass__(cls, **keywords: Any) -> None:
        """See whether the class has hooks of its own: then they are called."""
        super().__init_subclass__(**keywords)
        hooks = {getattr(cls, hook) for hook in _queue_open.HOOKS}
        cls.__order = next((order for order, own in _ORDERS.items() if own == hooks), None)

    def __getattr__(self, name: str) -> Any:
        """Make the inside when it is first touched."""
        if name in _queue_open.INSIDE:
            _queue_open.open(self)
            if name in self.__dict__:
                return self.__dict__[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Touch the inside also by setting it."""
        if name in _queue_open.INSIDE or name in _queue_open.HOOKS:
            _queue_open.open(self)
        super().__setattr__(name, value)

    async def put_async(self, item: T) -> None:
        """Put an item, waiting for room in the running asyncio loop.

        Parameters
        ----------
        item : object
            Any object.

        Raises
        ------
        ShutDown
            If the queue is shut down.
        """
        from anyplace import _queue_await

        await _queue_await.until(lambda: self.put_nowait(item), Full, self._expect_room, self._pass_room_on)

    async def get_async(self) -> T:
        """Take an item, waiting for one in the running asyncio loop.

        Returns
        -------
        object
            The item.

        Raises
        ------
        ShutDown
            If the queue is shut down, and no item is left.
        """
        from anyplace import _queue_await

        item: T = await _queue_await.until(self.get_nowait, Empty, self._expect_item, self._pass_item_on)
        return item


#: What the standard library's classes have for hooks, by their order.
_ORDERS = {
    order: {getattr(cls, hook) for hook in _queue_open.HOOKS}
    for order, cls in (("fifo", queue.Queue), ("lifo", queue.LifoQueue), ("sorted", queue.PriorityQueue))
}


class LifoQueue(Queue[T], queue.LifoQueue[T]):
    """Last in, first out.

    Parameters
    ----------
    maxsize : int, default 0
        How many items there may be; zero or less for any number.
    """


class PriorityQueue(Queue[T], queue.PriorityQueue[T]):
    """The smallest item first; items are compared by ``<``, as `heapq` does it.

    A comparison that raises leaves the queue as it was.

    Parameters
    ----------
    maxsize : int, default 0
        How many items there may be; zero or less for any number.
    """
