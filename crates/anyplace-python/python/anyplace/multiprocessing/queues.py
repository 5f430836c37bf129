"""`Queue`, `JoinableQueue` and `SimpleQueue` of multiprocessing, without a thread that feeds them.

`put` returns when the item is where other processes see it, so it is `put` that raises what cannot be
pickled, and a process may end, or be killed, right after it.
"""

from __future__ import annotations

from queue import Empty, Full
from typing import Any, Generic, TypeVar

from anyplace import _core

__all__ = ["Empty", "Full", "JoinableQueue", "Queue", "SimpleQueue"]

T = TypeVar("T")


class Queue(_core.SharedQueue[T], Generic[T]):
    """A queue between processes.

    Parameters
    ----------
    maxsize : int, default 0
        How many items fit; 0 or less is as many as there is memory for.
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    def __new__(cls, maxsize: int = 0, *, ctx: object = None) -> Queue[T]:
        """Make a new one."""
        return super().__new__(cls, None, "", "fifo", max(maxsize, 0))

    def close(self) -> None:
        """Refuse to put and get in this process from now on; other processes go on."""
        self._close()

    def join_thread(self) -> None:
        """Do nothing: all that was put is there."""

    def cancel_join_thread(self) -> None:
        """Do nothing: nobody waits for anything."""

    def __init_subclass__(cls) -> None:
        """Have a subclass that hears of what cannot be pickled hear of it, instead of its caller."""
        super().__init_subclass__()
        if "_on_queue_feeder_error" in vars(cls):
            cls.put = _put_or_tell  # type: ignore[method-assign, assignment]


def _put_or_tell(self: Any, obj: Any, block: bool = True, timeout: float | None = None) -> None:
    """`put` as the standard library's thread does it: what cannot be pickled is told to the class."""
    try:
        _core.SharedQueue.put(self, obj, block, timeout)
    except (Full, ValueError):
        raise
    except Exception as error:
        self._on_queue_feeder_error(error.__cause__ or error, obj)


class JoinableQueue(Queue[T]):
    """A queue whose items are counted until they are done.

    Parameters
    ----------
    maxsize : int, default 0
        How many items fit; 0 or less is as many as there is memory for.
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """


class SimpleQueue(_core.SharedQueue[T], Generic[T]):
    """A queue between processes that only puts and gets.

    Parameters
    ----------
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    def __new__(cls, *, ctx: object = None) -> SimpleQueue[T]:
        """Make a new one."""
        return super().__new__(cls, None, "", "fifo", 0)

    def close(self) -> None:
        """Refuse to put and get in this process from now on."""
        self._close()
