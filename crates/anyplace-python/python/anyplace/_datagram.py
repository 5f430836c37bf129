"""Datagrams by address: `bind`, and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from anyplace import _core, _ready
from anyplace._ends import End, given_within

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Datagram", "bind"]


class Datagram(_core.Datagram, End):
    """A socket for messages that arrive whole or not at all; `bind` gives it.

    Any thread may use it. Each verb takes a `timeout` in seconds, and has a twin to be awaited.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.bind("udp://127.0.0.1:0") as server, anyplace.Datagram.to(server.endpoint) as client:
    ...     client.send(b"ping")
    ...     question, who = server.recv()
    ...     server.send(question + b"?", who)
    ...     client.recv()[0]
    b'ping?'
    """

    __slots__ = ()

    @classmethod
    def to(cls, address: str, *, timeout: float | None = None) -> Self:
        """Open a socket of any free address for datagrams to and from one address only.

        Parameters
        ----------
        address : str
            `udp://host:port` or `unixgram:/path`.
        timeout : float, optional
            Seconds that the look-up of the name may take.
        """
        return cls(address, True, timeout)

    def __repr__(self) -> str:
        """Tell its address."""
        return f"<anyplace.Datagram {self.endpoint}{' closed' if self.closed else ''}>"

    async def send_async(self, data: Buffer, to: str | None = None, *, timeout: float | None = None) -> None:
        """Send a datagram, as `send`."""
        await given_within(timeout, self._sending(data, to))

    async def recv_async(
        self, size: int = 65536, *, timeout: float | None = None
    ) -> tuple[bytes, str | None]:
        """Receive a datagram, as `recv`."""
        return await _ready.within(timeout, lambda: self._recv_now(size), lambda: (self.fileno(), False))

    def close(self) -> None:
        """Close it: who awaits it is told. A thread that waits in it has it until it is done."""
        self._wake()
        self._close()


def bind(address: str, **options: Any) -> Datagram:
    """Open a socket for datagrams at an address.

    Parameters
    ----------
    address : str
        `udp://127.0.0.1:0` (any free port, which `endpoint` then tells), `udp://[::]:53` (every address), or
        `unixgram:/path`.
    **options
        `send_buffer` and `receive_buffer`, in bytes; `reuse_port`; `only_v6`; `mode`, who may send to a unix
        socket, as for `chmod`.

    Returns
    -------
    Datagram

    Raises
    ------
    anyplace.ResourceExhausted
        If somebody is there already.
    """
    return Datagram(address, **options)
