"""`Lock` and `RLock`: one at a time."""

from __future__ import annotations

from typing import Self

from anyplace import _core

from ._waiting import given, owner


@_core.quicken
class Lock(_core.SharedLock):
    """A lock that one has at a time, whichever thread or process that is.

    Anybody may release it, as with `threading.Lock`. If the process that holds it dies, it passes on to the
    next in line, whom `abandoned` tells.

    Parameters
    ----------
    place : Place, optional
        Where it is; unless it is given, in memory that this process shares with those it is handed to.
    name : str, default ""
        Those who ask a place for the same name get the same lock; the empty name makes a new one.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place, place.lock("door"):
    ...     place.lock("door").acquire(block=False)
    False
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    async def acquire_async(self) -> bool:
        """Acquire it without keeping the event loop from other work."""
        await given(self._acquiring())
        return True

    async def __aenter__(self) -> Self:
        """Acquire it."""
        await self.acquire_async()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release it."""
        self.release()


@_core.quicken
class RLock(_core.SharedRLock):
    """A lock that whoever has it may acquire again; it is free after as many releases.

    A thread owns it; or, by ``async with`` and `acquire_async`, an asyncio task.

    Parameters
    ----------
    place, name
        As for `Lock`.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place, place.rlock("door"):
    ...     place.rlock("door").acquire(block=False)
    True
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    async def acquire_async(self) -> bool:
        """Acquire it for the running task, without keeping the event loop from other work."""
        await given(self._acquiring_as(owner()))
        return True

    def release_async(self) -> None:
        """Release it once, for the running task that acquired it by `acquire_async`."""
        self._release_as(owner())

    async def __aenter__(self) -> Self:
        """Acquire it for the running task."""
        await self.acquire_async()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release it."""
        self.release_async()
