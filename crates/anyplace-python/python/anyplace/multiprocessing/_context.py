"""The one way to start processes, as one of multiprocessing's contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, Any, NoReturn

from anyplace import _core

from ._process import Process

if TYPE_CHECKING:
    from . import managers, queues, synchronize
    from .pool import Pool

#: What a program may ask for. All of them mean our way, which keeps what "spawn" promises.
NAMES = ("spawn", "forkserver", "anyplace")


class Context(BaseContext):
    """What `get_context` gives: multiprocessing's names, with our processes and pools."""

    _name = "spawn"
    Process = Process

    def cpu_count(self) -> int:
        """How many cores this process may use: its affinity and its cgroup's quota count."""
        return _core.usable_cores()

    def Pool(  # type: ignore[override]  # noqa: N802
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
    ) -> Pool:
        """Make a pool of worker processes; see `pool.Pool`."""
        # Not above: a process that has no pool starts in half the time.
        from .pool import Pool

        return Pool(processes, initializer, initargs, maxtasksperchild)

    def Lock(self) -> synchronize.Lock:  # type: ignore[override]  # noqa: N802
        """Make a lock."""
        from .synchronize import Lock

        return Lock()

    def RLock(self) -> synchronize.RLock:  # type: ignore[override]  # noqa: N802
        """Make a lock that its owner may acquire again."""
        from .synchronize import RLock

        return RLock()

    def Semaphore(self, value: int = 1) -> synchronize.Semaphore:  # type: ignore[override]  # noqa: N802
        """Make a semaphore."""
        from .synchronize import Semaphore

        return Semaphore(value)

    def BoundedSemaphore(self, value: int = 1) -> synchronize.BoundedSemaphore:  # type: ignore[override]  # noqa: N802
        """Make a semaphore to which no more can be given back than were taken."""
        from .synchronize import BoundedSemaphore

        return BoundedSemaphore(value)

    def Condition(self, lock: Any = None) -> synchronize.Condition:  # type: ignore[override]  # noqa: N802
        """Make a condition."""
        from .synchronize import Condition

        return Condition(lock)

    def Event(self) -> synchronize.Event:  # type: ignore[override]  # noqa: N802
        """Make an event."""
        from .synchronize import Event

        return Event()

    def Barrier(  # type: ignore[override]  # noqa: N802
        self, parties: int, action: Callable[[], object] | None = None, timeout: float | None = None
    ) -> synchronize.Barrier:
        """Make a barrier."""
        from .synchronize import Barrier

        return Barrier(parties, action, timeout)

    def Queue(self, maxsize: int = 0) -> queues.Queue[Any]:  # type: ignore[override]  # noqa: N802
        """Make a queue."""
        from .queues import Queue

        return Queue(maxsize)

    def JoinableQueue(self, maxsize: int = 0) -> queues.JoinableQueue[Any]:  # type: ignore[override]  # noqa: N802
        """Make a queue whose items are counted until they are done."""
        from .queues import JoinableQueue

        return JoinableQueue(maxsize)

    def SimpleQueue(self) -> queues.SimpleQueue[Any]:  # type: ignore[override]  # noqa: N802
        """Make a queue that only puts and gets."""
        from .queues import SimpleQueue

        return SimpleQueue()

    def RawValue(self, typecode_or_type: Any, *args: Any) -> Any:  # noqa: N802
        """Make a ctypes object that processes share."""
        from .sharedctypes import RawValue

        return RawValue(typecode_or_type, *args)

    def RawArray(self, typecode_or_type: Any, size_or_initializer: Any) -> Any:  # noqa: N802
        """Make a ctypes array that processes share."""
        from .sharedctypes import RawArray

        return RawArray(typecode_or_type, size_or_initializer)

    def Value(self, typecode_or_type: Any, *args: Any, lock: Any = True) -> Any:  # noqa: N802
        """Make a ctypes object that processes share, with a lock unless `lock` is False."""
        from .sharedctypes import Value

        return Value(typecode_or_type, *args, lock=lock)

    def Array(self, typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True) -> Any:  # noqa: N802
        """Make a ctypes array that processes share, with a lock unless `lock` is False."""
        from .sharedctypes import Array

        return Array(typecode_or_type, size_or_initializer, lock=lock)

    def Manager(self) -> managers.SyncManager:  # noqa: N802
        """Make a manager, ready to make lists, dicts and more that processes share."""
        from .managers import SyncManager

        manager = SyncManager(ctx=self)
        manager.start()
        return manager

    def get_context(self, method: str | None = None) -> Context:  # type: ignore[override]
        """Give the context of a way to start.

        There is one, which "spawn", "forkserver" and "anyplace" mean. "fork" raises `ValueError`: our
        processes do not inherit their parent's memory.
        """
        if method is not None and method not in NAMES:
            _refuse(method)
        return self

    def get_start_method(self, allow_none: bool = False) -> str:
        """Give "spawn", what programs that ask can rely on: nothing is inherited that was not handed over."""
        return self._name

    def set_start_method(self, method: str | None, force: bool = False) -> None:
        """Accept what `get_context` accepts; nothing changes."""
        self.get_context(method)

    def get_all_start_methods(self) -> list[str]:
        """List the names that `get_context` accepts."""
        return [*NAMES]


def _refuse(method: str) -> NoReturn:
    error = ValueError(f"cannot find context for {method!r}")
    if method == "fork":
        error.add_note(
            "help: hand over what children need as arguments, or import the standard multiprocessing"
        )
    raise error


CONTEXT = Context()
