"""What a manager makes of locks, events and queues: the methods of `threading`'s and `queue`'s."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from anyplace import _core


class Proxied:
    """What objects of managers have alike."""

    __slots__ = ()

    #: The names by which the standard library shows it.
    _shown: ClassVar[tuple[str, str]]

    def __repr__(self) -> str:
        """Show it as the standard library shows its proxies."""
        proxy, typeid = self._shown
        return f"<{proxy} object, typeid {typeid!r} at {id(self):#x}>"


class LockProxy(Proxied, _core.SharedLock):
    """A manager's lock."""

    __slots__ = ()
    _shown = "AcquirerProxy", "Lock"

    def __new__(cls) -> LockProxy:
        """Make a new one."""
        return _core.SharedLock.__new__(cls)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Acquire it."""
        return super().acquire(blocking, timeout)


class RLockProxy(Proxied, _core.SharedRLock):
    """A manager's re-entrant lock."""

    __slots__ = ()
    _shown = "AcquirerProxy", "RLock"

    def __new__(cls) -> RLockProxy:
        """Make a new one."""
        return _core.SharedRLock.__new__(cls)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Acquire it."""
        return super().acquire(blocking, timeout)


class SemaphoreProxy(Proxied, _core.SharedSemaphore):
    """A manager's semaphore."""

    __slots__ = ()
    _shown = "AcquirerProxy", "Semaphore"

    def __new__(cls, value: int = 1) -> SemaphoreProxy:
        """Make a new one."""
        return _core.SharedSemaphore.__new__(cls, None, "", value)

    @classmethod
    def bounded(cls, value: int = 1) -> SemaphoreProxy:
        """Make a new one to which no more can be given back than were taken."""
        return _core.SharedSemaphore.__new__(cls, None, "", value, True)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take a permit."""
        return super().acquire(blocking, timeout)


class ConditionProxy(Proxied, _core.SharedCondition):
    """A manager's condition."""

    __slots__ = ()
    _shown = "ConditionProxy", "Condition"

    def __new__(cls, lock: _core.SharedLock | _core.SharedRLock | None = None) -> ConditionProxy:
        """Make a new one."""
        return _core.SharedCondition.__new__(cls, None, "", lock)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Acquire the lock."""
        return super().acquire(blocking, timeout)


class EventProxy(Proxied, _core.SharedEvent):
    """A manager's event."""

    __slots__ = ()
    _shown = "EventProxy", "Event"

    def __new__(cls) -> EventProxy:
        """Make a new one."""
        return _core.SharedEvent.__new__(cls)


class BarrierProxy(Proxied, _core.SharedBarrier):
    """A manager's barrier. Its action is done by the last one that comes."""

    __slots__ = ()
    _shown = "BarrierProxy", "Barrier"

    def __new__(
        cls, parties: int, action: Callable[[], object] | None = None, timeout: float | None = None
    ) -> BarrierProxy:
        """Make a new one."""
        return _core.SharedBarrier.__new__(cls, None, "", parties, action, timeout)


class QueueProxy(Proxied, _core.SharedQueue[Any]):
    """A manager's queue."""

    _shown = "AutoProxy[Queue]", "Queue"

    def __new__(cls, maxsize: int = 0) -> QueueProxy:
        """Make a new one."""
        return _core.SharedQueue.__new__(cls, None, "", "fifo", max(maxsize, 0))
