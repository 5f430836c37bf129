"""`Lock` and `RLock`."""

from __future__ import annotations

import threading

from anyplace import _core
from anyplace.threading._naming import name_of


@_core.quicken
class Lock(_core.ThreadLock):
    """One thread has it at a time.

    It is not re-entrant, and any thread may release it. A free lock goes to whoever comes first, but one who
    has waited for a millisecond is let through next.

    Examples
    --------
    >>> from anyplace.threading import Lock
    >>> lock = Lock()
    >>> with lock:
    ...     lock.acquire(blocking=False)
    False
    """

    __slots__ = ("__weakref__",)
    __module__ = "anyplace.threading"

    acquire_lock = _core.ThreadLock.acquire
    release_lock = _core.ThreadLock.release
    locked_lock = _core.ThreadLock.locked

    def __init_subclass__(cls) -> None:
        """Refuse subclasses, as the standard library's lock does."""
        raise TypeError("type 'anyplace.threading.Lock' is not an acceptable base type")

    async def acquire_async(self) -> bool:
        """Take the lock, waiting for it in the running asyncio loop, which goes on meanwhile.

        Returns
        -------
        bool
            True: a wait that is cancelled raises.
        """
        if not self.acquire(False):
            from anyplace.threading import _awaiting

            await _awaiting.wait(self._turn(_awaiting.line()))
        return True

    async def __aenter__(self) -> None:
        """Take it, as ``acquire_async()`` does."""
        await self.acquire_async()

    async def __aexit__(self, *_error: object) -> None:
        """Let go of it."""
        self.release()

    def __repr__(self) -> str:
        """Tell whether it is locked."""
        return f"<{'locked' if self.locked() else 'unlocked'} {name_of(self)} object at {id(self):#x}>"


@_core.quicken
class RLock(_core.ThreadRLock):
    """One thread, or one asyncio task that awaits it, has it at a time, as often as it likes.

    It is free when it was released as often as it was taken. All else is as with `Lock`.

    Examples
    --------
    >>> from anyplace.threading import RLock
    >>> lock = RLock()
    >>> with lock, lock:
    ...     lock.acquire(blocking=False)
    True
    """

    __slots__ = ("__weakref__",)
    __module__ = "anyplace.threading"

    async def acquire_async(self) -> bool:
        """Take the lock for the running asyncio task, waiting for it in its loop, which goes on meanwhile.

        Returns
        -------
        bool
            True: a wait that is cancelled raises.
        """
        task = self._task()
        if not self._try(task):
            from anyplace.threading import _awaiting

            await _awaiting.wait(self._turn(_awaiting.line(), task))
        return True

    async def __aenter__(self) -> None:
        """Take it, as ``acquire_async()`` does."""
        await self.acquire_async()

    async def __aexit__(self, *_error: object) -> None:
        """Let go of it."""
        self.release()

    def __repr__(self) -> str:
        """Tell who has it, and how often."""
        owner, count = self._owner() or (None, 0)
        thread = threading._active.get(owner)  # type: ignore[attr-defined]
        return (
            f"<{'locked' if count else 'unlocked'} {name_of(self)} object"
            f" owner={thread.name if thread else owner!r} count={count} at {id(self):#x}>"
        )
