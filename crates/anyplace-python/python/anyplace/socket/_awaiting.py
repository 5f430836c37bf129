"""Waits of sockets in asyncio: the loop listens to the descriptor itself, which needs not be nonblocking."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from anyplace._core import Socket
    from anyplace.socket._socket import socket
else:
    Socket = object

T = TypeVar("T")


class Awaiting(Socket):
    """What can be awaited of a socket.

    Its time-out holds here, too, for each wait; one of 0 is none, since the loop goes on. Who cancels a wait
    has received and sent nothing by it, but for `sendall_async`, of which a part may have gone.

    One task at a time waits for a socket to be readable, and one for it to be writable.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def _accepted(self, fd: int) -> socket: ...

    async def accept_async(self) -> tuple[socket, Any]:
        """Take the next connection, as `accept`.

        From here on the descriptor is a nonblocking one, for whoever else has it.
        """
        fd, address = await self._readable(self._accept_now)
        return self._accepted(fd), address

    async def connect_async(self, address: Any) -> None:
        """Connect to an address, as `connect`; a host that is a name is looked up by a thread of the loop."""
        loop = asyncio.get_running_loop()
        address = await _resolved(loop, self.family, self.type, address)
        if not self._connect_now(address):
            await _ready(loop.add_writer, loop.remove_writer, self.fileno(), self.gettimeout())
            self._connected()

    async def recv_async(self, bufsize: int, flags: int = 0) -> bytes:
        """Receive what there is, as `recv`."""
        return await self._readable(self._recv_now, bufsize, flags)

    async def recv_into_async(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> int:
        """Receive into a buffer, as `recv_into`."""
        return await self._readable(self._recv_into_now, buffer, nbytes, flags)

    async def recvfrom_async(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        """Receive a datagram, as `recvfrom`."""
        return await self._readable(self._recvfrom_now, bufsize, flags)

    async def recvfrom_into_async(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """Receive a datagram into a buffer, as `recvfrom_into`."""
        return await self._readable(self._recvfrom_into_now, buffer, nbytes, flags)

    async def send_async(self, data: Buffer, flags: int = 0) -> int:
        """Send as many of the bytes as there is room for, as `send`."""
        return await self._writable(self._send_now, data, flags)

    async def sendall_async(self, data: Buffer, flags: int = 0) -> None:
        """Send all of the bytes, as `sendall`.

        After an error or a cancelled wait nobody knows how many went.
        """
        sent = 0
        async with asyncio.timeout(self.gettimeout() or None):
            with memoryview(data).cast("B") as rest:
                while sent < len(rest):
                    sent += await self._writable(self._send_now, rest[sent:], flags)

    async def sendto_async(self, data: Buffer, *flags_and_address: Any) -> int:
        """Send bytes to an address, as `sendto`."""
        return await self._writable(self._sendto_now, data, *flags_and_address)

    async def _readable(self, step: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await _taken(loop.add_reader, loop.remove_reader, self, step, arguments)

    async def _writable(self, step: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await _taken(loop.add_writer, loop.remove_writer, self, step, arguments)


async def _taken(
    listen: Callable[..., Any],
    forget: Callable[[int], Any],
    sock: Socket,
    step: Callable[..., T],
    arguments: tuple[Any, ...],
) -> T:
    """What a step gives, tried at once and whenever the descriptor is ready."""
    while True:
        try:
            return step(*arguments)
        except BlockingIOError:
            await _ready(listen, forget, sock.fileno(), sock.gettimeout())


async def _ready(
    listen: Callable[..., Any],
    forget: Callable[[int], Any],
    fd: int,
    timeout: float | None,
) -> None:
    """Wait until the loop says that the descriptor is ready."""
    ready = asyncio.get_running_loop().create_future()
    listen(fd, _tell, ready)
    try:
        if timeout:
            async with asyncio.timeout(timeout):
                await ready
        else:
            await ready
    finally:
        forget(fd)


def _tell(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _resolved(loop: asyncio.AbstractEventLoop, family: int, kind: int, address: Any) -> Any:
    """The address with a host that is a number."""
    import socket as stdlib

    if family not in (stdlib.AF_INET, stdlib.AF_INET6):
        return address
    host, port = address[:2]
    found = await loop.getaddrinfo(host, port, family=family, type=kind)
    return (*found[0][4][:2], *address[2:])
