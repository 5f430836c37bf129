"""Descriptors that travel over unix sockets."""

from __future__ import annotations

import socket as _stdlib
from array import array
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Buffer

    from anyplace._core import Socket


def send_fds(
    sock: Socket, buffers: Iterable[Buffer], fds: Iterable[int], flags: int = 0, address: Any = None
) -> int:
    """Send descriptors, with some bytes, over a unix socket.

    Parameters
    ----------
    sock : socket
        A unix socket.
    buffers : iterable of bytes
        What is sent with them: at least one byte, on a stream.
    fds : iterable of int
        The descriptors, which stay open here.
    flags : int, optional
        As for `sendmsg`.
    address : str or bytes, optional
        As for `sendmsg`.

    Returns
    -------
    int
        Bytes sent.
    """
    rights = (_stdlib.SOL_SOCKET, _stdlib.SCM_RIGHTS, array("i", fds))
    return sock.sendmsg(buffers, [rights], flags, address)


def recv_fds(sock: Socket, bufsize: int, maxfds: int, flags: int = 0) -> tuple[bytes, list[int], int, Any]:
    """Receive descriptors over a unix socket.

    Parameters
    ----------
    sock : socket
        A unix socket.
    bufsize : int
        Bytes, at most.
    maxfds : int
        Descriptors, at most; the system closes what is more.
    flags : int, optional
        As for `recvmsg`.

    Returns
    -------
    tuple of (bytes, list of int, int, object)
        The bytes, the descriptors, flags of the message, and who sent it.
    """
    fds = array("i")
    data, beside, flags, address = sock.recvmsg(bufsize, _stdlib.CMSG_LEN(maxfds * fds.itemsize), flags)
    for level, kind, rights in beside:
        if (level, kind) == (_stdlib.SOL_SOCKET, _stdlib.SCM_RIGHTS):
            fds.frombytes(rights[: len(rights) - len(rights) % fds.itemsize])
    return data, list(fds), flags, address
