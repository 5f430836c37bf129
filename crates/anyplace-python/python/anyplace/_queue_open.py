"""A queue whose inside somebody has touched: its list, its lock, its conditions or its hooks.

From then on the queue keeps its items where the standard library's keeps them, and everything goes by its
lock, so that whoever holds that finds the queue as a program for the standard library expects it.
"""

from __future__ import annotations

import queue
import threading
from time import monotonic
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyplace.queue import Queue

#: What is made when it is touched.
INSIDE = frozenset({"queue", "mutex", "not_empty", "not_full", "all_tasks_done"})
#: What a program may put its own in the place of.
HOOKS = frozenset({"_init", "_qsize", "_put", "_get"})

_opening = threading.RLock()


def open(own: Queue[Any]) -> None:
    """Make the inside, once, and move the items there."""
    with _opening:
        if not own._is_open():
            # Who puts or takes meanwhile comes to the inside, and waits until it is there.
            own._hand_over({"queue": _items(own), **_conditions()})


def begin(own: Queue[Any], maxsize: int) -> None:
    """Make the inside of a queue whose class has hooks of its own."""
    own._hand_over(_conditions())
    own._init(maxsize)


def forget(own: Queue[Any]) -> None:
    """Let go of the inside."""
    for name in INSIDE:
        own.__dict__.pop(name, None)


def _items(own: Queue[Any]) -> Any:
    """Give an empty list of the kind that the standard library's class has."""
    base: Any = next(cls for cls in type(own).__mro__ if cls.__module__ == "queue")
    holder = SimpleNamespace()
    base._init(holder, own.maxsize)
    return holder.queue


def _conditions() -> dict[str, Any]:
    mutex = threading.Lock()
    names = ("not_empty", "not_full", "all_tasks_done")
    return {"mutex": mutex, **{name: threading.Condition(mutex) for name in names}}


def put(own: Queue[Any], item: Any, block: bool, timeout: float | None) -> None:
    """Put an item as the standard library does."""
    with own.not_full:
        _refuse(own)
        if own.maxsize > 0:
            has_room = lambda: own._qsize() < own.maxsize or own.is_shutdown  # noqa: E731
            if not _wait(own.not_full, has_room, block, timeout):
                raise queue.Full
            _refuse(own)
        own._put(item)
        own.unfinished_tasks += 1
        own.not_empty.notify()
    own._call("item")


def get(own: Queue[Any], block: bool, timeout: float | None) -> Any:
    """Take an item as the standard library does."""
    with own.not_empty:
        has_item = lambda: own._qsize() or own.is_shutdown  # noqa: E731
        if not _wait(own.not_empty, has_item, block, timeout):
            raise queue.Empty
        if not own._qsize():
            _refuse(own)
        item = own._get()
        own.not_full.notify()
    own._call("room")
    return item


def _wait(
    condition: threading.Condition, ready: Callable[[], Any], block: bool, timeout: float | None
) -> bool:
    """Wait until it is ready; false if the time was over first."""
    until = None if timeout is None else monotonic() + timeout
    while not ready():
        left = None if until is None else until - monotonic()
        if not block or (left is not None and left <= 0):
            return False
        condition.wait(left)
    return True


def _refuse(own: Queue[Any]) -> None:
    from anyplace.queue import ShutDown

    if own.is_shutdown:
        raise ShutDown


def qsize(own: Queue[Any]) -> int:
    """Tell how many items there are."""
    with own.mutex:
        return own._qsize()


def empty(own: Queue[Any]) -> bool:
    """Tell whether there is no item."""
    with own.mutex:
        return not own._qsize()


def full(own: Queue[Any]) -> bool:
    """Tell whether there is no room."""
    with own.mutex:
        return 0 < own.maxsize <= own._qsize()


def task_done(own: Queue[Any]) -> None:
    """Count an item as done."""
    with own.all_tasks_done:
        unfinished = own.unfinished_tasks - 1
        if unfinished < 0:
            raise ValueError("task_done() called too many times")
        own.unfinished_tasks = unfinished
        if unfinished == 0:
            own.all_tasks_done.notify_all()


def join(own: Queue[Any]) -> None:
    """Wait until all items are done."""
    with own.all_tasks_done:
        own.all_tasks_done.wait_for(lambda: not own.unfinished_tasks)


def shutdown(own: Queue[Any], immediate: bool) -> None:
    """Refuse what is put from here on, and wake all who wait."""
    with own.mutex:
        own.is_shutdown = True
        if immediate:
            while own._qsize():
                own._get()
                own.unfinished_tasks = max(own.unfinished_tasks - 1, 0)
            own.all_tasks_done.notify_all()
        own.not_empty.notify_all()
        own.not_full.notify_all()
