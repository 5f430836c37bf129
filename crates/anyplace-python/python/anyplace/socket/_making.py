"""The functions that make sockets."""

from __future__ import annotations

import socket as _stdlib
from typing import Any

from anyplace import _core
from anyplace import socket as _ours

#: As long as `setdefaulttimeout` has said.
_DEFAULT: Any = _stdlib._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]


def fromfd(fd: int, family: int, type: int, proto: int = 0) -> _ours.socket:
    """Make a socket of a copy of a descriptor.

    Parameters
    ----------
    fd : int
        Any object's that is a socket; it stays open.
    family, type, proto : int
        As for `socket`.
    """
    return _ours.socket(family, type, proto, fileno=_stdlib.dup(fd))


def socketpair(
    family: int | None = None, type: int = _stdlib.SOCK_STREAM, proto: int = 0
) -> tuple[_ours.socket, _ours.socket]:
    """Make two sockets that are connected to each other.

    Parameters
    ----------
    family : int, default AF_UNIX
        As for `socket`, as are the others.
    """
    family = _stdlib.AF_UNIX if family is None else family
    near, far = _core.socket_pair(family, type, proto)
    return _ours.socket(family, type, proto, near), _ours.socket(family, type, proto, far)


def create_connection(
    address: tuple[str | None, int | str],
    timeout: float | None = _DEFAULT,
    source_address: tuple[str, int] | None = None,
    *,
    all_errors: bool = False,
) -> _ours.socket:
    """Connect a stream to a host, by the first of its addresses that answers.

    Parameters
    ----------
    address : tuple of (str, int)
        Host and port.
    timeout : float, optional
        Seconds for each address, and of the socket from there on; the default is the one for all sockets.
    source_address : tuple of (str, int), optional
        Where to connect from; an empty host and the port 0 are any.
    all_errors : bool, default False
        Raise an `ExceptionGroup` of what each address answered, and not the last of them.
    """
    errors: list[OSError] = []
    for family, kind, proto, _, at in _ours.getaddrinfo(*address, 0, _stdlib.SOCK_STREAM):
        try:
            return _connected(_ours.socket(family, kind, proto), at, timeout, source_address)
        except OSError as error:
            errors.append(error)
    try:
        if not errors:
            raise OSError("getaddrinfo returns an empty list")
        raise ExceptionGroup("no address could be connected to", errors) if all_errors else errors[-1]
    finally:
        # An error knows this frame by its traceback, and must not be known by it.
        errors.clear()


def _connected(sock: _ours.socket, address: Any, timeout: float | None, source: Any) -> _ours.socket:
    try:
        if timeout is not _DEFAULT:
            sock.settimeout(timeout)
        if source:
            sock.bind(source)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def has_dualstack_ipv6() -> bool:
    """Tell whether a socket can take connections of both IPv4 and IPv6."""
    if not _stdlib.has_ipv6:
        return False
    try:
        with _ours.socket(_stdlib.AF_INET6, _stdlib.SOCK_STREAM) as sock:
            sock.setsockopt(_stdlib.IPPROTO_IPV6, _stdlib.IPV6_V6ONLY, 0)
    except OSError:
        return False
    return True


def create_server(
    address: Any,
    *,
    family: int = _stdlib.AF_INET,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> _ours.socket:
    """Listen at an address.

    Parameters
    ----------
    address : tuple of (str, int)
        Host and port; an empty host is every address of this machine, and the port 0 any free one.
    family : int, default AF_INET
        `AF_INET` or `AF_INET6`.
    backlog : int, optional
        Connections that may wait to be accepted.
    reuse_port : bool, default False
        Let others listen at the same port; the system shares out connections.
    dualstack_ipv6 : bool, default False
        Take connections of IPv4, too, by a socket of `AF_INET6`.

    Raises
    ------
    OSError
        If the address is in use, say; it names the address.
    """
    if reuse_port and not hasattr(_stdlib, "SO_REUSEPORT"):
        raise ValueError("SO_REUSEPORT not supported on this platform")
    if dualstack_ipv6 and not _ours.has_dualstack_ipv6():
        raise ValueError("dualstack_ipv6 not supported on this platform")
    if dualstack_ipv6 and family != _stdlib.AF_INET6:
        raise ValueError("dualstack_ipv6 requires AF_INET6 family")
    sock = _ours.socket(family, _stdlib.SOCK_STREAM)
    try:
        sock.setsockopt(_stdlib.SOL_SOCKET, _stdlib.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(_stdlib.SOL_SOCKET, _stdlib.SO_REUSEPORT, 1)
        if family == _stdlib.AF_INET6:
            sock.setsockopt(_stdlib.IPPROTO_IPV6, _stdlib.IPV6_V6ONLY, 0 if dualstack_ipv6 else 1)
        _bind(sock, address)
        sock.listen() if backlog is None else sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(sock: _ours.socket, address: Any) -> None:
    try:
        sock.bind(address)
    except OSError as error:
        told = f"{error.strerror} (while attempting to bind on address {address!r})"
        raise OSError(error.errno, told) from None
