"""`Lock`, `RLock`, `Semaphore`, `BoundedSemaphore`, `Condition`, `Event` and `Barrier` of multiprocessing.

They lie in memory that processes share and need no file. A lock whose holder is killed passes on, and they
can travel wherever values do, not only to a process that is being started.
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import synchronize as library
from typing import Any

from anyplace import _core

__all__ = ["Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore"]

#: As in the standard library: more than anybody needs.
SEM_VALUE_MAX = 2**31 - 1


@_core.quicken
class Lock(_core.SharedLock):
    """A lock that any process or thread may release.

    Parameters
    ----------
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    __slots__ = ()

    def __new__(cls, *, ctx: object = None) -> Lock:
        """Make a new one."""
        return super().__new__(cls)

    def __repr__(self) -> str:
        """Tell whether it is held."""
        return f"<{type(self).__name__}(owner={'unknown' if self.locked() else None})>"


@_core.quicken
class RLock(_core.SharedRLock):
    """A lock that its owner may acquire again; only its owner may release it.

    Parameters
    ----------
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    __slots__ = ()

    def __new__(cls, *, ctx: object = None) -> RLock:
        """Make a new one."""
        return super().__new__(cls)

    def __repr__(self) -> str:
        """Tell whether it is held, and how often."""
        owner = "self" if self._is_owned() else "unknown" if self.locked() else None
        return f"<{type(self).__name__}({owner}, {self._recursion_count()})>"


@_core.quicken
class Semaphore(_core.SharedSemaphore):
    """A number of permits.

    Parameters
    ----------
    value : int, default 1
        How many there are at first.
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    __slots__ = ()

    def __new__(cls, value: int = 1, *, ctx: object = None) -> Semaphore:
        """Make a new one."""
        return super().__new__(cls, None, "", value)

    def get_value(self) -> int:
        """Give the number of permits that are left."""
        return self.value

    def __repr__(self) -> str:
        """Tell how many are left."""
        return f"<{type(self).__name__}(value={self.value})>"


@_core.quicken
class BoundedSemaphore(Semaphore):
    """A semaphore to which no more can be given back than were taken.

    Parameters
    ----------
    value : int, default 1
        How many permits there are.
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    __slots__ = ()

    def __new__(cls, value: int = 1, *, ctx: object = None) -> BoundedSemaphore:
        """Make a new one."""
        return _core.SharedSemaphore.__new__(cls, None, "", value, True)


class Condition(_core.SharedCondition):
    """Wait for a change of what a lock guards, and tell others of one.

    Parameters
    ----------
    lock : Lock or RLock, optional
        The lock; an `RLock` of its own unless it is given.
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    __slots__ = ()

    def __new__(cls, lock: Lock | RLock | None = None, *, ctx: object = None) -> Condition:
        """Make a new one."""
        return super().__new__(cls, None, "", RLock() if lock is None else lock)

    def __repr__(self) -> str:
        """Tell its lock, and how many wait."""
        return f"<{type(self).__name__}({self.lock!r}, {self.n_waiting})>"


class Event(_core.SharedEvent):
    """A flag that can be waited for.

    Parameters
    ----------
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    __slots__ = ()

    def __new__(cls, *, ctx: object = None) -> Event:
        """Make a new one."""
        return super().__new__(cls)

    def __repr__(self) -> str:
        """Tell whether it is set."""
        state = "set" if self.is_set() else "unset"
        return f"<{type(self).__qualname__} at {id(self):#x} {state}>"


class Barrier(_core.SharedBarrier):
    """A point where so many wait for each other.

    Parameters
    ----------
    parties : int
        How many.
    action : callable, optional
        What the last one does before all go on.
    timeout : float, optional
        Seconds to wait at most, where `wait` is not told.
    ctx : object, optional
        Taken as the standard library's takes it, and not needed.
    """

    __slots__ = ()

    def __new__(
        cls,
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        ctx: object = None,
    ) -> Barrier:
        """Make a new one."""
        return super().__new__(cls, None, "", parties, action, timeout)

    def __repr__(self) -> str:
        """Tell how many wait."""
        state = "broken" if self.broken else f"waiters={self.n_waiting}/{self.parties}"
        return f"<{type(self).__qualname__} at {id(self):#x}: {state}>"


def __getattr__(name: str) -> Any:
    """Give what else the standard library's module has."""
    return getattr(library, name)
