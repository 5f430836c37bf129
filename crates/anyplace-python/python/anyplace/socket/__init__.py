"""The standard library's `socket` with waits of ours: a program changes its import, and nothing else.

`socket` is ours, and so are the functions that make sockets: `create_connection`, `create_server`,
`fromfd` and `socketpair`. Names and numbers, and what is looked up or computed, such as `getaddrinfo`,
`inet_pton` and `AF_INET6`, are the standard library's own.

Ours keep its rules, and add to them:

- All that waits can be awaited in asyncio: `await sock.recv_async(4096)`, `await sock.accept_async()`.
  The loop goes on meanwhile; the socket needs not be a nonblocking one.
- Every wait hears Ctrl-C, whichever thread the signal came to, and the close of its socket by another
  thread.
- What can be done at once is done without letting go of the interpreter's lock: beside a thread that
  computes, a short answer does not cost the five milliseconds that getting the lock back takes.

Sockets of families other than `AF_INET`, `AF_INET6` and `AF_UNIX` are the standard library's own.

Examples
--------
>>> from anyplace import socket
>>> near, far = socket.socketpair()
>>> near.sendall(b"hello")
>>> far.recv(16)
b'hello'
>>> near.close(), far.close()
(None, None)
"""

from __future__ import annotations

import socket as _stdlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any

from anyplace.socket._descriptors import recv_fds as recv_fds
from anyplace.socket._descriptors import send_fds as send_fds
from anyplace.socket._making import create_connection as create_connection
from anyplace.socket._making import create_server as create_server
from anyplace.socket._making import fromfd as fromfd
from anyplace.socket._making import has_dualstack_ipv6 as has_dualstack_ipv6
from anyplace.socket._making import socketpair as socketpair
from anyplace.socket._socket import SocketType as SocketType
from anyplace.socket._socket import socket as socket

if _TYPE_CHECKING:
    from socket import *  # type: ignore[assignment]  # noqa: F403

__all__ = list(_stdlib.__all__)
globals().update((name, getattr(_stdlib, name)) for name in __all__ if name not in globals())


def __getattr__(name: str) -> Any:
    """Look up in the standard library's module what it has besides, as its sentinels."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_stdlib, name)
