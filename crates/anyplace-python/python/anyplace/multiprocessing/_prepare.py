"""What a pool's worker is given before its first call.

In the standard library the arguments of a pool's initializer may hold what belongs to several processes
(locks, queues, values, connections), since they travel with a process that is being started. Ours travel as
bytes, once more to each worker that is started later, and the descriptors among them are lent.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from multiprocessing import process, resource_tracker
from typing import Any

from ._dumping import dumps
from ._lender import Lender

#: What all workers of a pool are given: the key, the caller's name and number, and the initializer as bytes.
Given = tuple[bytes, str, int, bytes]


def prepared(initializer: Callable[..., object] | None, initargs: tuple[Any, ...], lender: Lender) -> Given:
    """Make what `prepare` is called with in each worker."""
    own = process.current_process()
    work = dumps((_tracker(lender), initializer, initargs), lender)
    return bytes(own.authkey), own.name, os.getpid(), work


def prepare(authkey: bytes, parent: str, parent_pid: int, work: bytes) -> None:
    """In a worker: become what the standard library's workers are, a daemon and a child of its parent."""
    own: Any = process.current_process()
    own.authkey = authkey
    own.name = f"PoolWorker-{os.getpid()}"
    own._config["daemon"] = True
    library: Any = process
    library._parent_process = library._ParentProcess(parent, parent_pid, os.pidfd_open(parent_pid))
    tracker, initializer, initargs = pickle.loads(work)
    if tracker is not None:
        _the_tracker()._fd = tracker.detach()
    if initializer is not None:
        initializer(*initargs)


def _tracker(lender: Lender) -> Any:
    """Who removes what nobody removed must be one for all, or it removes what others still use."""
    fd = _the_tracker()._fd
    return None if fd is None else lender.DupFd(fd)


def _the_tracker() -> Any:
    library: Any = resource_tracker
    return library._resource_tracker
