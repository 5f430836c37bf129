"""Waits of sockets in asyncio: the loop listens to the descriptor itself, which needs not be nonblocking."""

from __future__ import annotations

import socket as stdlib
from typing import TYPE_CHECKING, Any, TypeVar

from anyplace import _ready

if TYPE_CHECKING:
    import asyncio
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
        import asyncio

        address = await _resolved(asyncio.get_running_loop(), self.family, self.type, address)
        if not self._connect_now(address):
            async with asyncio.timeout(self.gettimeout() or None):
                await _ready.ready(self.fileno(), True)
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
        import asyncio

        sent = 0
        async with asyncio.timeout(self.gettimeout() or None):
            with memoryview(data).cast("B") as rest:
                while sent < len(rest):
                    sent += await self._writable(self._send_now, rest[sent:], flags)

    async def sendto_async(self, data: Buffer, *flags_and_address: Any) -> int:
        """Send bytes to an address, as `sendto`."""
        return await self._writable(self._sendto_now, data, *flags_and_address)

    async def _readable(self, step: Callable[..., T], *arguments: Any) -> T:
        return await _taken(self, False, step, arguments)

    async def _writable(self, step: Callable[..., T], *arguments: Any) -> T:
        return await _taken(self, True, step, arguments)


async def _taken(sock: Socket, writes: bool, step: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    """What a step gives, tried at once and whenever the descriptor is ready."""

    def try_step() -> tuple[T] | None:
        try:
            return (step(*arguments),)
        except BlockingIOError:
            return None

    taken = await _ready.within(sock.gettimeout() or None, try_step, lambda: (sock.fileno(), writes))
    return taken[0]


async def _resolved(loop: asyncio.AbstractEventLoop, family: int, kind: int, address: Any) -> Any:
    """The address with a host that is a number."""
    if family not in (stdlib.AF_INET, stdlib.AF_INET6):
        return address
    host, port = address[:2]
    found = await loop.getaddrinfo(host, port, family=family, type=kind)
    return (*found[0][4][:2], *address[2:])
