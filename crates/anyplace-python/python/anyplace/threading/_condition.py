"""`Condition`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from anyplace import _core
from anyplace.threading._locks import Lock, RLock

T = TypeVar("T")


class Condition(_core.ThreadCondition):
    """Threads that have a lock let go of it and wait until another tells them that something has changed.

    They are told in the order in which they began to wait, and take the lock back before they go on.

    Parameters
    ----------
    lock : Lock or RLock, optional
        Anything that can be acquired and released; by default an `RLock` of its own.

    Examples
    --------
    >>> from anyplace.threading import Condition, Thread
    >>> changed, box = Condition(), []
    >>> def fill():
    ...     with changed:
    ...         box.append("a letter")
    ...         changed.notify()
    >>> with changed:
    ...     Thread(target=fill).start()
    ...     changed.wait_for(lambda: box, timeout=60)
    ['a letter']
    """

    __module__ = "anyplace.threading"

    def __init__(self, lock: Any = None) -> None:
        """Go with `lock`."""
        if lock is None:
            lock = RLock()
        self._lock = lock
        self.acquire = lock.acquire
        self.release = lock.release
        self._over(lock, type(lock) in (Lock, RLock))

    def __repr__(self) -> str:
        """Tell the lock, and how many wait."""
        return f"<Condition({self._lock}, {self._waiting()})>"

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait until `predicate` gives something true.

        Parameters
        ----------
        predicate : callable
            Called with the lock: at first, and whenever this thread is notified.
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        object
            What `predicate` gave last.

        Raises
        ------
        RuntimeError
            If this thread does not have the lock.
        """
        end = None if timeout is None else monotonic() + timeout
        while not (result := predicate()):
            left = None if end is None else end - monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
        return result

    async def wait_async(self) -> bool:
        """Let go of the lock, wait until notified in the running asyncio loop, and take the lock back.

        The loop goes on meanwhile. A task that is cancelled has the lock again when it hears of it.

        Returns
        -------
        bool
            True: a wait that is cancelled raises.

        Raises
        ------
        RuntimeError
            If the task does not have the lock.
        TypeError
            If the lock is not one of ours: others cannot be awaited.
        """
        if not isinstance(self._lock, (Lock, RLock)):
            raise TypeError(f"cannot await a condition over {self._lock!r}: only ours can be awaited")
        from anyplace.threading import _awaiting

        line = _awaiting.line()
        turn = self._enlist(line)
        saved = self._release_save()
        try:
            await _awaiting.wait(turn, self._pass_on)
        finally:
            await _awaiting.insist(self._lock._turn(line, saved))
        return True

    async def acquire_async(self) -> bool:
        """Take the lock, waiting for it in the running asyncio loop, which goes on meanwhile.

        Returns
        -------
        bool
            True: a wait that is cancelled raises.
        """
        return await self._lock.acquire_async()  # type: ignore[no-any-return]

    async def __aenter__(self) -> None:
        """Take it, as ``acquire_async()`` does."""
        await self.acquire_async()

    async def __aexit__(self, *_error: object) -> None:
        """Let go of it."""
        self.release()

    def notifyAll(self) -> None:  # noqa: N802
        """Wake all who wait; an old name of ``notify_all()``."""
        warnings.warn("notifyAll() is deprecated, use notify_all() instead", DeprecationWarning, stacklevel=2)
        self.notify_all()

    # A lock may say itself how it is let go of and taken back; else `release` and `acquire` do.

    def _release_save(self) -> Any:
        save = getattr(self._lock, "_release_save", None)
        return save() if save is not None else self._lock.release()

    def _acquire_restore(self, state: Any) -> None:
        restore = getattr(self._lock, "_acquire_restore", None)
        restore(state) if restore is not None else self._lock.acquire()

    def _is_owned(self) -> bool:
        is_owned = getattr(self._lock, "_is_owned", None)
        if is_owned is not None:
            return bool(is_owned())
        if self._lock.acquire(False):
            self._lock.release()
            return False
        return True

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()
