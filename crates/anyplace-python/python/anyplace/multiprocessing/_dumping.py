"""Pickles what a new process starts with.

Functions and classes that it can import travel by name, those of ``__main__`` by value (so the script is not
run again), and what processes share (locks, queues, connections, sockets) the way multiprocessing shares it.
"""

from __future__ import annotations

from multiprocessing.context import set_spawning_popen
from multiprocessing.reduction import ForkingPickler
from typing import Any, Protocol

#: Names of modules that mean another thing in a new process.
_ELSEWHERE = (b"__main__", b"__mp_main__")


class Sharing(Protocol):
    """What hands descriptors over to the new process."""

    def duplicate_for_child(self, fd: int, /) -> int:
        """The number that the descriptor has there."""

    def DupFd(self, fd: int, /) -> Any:  # noqa: N802
        """Something that travels, and gives the descriptor there by ``detach()``."""


def dumps(value: Any, sharing: Sharing) -> bytes:
    """The bytes of a value that a process is started with; `sharing` hears of its descriptors."""
    set_spawning_popen(sharing)  # type: ignore[arg-type]
    try:
        return _dumps(value)
    finally:
        set_spawning_popen(None)


def _dumps(value: Any) -> bytes:
    try:
        data = bytes(ForkingPickler.dumps(value))
    except Exception:
        return _by_value(value)
    return _by_value(value) if any(name in data for name in _ELSEWHERE) else data


def _by_value(value: Any) -> bytes:
    from anyplace import _by_value

    return _by_value.dump(value, reducers=vars(ForkingPickler)["_extra_reducers"])[0]
