"""One model for parallel programs: a place is opened by its address, used, and closed.

What you do in a place is the same wherever it is.

Examples
--------
>>> import anyplace
>>> with anyplace.open("threads:4") as place:
...     list(place.map(len, ["one", "three"]))
[3, 5]
"""

from __future__ import annotations

import os

from anyplace._core import Context, Counts, Map, Offer, Transfer, current, forked

TYPE_CHECKING = False  # as `typing` has it, which takes longer to import than all the rest
if TYPE_CHECKING:
    from typing import Any

    from anyplace import multiprocessing as multiprocessing
    from anyplace import queue as queue
    from anyplace import share as share
    from anyplace import socket as socket
    from anyplace import socketserver as socketserver
    from anyplace import threading as threading
    from anyplace._datagram import Datagram, bind
    from anyplace._errors import (
        Broken,
        Cancelled,
        ConfigInvalid,
        ConnectionLost,
        Ended,
        Error,
        NotFound,
        NotHeld,
        NotSerializable,
        PermissionDenied,
        PlaceClosed,
        RateLimited,
        ResourceExhausted,
        TaskFailed,
        Timeout,
        Unexpected,
        Unreachable,
        Unsupported,
        VersionMismatch,
        WorkerLost,
    )
    from anyplace._files import Inbox, reach
    from anyplace._future import Future
    from anyplace._joblib import register_joblib
    from anyplace._net import Listener, Stream, connect, connect_async, listen
    from anyplace._objects import Proxy, expose
    from anyplace._place import Place, open, wrap
    from anyplace._serve import Server, serve
    from anyplace._stored import Stored

__all__ = [
    "Broken",
    "Cancelled",
    "ConfigInvalid",
    "ConnectionLost",
    "Context",
    "Counts",
    "Datagram",
    "Ended",
    "Error",
    "Future",
    "Inbox",
    "Listener",
    "Map",
    "NotFound",
    "NotHeld",
    "NotSerializable",
    "Offer",
    "PermissionDenied",
    "Place",
    "PlaceClosed",
    "Proxy",
    "RateLimited",
    "ResourceExhausted",
    "Server",
    "Stored",
    "Stream",
    "TaskFailed",
    "Timeout",
    "Transfer",
    "Unexpected",
    "Unreachable",
    "Unsupported",
    "VersionMismatch",
    "WorkerLost",
    "bind",
    "connect",
    "connect_async",
    "current",
    "expose",
    "listen",
    "open",
    "reach",
    "register_joblib",
    "serve",
    "wrap",
]

_HOMES = {
    "Datagram": "anyplace._datagram",
    "Future": "anyplace._future",
    "Inbox": "anyplace._files",
    "Listener": "anyplace._net",
    "Place": "anyplace._place",
    "Proxy": "anyplace._objects",
    "Server": "anyplace._serve",
    "Stored": "anyplace._stored",
    "Stream": "anyplace._net",
    "bind": "anyplace._datagram",
    "connect": "anyplace._net",
    "connect_async": "anyplace._net",
    "expose": "anyplace._objects",
    "listen": "anyplace._net",
    "open": "anyplace._place",
    "reach": "anyplace._files",
    "register_joblib": "anyplace._joblib",
    "serve": "anyplace._serve",
    "wrap": "anyplace._place",
}

#: Modules that ``import anyplace`` is enough for.
_MODULES = ("multiprocessing", "queue", "share", "socket", "socketserver", "threading")


os.register_at_fork(after_in_child=forked)
del forked


def __getattr__(name: str) -> Any:
    """Import what is asked for: `concurrent.futures` and `logging` cost more than all the rest."""
    if name not in __all__ and name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    value = getattr(import_module(_HOMES.get(name, "anyplace._errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return [*__all__, *_MODULES]
