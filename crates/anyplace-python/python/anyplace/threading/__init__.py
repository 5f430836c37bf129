"""The standard library's `threading` with faster locks: a program changes its import, and nothing else.

`Lock`, `RLock`, `Semaphore`, `BoundedSemaphore`, `Condition`, `Event` and `Barrier` are ours; `Thread`,
`Timer`, `local`, `current_thread` and all the rest are the standard library's own objects.

Ours keep its rules, and add to them:

- They can be waited for in asyncio: `async with lock`, `await lock.acquire_async()`,
  `await event.wait_async()`. The loop goes on meanwhile, and cancelling the wait leaves the line.
- Who waits is served in order, but for newcomers in the first millisecond of a wait: nobody starves.
- Every wait hears Ctrl-C.

Examples
--------
>>> from anyplace import threading
>>> done = threading.Event()
>>> threading.Thread(target=done.set).start()
>>> done.wait(timeout=60)
True
"""

from __future__ import annotations

import sys
import threading as _stdlib
from threading import (
    TIMEOUT_MAX,
    BrokenBarrierError,
    ExceptHookArgs,
    Thread,
    ThreadError,
    Timer,
    active_count,
    current_thread,
    enumerate,
    get_ident,
    get_native_id,
    getprofile,
    gettrace,
    local,
    main_thread,
    setprofile,
    settrace,
    stack_size,
)
from types import ModuleType
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any

from anyplace.threading._barrier import Barrier
from anyplace.threading._condition import Condition
from anyplace.threading._event import Event
from anyplace.threading._locks import Lock, RLock
from anyplace.threading._semaphore import BoundedSemaphore, Semaphore

if _TYPE_CHECKING:
    from threading import excepthook

__all__ = [
    "TIMEOUT_MAX",
    "Barrier",
    "BoundedSemaphore",
    "BrokenBarrierError",
    "Condition",
    "Event",
    "ExceptHookArgs",
    "Lock",
    "RLock",
    "Semaphore",
    "Thread",
    "ThreadError",
    "Timer",
    "active_count",
    "current_thread",
    "enumerate",
    "excepthook",
    "get_ident",
    "get_native_id",
    "getprofile",
    "gettrace",
    "local",
    "main_thread",
    "setprofile",
    "settrace",
    "stack_size",
]
# What later Pythons add.
__all__ += [name for name in _stdlib.__all__ if name not in __all__]

#: What the standard library's module has, also while a test has taken it away.
_THEIRS = frozenset(vars(_stdlib))


class _Threading(ModuleType):
    """A module that looks up in the standard library's what it does not have, and sets it there.

    Programs set `threading.excepthook`, which threads look for there, and later Pythons have more functions.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__excepthook__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(_stdlib, name)

    def __setattr__(self, name: str, value: object) -> None:
        theirs = name in _THEIRS and name not in vars(self)
        setattr(_stdlib, name, value) if theirs else super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name) if name in vars(self) else delattr(_stdlib, name)


sys.modules[__name__].__class__ = _Threading
