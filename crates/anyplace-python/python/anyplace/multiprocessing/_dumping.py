"""Pickles what a new process starts with.

Functions and classes that it can import travel by name, those of ``__main__`` by value (so the script is not
run again), and what processes share (locks, queues, connections, sockets) the way multiprocessing shares it.
"""

from __future__ import annotations

from multiprocessing.context import set_spawning_popen
from multiprocessing.reduction import ForkingPickler
from typing import Any, Protocol

from anyplace import _core

#: Names of modules that mean another thing in a new process.
_ELSEWHERE = (b"__main__", b"__mp_main__")


class Sharing(Protocol):
    """What hands descriptors over to the new process."""

    def duplicate_for_child(self, fd: int, /) -> int:
        """The number that the descriptor has there."""

    def DupFd(self, fd: int, /) -> Any:  # noqa: N802
        """Something that travels, and gives the descriptor there by ``detach()``."""

    def keep(self, sent: list[Any], /) -> None:
        """Holds shared objects until the process has them."""


def dumps(value: Any, sharing: Sharing) -> bytes:
    """The bytes of a value that a process is started with; `sharing` hears of what it has to share."""
    sent: list[Any] = []
    set_spawning_popen(sharing)  # type: ignore[arg-type]
    _core.keep_sent(sent)
    try:
        return _dumps(value)
    finally:
        _core.keep_sent(None)
        set_spawning_popen(None)
        sharing.keep(sent)


def _dumps(value: Any) -> bytes:
    try:
        data = bytes(ForkingPickler.dumps(value))
    except Exception:
        return _by_value(value)
    return _by_value(value) if any(name in data for name in _ELSEWHERE) else data


def _by_value(value: Any) -> bytes:
    from anyplace import _by_value

    return _by_value.dump(value, reducers=vars(ForkingPickler)["_extra_reducers"])[0]
