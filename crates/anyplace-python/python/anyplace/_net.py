"""Streams by address: `connect`, `listen`, and what they give."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

from anyplace import _core, _ready
from anyplace._ends import End, given_within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from types import TracebackType
    from typing import TypeVar

    from _typeshed import StrPath
    from typing_extensions import Buffer

    from anyplace._core import Transfer

    T = TypeVar("T")
    Progress = Callable[[str, int, int], object]

__all__ = ["Listener", "Stream", "connect", "connect_async", "listen"]

#: How long a line may be, and a message, unless the caller says more.
_LINE = 1 << 20
_MESSAGE = 64 << 20
#: How long the other end of a transfer of files may be silent, in seconds.
_PATIENCE = 60.0
#: How long a closed stream waits for the other side's end, in seconds.
_GRACE = 1.0


class Stream(_core.Stream, End):
    r"""A stream of bytes in both directions, whatever the address; `connect` and `Listener.accept` give it.

    Like a file, it is read, written, iterated by lines, and closed; `io.BufferedReader(stream)` and the like
    take it. `send` and `recv` carry whole objects. Any thread may use it. Each verb takes a `timeout` in
    seconds, and has a twin to be awaited.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.listen("tcp://127.0.0.1:0") as listener:
    ...     with anyplace.connect(listener.endpoint) as near, listener.accept() as far:
    ...         near.write(b"one\ntwo\n")
    ...         near.finish()
    ...         list(far)
    ...         far.send({"lines": 2})
    ...         near.recv()
    8
    [b'one\n', b'two\n']
    {'lines': 2}
    """

    __slots__ = ()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; break it off if something was raised."""
        self.close() if kind is None else self.abort()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; break it off if something was raised."""
        await self.close_async() if kind is None else self.abort()

    def __repr__(self) -> str:
        """Tell its address."""
        return f"<anyplace.Stream {self.endpoint}{' closed' if self.closed else ''}>"

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the lines that come."""
        return iter(self.readline, b"")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the lines that come."""
        while line := await self.readline_async():
            yield line

    # What files have besides.

    def readable(self) -> bool:
        """Tell that it can be read."""
        self._check()
        return True

    def writable(self) -> bool:
        """Tell that it can be written to."""
        self._check()
        return True

    def seekable(self) -> bool:
        """Tell that it has no place to go back to."""
        self._check()
        return False

    def isatty(self) -> bool:
        """Tell that it is no terminal."""
        self._check()
        return False

    def flush(self) -> None:
        """Do nothing: what was written has gone."""
        self._check()

    def readall(self) -> bytes:
        """Read all that comes before the end."""
        return self.read()

    def writelines(self, lines: Iterable[Buffer]) -> None:
        """Write all of them, one after the other."""
        self.write(b"".join(lines))

    def _check(self) -> None:
        if self.closed:
            raise ValueError("the stream is closed")

    # What reads.

    def readline(self, size: int = -1, /, *, limit: int = _LINE, timeout: float | None = None) -> bytes:
        """Read up to and with the next newline, or what there is before the end; else as `readuntil`."""
        if size >= 0:
            raise ValueError("a line is read whole: `limit` says how long it may be")
        return self.readuntil(limit=limit, timeout=timeout)

    async def read_async(self, size: int = -1, *, timeout: float | None = None) -> bytes:
        """Read what there is, as `read`."""
        return await self._within(timeout, lambda: self._read_now(size))

    async def readinto_async(self, buffer: Buffer, /, *, timeout: float | None = None) -> int:
        """Read into a buffer what there is, as `readinto`."""
        return await self._within(timeout, lambda: self._readinto_now(buffer))

    async def readexactly_async(self, size: int, *, timeout: float | None = None) -> bytes:
        """Read as many bytes as asked for, as `readexactly`."""
        return await self._within(timeout, lambda: self._readexactly_now(size))

    async def readuntil_async(
        self, delimiter: bytes = b"\n", *, limit: int = _LINE, timeout: float | None = None
    ) -> bytes:
        """Read up to and with the next delimiter, as `readuntil`."""
        return await self._within(timeout, lambda: self._readuntil_now(delimiter, limit))

    async def readline_async(self, *, limit: int = _LINE, timeout: float | None = None) -> bytes:
        """Read up to and with the next newline, as `readline`."""
        return await self.readuntil_async(limit=limit, timeout=timeout)

    async def recv_async(self, *, limit: int = _MESSAGE, timeout: float | None = None) -> Any:
        """Receive an object, as `recv`."""
        return (await self._within(timeout, lambda: self._recv_now(limit)))[0]

    async def recv_bytes_async(self, *, limit: int = _MESSAGE, timeout: float | None = None) -> bytes:
        """Receive the bytes of one message, as `recv_bytes`."""
        return await self._within(timeout, lambda: self._recv_bytes_now(limit))

    async def _within(self, timeout: float | None, step: Callable[[], T | None]) -> T:
        return await _ready.within(timeout, step, self._awaits)

    # What writes.

    async def write_async(self, data: Buffer, /, *, timeout: float | None = None) -> int:
        """Write all of the bytes, as `write`. A wait that is given up half-way breaks the stream."""
        written: int = await given_within(timeout, self._writing(data))
        return written

    async def finish_async(self, *, timeout: float | None = None) -> None:
        """End our direction, as `finish`."""
        await given_within(timeout, self._finishing())

    async def send_async(self, value: object, /, *, timeout: float | None = None) -> None:
        """Send an object, as `send`."""
        await given_within(timeout, self._sending(value))

    async def send_bytes_async(self, data: Buffer, /, *, timeout: float | None = None) -> None:
        """Send bytes as one message, as `send_bytes`."""
        await given_within(timeout, self._sending_bytes(data))

    # Files.

    async def send_file_async(
        self, file: Any, offset: int = 0, count: int | None = None, *, timeout: float | None = None
    ) -> int:
        """Send a part of a file, as `send_file`."""
        sent: int = await given_within(timeout, self._sending_file(file, offset, count))
        return sent

    async def recv_file_async(
        self, file: Any, offset: int = 0, count: int | None = None, *, timeout: float | None = None
    ) -> int:
        """Receive bytes into a file, as `recv_file`."""
        received: int = await given_within(timeout, self._receiving_file(file, offset, count))
        return received

    async def send_fd_async(self, file: Any, /, *, timeout: float | None = None) -> None:
        """Send an open file through a unix socket, as `send_fd`."""
        await given_within(timeout, self._sending_fd(file))

    async def recv_fd_async(self, *, timeout: float | None = None) -> int:
        """Receive the descriptor of an open file, as `recv_fd`."""
        return await self._within(timeout, self._recv_fd_now)

    def send_files(
        self, *paths: StrPath, patience: float = _PATIENCE, progress: Progress | None = None
    ) -> Transfer:
        """Send files, and folders with all that is in them, to who calls `receive_files` at the other end.

        What is there already, whole or in part, is not sent again; all is checked from end to end (BLAKE3).
        Symbolic links are skipped. Afterwards the stream is as it was.

        Parameters
        ----------
        *paths : str or os.PathLike
            Files and folders. Each has its own name at the other end, without the folders before it.
        patience : float, default 60
            Seconds that the other end may be silent, or take nothing.
        progress : callable, optional
            Is called with the path, the bytes of it that are there, and its length, by another thread.

        Raises
        ------
        anyplace.Unexpected
            If one of them cannot be read or was refused. The others are there.
        anyplace.ConnectionLost, anyplace.Timeout
            If the other end is gone, or silent. Send the same again: what has arrived stays there.
        """
        return _core.send_files(self, list(paths), patience, progress)

    async def send_files_async(
        self, *paths: StrPath, patience: float = _PATIENCE, progress: Progress | None = None
    ) -> Transfer:
        """Send files, as `send_files`. A wait that is given up breaks the stream."""
        return await self._aside(_core.send_files, list(paths), patience, progress)

    def receive_files(
        self,
        folder: StrPath,
        *,
        force: bool = False,
        limit: int | None = None,
        patience: float = _PATIENCE,
        progress: Progress | None = None,
    ) -> Transfer:
        """Receive what is sent by one `send_files` into a folder, and write nothing outside of it.

        A file stands there under its name once it is whole and checked; until then it is kept beside, and the
        next transfer goes on from there.

        Parameters
        ----------
        folder : str or os.PathLike
            It is made if it is not there.
        force : bool, default False
            Replace files that are there and different. Links and folders are never replaced.
        limit : int, optional
            Bytes to take at most, in all.
        patience : float, default 60
            Seconds that the sender may be silent.
        progress : callable, optional
            Is called with the path, the bytes of it that are there, and its length, by another thread.

        Raises
        ------
        anyplace.Unexpected
            If something cannot be written, or is not to be replaced. The others are there.
        anyplace.ConnectionLost, anyplace.Timeout
            If the sender is gone, or silent.
        """
        return _core.receive_files(self, folder, force, limit, patience, progress)

    async def receive_files_async(
        self,
        folder: StrPath,
        *,
        force: bool = False,
        limit: int | None = None,
        patience: float = _PATIENCE,
        progress: Progress | None = None,
    ) -> Transfer:
        """Receive files, as `receive_files`. A wait that is given up breaks the stream."""
        return await self._aside(_core.receive_files, folder, force, limit, patience, progress)

    async def _aside(self, transfer: Callable[..., Transfer], *args: Any) -> Transfer:
        import asyncio

        from anyplace._aside import aside

        try:
            return await aside(lambda: transfer(self, *args))
        except asyncio.CancelledError:
            self.abort()
            raise

    # What ends it.

    def close(self, *, timeout: float | None = _GRACE) -> None:
        """End both directions in order: what was written arrives, and who still waits here is told.

        Parameters
        ----------
        timeout : float, default 1
            Seconds to wait for the other side's end. What it still sends is thrown away.
        """
        self._wake()
        super().close(timeout=timeout)

    async def close_async(self, *, timeout: float | None = _GRACE) -> None:
        """End both directions in order, as `close`."""
        self._wake()
        closing = self._closing()
        if closing is None:
            return
        # If it does not end, what was written is the system's to deliver.
        with contextlib.suppress(TimeoutError):
            await given_within(timeout, closing)

    def abort(self) -> None:
        """Break it off, which whoever waits for it is told, and the other end of a connection."""
        self._wake()
        super().abort()


class Listener(_core.Listener, End):
    """Takes the streams that others open at an address; `listen` gives it.

    It is iterated over the streams that come, and closed as a file.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Tell its address."""
        return f"<anyplace.Listener {self.endpoint}{' closed' if self.closed else ''}>"

    def __iter__(self) -> Iterator[Stream]:
        """Iterate over the streams that others open, until it is closed."""
        while not self.closed:
            try:
                yield self.accept()
            except ValueError:
                if not self.closed:
                    raise

    async def __aiter__(self) -> AsyncIterator[Stream]:
        """Iterate over the streams that others open, until it is closed."""
        while not self.closed:
            try:
                yield await self.accept_async()
            except ValueError:
                if not self.closed:
                    raise

    def accept(self, *, timeout: float | None = None) -> Stream:
        """Take the next stream that somebody opens.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        anyplace.Timeout
            If nobody came.
        ValueError
            If the listener is closed, also by another thread.
        """
        return Stream(self._accept(timeout))

    async def accept_async(self, *, timeout: float | None = None) -> Stream:
        """Take the next stream that somebody opens, as `accept`."""
        return Stream(await _ready.within(timeout, self._accept_now, lambda: (self.fileno(), False)))

    def close(self) -> None:
        """Close it: who waits in it is told, and nobody can connect any more."""
        self._wake()
        self._close()


def connect(address: str, *, timeout: float | None = None, **options: Any) -> Stream:
    """Connect to an address.

    Parameters
    ----------
    address : str
        `tcp://host:port` or `unix:/path`. A host with several addresses is tried at all of them, the next
        when one has failed or not answered for a quarter of a second.
    timeout : float, optional
        Seconds that all of it may take, the look-up of the name included.
    **options
        `keepalive`, seconds of silence after which the other end is asked whether it is there (None: never);
        `user_timeout`, seconds that bytes may stay unacknowledged; `send_buffer` and `receive_buffer`, in
        bytes; `source`, the address to connect from.

    Returns
    -------
    Stream

    Raises
    ------
    anyplace.Unreachable
        If nobody answers; it says what became of each address.
    anyplace.ConfigInvalid
        If the address is none.
    """
    return Stream(_core.connect_stream(address, timeout, **options))


async def connect_async(address: str, *, timeout: float | None = None, **options: Any) -> Stream:
    """Connect to an address, as `connect`."""
    handed: _core.Handed = await given_within(timeout, _core.connecting_stream(address, **options))
    return Stream(handed)


def listen(address: str, **options: Any) -> Listener:
    """Listen at an address.

    Parameters
    ----------
    address : str
        `tcp://127.0.0.1:0` (any free port, which `endpoint` then tells), `tcp://[::]:80` (every address), or
        `unix:/path`.
    **options
        As for `connect`, for each stream that is accepted, and `backlog`, how many may wait to be accepted;
        `reuse_port`; `only_v6`; `mode`, who may connect to a unix socket, as for `chmod`.

    Returns
    -------
    Listener

    Raises
    ------
    anyplace.ResourceExhausted
        If somebody listens there already.
    """
    return Listener(address, **options)


io.RawIOBase.register(Stream)
