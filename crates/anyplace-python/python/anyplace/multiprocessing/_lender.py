"""Lends descriptors to workers, again for each that is started.

`multiprocessing.resource_sharer` gives each descriptor away once. A pool's workers are replaced, and the one
that comes later has to get what the first one got. The socket has an abstract address, so no file is left of
it; who connects must be of the same user.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from typing import Any

#: A worker that asks is at work at once. One that is stopped in the middle must not keep the others waiting.
_PATIENCE_S = 10

_NUMBER = struct.Struct("@Q")
_CREDENTIALS = struct.Struct("@iII")


class Lender:
    """Where workers of a pool get descriptors from, as long as the pool is there."""

    def __init__(self) -> None:
        self._fds: list[int] = []
        self._sent: list[Any] = []
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def duplicate_for_child(self, fd: int, /) -> int:
        """The same number, since nothing is inherited."""
        return fd

    def DupFd(self, fd: int, /) -> Lent:  # noqa: N802 (multiprocessing calls it so)
        """What travels in the place of the descriptor."""
        if self._socket is None:
            self._socket = _listening()
            self._thread = threading.Thread(target=self._serve, args=(self._socket,), daemon=True)
            self._thread.name = "anyplace-lend"
            self._thread.start()
        self._fds.append(os.dup(fd))
        return Lent(self._socket.getsockname(), len(self._fds) - 1)

    def keep(self, sent: list[Any], /) -> None:
        """Hold shared objects as long as the pool is there."""
        self._sent += sent

    def close(self, wait: bool = True) -> None:
        """Lend nothing more; wait until the descriptors are closed."""
        if self._socket is not None and self._thread is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            if wait:
                self._thread.join()

    def _serve(self, listening: socket.socket) -> None:
        with listening, contextlib.suppress(OSError):
            while True:
                asking, _ = listening.accept()
                with asking, contextlib.suppress(OSError, IndexError, struct.error):
                    self._lend(asking)
        for fd in self._fds:
            os.close(fd)

    def _lend(self, asking: socket.socket) -> None:
        if _user(asking) == os.geteuid():
            asking.settimeout(_PATIENCE_S)
            (number,) = _NUMBER.unpack(asking.recv(_NUMBER.size))
            socket.send_fds(asking, [b"."], [self._fds[number]])


class Lent:
    """A descriptor that a worker asks for.

    Parameters
    ----------
    address : bytes
        Where to ask.
    number : int
        What to ask for.
    """

    def __init__(self, address: bytes, number: int) -> None:
        self._address = address
        self._number = number

    def detach(self) -> int:
        """The descriptor, in the process that calls this."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
            asking.connect(self._address)
            asking.send(_NUMBER.pack(self._number))
            _, fds, _, _ = socket.recv_fds(asking, 1, 1)
        if not fds:
            raise OSError("the pool that lends this descriptor is closed")
        os.set_inheritable(fds[0], False)
        return fds[0]


def _listening() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # No name: the kernel finds one that nobody has.
    made.bind("")
    made.listen()
    return made


def _user(asking: socket.socket) -> int:
    told = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(told)
    return int(user)
