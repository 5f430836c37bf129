"""Handlers as users write them, and as places run them."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import socket
import socketserver
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anyplace import _core
from anyplace._net import Stream
from anyplace._place import Place


@dataclass(frozen=True)
class Prepared:
    """A handler that takes one argument: a stream or the bytes of a request."""

    call: Callable[[Any], Any]
    is_async: bool
    is_of_requests: bool

    def local(self, place: Place) -> Callable[[Any], Any]:
        """What the place calls: in its workers a stream is borrowed first."""
        if self.is_of_requests or not place._pickles:
            return self.call
        return Borrowing(self.call)


@dataclass(frozen=True)
class Borrowing:
    """A handler in a worker process, which is given a ticket for each stream."""

    call: Callable[[Any], Any]

    def __call__(self, ticket: bytes) -> None:
        """Borrow the stream, and have it handled."""
        self.call(Stream(_core.borrow_stream(ticket)))


def prepare(handler: Callable[..., Any], is_of_requests: bool, idle: float | None) -> Prepared:
    """What a place is to call for a handler."""
    if not callable(handler):
        raise TypeError(f"a handler must be callable, not {handler!r}")
    is_async = _is_async(handler)
    call: Callable[[Any], Any] = handler
    if is_of_requests:
        pass
    elif is_async and _takes_two(handler):
        call = functools.partial(_over_asyncio, handler)
    elif isinstance(handler, type) and issubclass(handler, socketserver.BaseRequestHandler):
        call = functools.partial(_over_socket, handler, idle)
    return Prepared(call, is_async, is_of_requests)


def _is_async(handler: Any) -> bool:
    while isinstance(handler, functools.partial):
        handler = handler.func
    if isinstance(handler, type):
        return False
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)


def _takes_two(handler: Callable[..., Any]) -> bool:
    """Whether it cannot be called with one argument, and can with two."""
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [
        p
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return len(needed) == 2


async def _over_asyncio(handler: Callable[..., Any], stream: Any) -> None:
    """Call a handler of ``asyncio.start_server``."""
    import asyncio

    sock = _socket(stream)
    sock.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=sock)
    try:
        await handler(reader, writer)
    finally:
        writer.close()
        # The client may be gone; what the handler raised says more.
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _over_socket(handler: type[socketserver.BaseRequestHandler], idle: float | None, stream: Any) -> None:
    """Make a handler of ``socketserver``, which handles the connection while it is made."""
    with _socket(stream) as sock:
        sock.settimeout(idle)
        handler(sock, sock.getpeername(), None)  # type: ignore[arg-type]


def _socket(stream: Any) -> socket.socket:
    return socket.socket(fileno=os.dup(stream.fileno()))
