"""Managers whose objects need no server.

What `SyncManager` makes (lists, dicts, queues, locks and so on) lies in memory that processes share, so using
it costs no message to another process. Objects of other classes (`BaseManager.register`), pools, and objects
of managers on other machines are the standard library's: they live in a server, which is started when the
first of them is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from multiprocessing import managers as library
from multiprocessing.managers import BaseManager, BaseProxy, RemoteError, SharedMemoryManager, Token
from typing import Any

from ._containers import ArrayProxy, DictProxy, ListProxy, NamespaceProxy, ValueProxy
from ._proxies import (
    BarrierProxy,
    ConditionProxy,
    EventProxy,
    LockProxy,
    QueueProxy,
    RLockProxy,
    SemaphoreProxy,
)

__all__ = ["BaseManager", "BaseProxy", "RemoteError", "SharedMemoryManager", "SyncManager", "Token"]

_library: Any = library
_State = _library.State


class SyncManager(_library.SyncManager):  # type: ignore[misc]
    """Makes objects that processes share, and that can be handed to them in any way.

    They can be used for as long as somebody has them, also when the manager is shut down.

    Parameters
    ----------
    address : object, optional
        Where the server listens, or to whose to `connect`.
    authkey : bytes, optional
        What clients of the server must know.
    serializer : str, default "pickle"
        How they talk.
    ctx : object, optional
        How the server's process is started.
    **options
        What else the standard library's manager takes.

    Examples
    --------
    >>> from anyplace import multiprocessing
    >>> with multiprocessing.Manager() as manager:
    ...     ages = manager.dict(Ada=36)
    ...     ages["Grace"] = 85
    ...     sorted(ages.items())
    [('Ada', 36), ('Grace', 85)]
    """

    _process: Any = None
    #: Whether objects are made by a server that somebody else has started.
    _is_client = False

    def __init__(
        self,
        address: Any = None,
        authkey: bytes | None = None,
        serializer: str = "pickle",
        ctx: object = None,
        **options: Any,
    ) -> None:
        from ._context import CONTEXT

        super().__init__(address, authkey, serializer, ctx or CONTEXT, **options)

    def start(self, initializer: Callable[..., object] | None = None, initargs: Iterable[Any] = ()) -> None:
        """Begin to make objects. An initializer, which is the server's, has that started now."""
        if initializer is not None or self._address is not None or self._state.value != _State.INITIAL:
            super().start(initializer, initargs)
        else:
            self._state.value = _State.STARTED

    def connect(self) -> None:
        """Have the server at the address make the objects."""
        super().connect()
        self._is_client = True

    def shutdown(self) -> None:
        """Make no more objects."""
        # A server that was started has a finalizer in the place of this.
        self._state.value = _State.SHUTDOWN

    @property
    def address(self) -> Any:
        """Where the server listens; it is started if it was not."""
        self._serve()
        return self._address

    def _serve(self) -> None:
        """Starts the server, if there is none."""
        if self._process is None and not self._is_client and self._state.value == _State.STARTED:
            self._state.value = _State.INITIAL
            super().start()

    def _create(self, typeid: str, /, *args: Any, **kwds: Any) -> Any:
        self._serve()
        return super()._create(typeid, *args, **kwds)

    def _number_of_objects(self) -> int:
        """How many objects the server has."""
        return super()._number_of_objects() if self._process else 0

    def _debug_info(self) -> str:
        return super()._debug_info() if self._process else ""


def _made_here(typeid: str, make: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a manager that makes such an object, without a server unless it is somebody else's."""
    by_server = getattr(_library.SyncManager, typeid)

    def made(self: SyncManager, /, *args: Any, **kwds: Any) -> Any:
        if self._is_client:
            return by_server(self, *args, **kwds)
        assert self._state.value == _State.STARTED, "server not yet started"
        return make(*args, **kwds)

    made.__name__ = typeid
    made.__qualname__ = f"SyncManager.{typeid}"
    made.__doc__ = f"Make a shared {typeid}."
    return made


_MAKERS: dict[str, Callable[..., Any]] = {
    "Array": ArrayProxy,
    "Barrier": BarrierProxy,
    "BoundedSemaphore": SemaphoreProxy.bounded,
    "Condition": ConditionProxy,
    "Event": EventProxy,
    "JoinableQueue": QueueProxy,
    "Lock": LockProxy,
    "Namespace": NamespaceProxy,
    "Queue": QueueProxy,
    "RLock": RLockProxy,
    "Semaphore": SemaphoreProxy,
    "Value": ValueProxy,
    "dict": DictProxy,
    "list": ListProxy,
}

for _typeid, _make in _MAKERS.items():
    setattr(SyncManager, _typeid, _made_here(_typeid, _make))


def __getattr__(name: str) -> Any:
    """Give what else the standard library's module has."""
    return getattr(library, name)
