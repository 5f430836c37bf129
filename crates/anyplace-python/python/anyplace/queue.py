"""Queues between threads: the standard library's ``queue``, native, and to be awaited.

A program that imports this module in the place of ``queue`` goes on as before. Items are put and taken
several times faster; `Queue.shutdown` is there in every Python; and coroutines can wait, too:
``await q.get_async()``.

Those who wait, threads and coroutines, are called in the order in which they began to. A thread that comes
just then may be faster, since throughput is worth more than turns; then who was called keeps its place.

A program that looks at the inside of a queue (``q.queue``, ``q.mutex``, its conditions), or has its own
``_put`` or ``_get``, finds them. From then on that queue goes on as the standard library's does, as fast as
that.

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
from typing import Any, TypeVar

from anyplace import _core, _queue_open
from anyplace._core import SimpleQueue
from anyplace._shutdown import ShutDown

__all__ = ["Empty", "Full", "LifoQueue", "PriorityQueue", "Queue", "ShutDown", "SimpleQueue"]

T = TypeVar("T")


class _Inside:
    """What is made when it is first touched. From then on the queue itself has it, and this is not asked.

    A ``__getattr__`` would do the same, and would slow down every call of every method.
    """

    def __set_name__(self, _: type, name: str) -> None:
        self.name = name

    def __get__(self, own: Queue[Any] | None, _: type) -> Any:
        if own is None:
            return self
        _queue_open.open(own)
        try:
            return own.__dict__[self.name]
        except KeyError:  # A class with an `_init` of its own need not have a list.
            raise AttributeError(f"{type(own).__name__!r} object has no attribute {self.name!r}") from None


class Queue(_core.Queue[T], queue.Queue[T]):
    """First in, first out.

    Parameters
    ----------
    maxsize : int, default 0
        How many items there may be; zero or less for any number.
    """

    __order: str | None = "fifo"

    queue: Any = _Inside()
    mutex: Any = _Inside()
    not_empty: Any = _Inside()
    not_full: Any = _Inside()
    all_tasks_done: Any = _Inside()

    def __init__(self, maxsize: int = 0) -> None:
        if self._is_open():  # It is begun once more.
            _queue_open.forget(self)
        self._begin(maxsize, self.__order or "fifo")
        if self.__order is None:
            _queue_open.begin(self, maxsize)

    def __init_subclass__(cls, **keywords: Any) -> None:
        """See whether the class has hooks of its own: then they are called."""
        super().__init_subclass__(**keywords)
        hooks = {getattr(cls, hook) for hook in _queue_open.HOOKS}
        cls.__order = next((order for order, own in _ORDERS.items() if own == hooks), None)

    def __setattr__(self, name: str, value: Any) -> None:
        """Touch the inside also by setting it."""
        if name in _queue_open.INSIDE or name in _queue_open.HOOKS:
            _queue_open.open(self)
        super().__setattr__(name, value)


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


class PriorityQueue(Queue[T], queue.PriorityQueue[T]):  # type: ignore[type-var]
    """The smallest item first; items are compared by ``<``, as `heapq` does it.

    A comparison that raises leaves the queue as it was.

    Parameters
    ----------
    maxsize : int, default 0
        How many items there may be; zero or less for any number.
    """
