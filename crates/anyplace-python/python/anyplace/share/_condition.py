"""`Condition`: waiting for a change of what a lock guards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar

from anyplace import _core

from ._lock import RLock
from ._waiting import given, owner

T = TypeVar("T")


class Condition(_core.SharedCondition):
    """Wait for a change of what a lock guards, and tell others of one.

    Parameters
    ----------
    place, name
        As for `Lock`.
    lock : RLock, optional
        The lock; one of its own unless it is given.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     changed = place.condition("changed")
    ...     with changed:
    ...         changed.wait_for(lambda: True)
    True
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    @property
    def _rlock(self) -> RLock:
        lock: RLock = self.lock
        return lock

    async def wait_async(self) -> bool:
        """Release the lock that the running task holds, wait to be told, and acquire it again."""
        waiting = self._waiting()
        count = self._rlock._release_all_as(owner())
        try:
            await given(waiting)
        finally:
            await given(self._rlock._restoring_as(owner(), count))
        return True

    async def wait_for_async(self, predicate: Callable[[], T]) -> T:
        """Wait until `predicate` gives something true; give that."""
        result = predicate()
        while not result:
            await self.wait_async()
            result = predicate()
        return result

    async def __aenter__(self) -> Self:
        """Acquire the lock for the running task."""
        await given(self._rlock._acquiring_as(owner()))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release the lock."""
        self._rlock._release_as(owner())
