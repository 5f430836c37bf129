"""Sending files."""

from __future__ import annotations

import os
import socket as _stdlib
from io import UnsupportedOperation
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from anyplace._core import Socket
else:
    Socket = object

#: What the system is asked to send at once: it takes no more than 2 GiB.
_MOST = 1 << 30
#: What is read at once of a file that the system cannot send.
_PIECE = 64 << 10

_GiveupOnSendfile = _stdlib._GiveupOnSendfile  # type: ignore[attr-defined]


class SendingFiles(Socket):
    """A stream that sends files."""

    __slots__ = ()

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send a file, by the system itself where it can.

        Parameters
        ----------
        file : binary file
            Its position is behind what was sent afterwards, also after an error.
        offset : int, default 0
            Where in the file to begin.
        count : int, optional
            Bytes to send; the default is to the end.

        Returns
        -------
        int
            Bytes sent.

        Raises
        ------
        ValueError
            For a file of text, a datagram socket, or one that does not wait.
        """
        try:
            return self._sendfile_use_sendfile(file, offset, count)
        except _GiveupOnSendfile:
            return self._sendfile_use_send(file, offset, count)

    def _sendfile_use_sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        self._check_sendfile_params(file, offset, count)
        fd = _regular(file)
        sent = 0
        try:
            while count is None or sent < count:
                most = _MOST if count is None else min(_MOST, count - sent)
                try:
                    more = self._send_of_file(fd, offset + sent, most)
                except TimeoutError:
                    raise
                except OSError as error:
                    if sent == 0:
                        raise _GiveupOnSendfile(error) from None
                    raise
                if more == 0:
                    break
                sent += more
            return sent
        finally:
            if sent:
                file.seek(offset + sent)

    def _sendfile_use_send(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        self._check_sendfile_params(file, offset, count)
        if offset:
            file.seek(offset)
        sent = 0
        try:
            while count is None or sent < count:
                data = memoryview(file.read(_PIECE if count is None else min(_PIECE, count - sent)))
                if not data:
                    break
                while data:
                    some = self.send(data)
                    sent += some
                    data = data[some:]
            return sent
        finally:
            if sent and hasattr(file, "seek"):
                file.seek(offset + sent)

    def _check_sendfile_params(self, file: IO[bytes], offset: int, count: int | None) -> None:
        if "b" not in getattr(file, "mode", "b"):
            raise ValueError("a file is sent as bytes: open it in binary mode")
        if not self.type & _stdlib.SOCK_STREAM:
            raise ValueError("only SOCK_STREAM sockets send files")
        if self.gettimeout() == 0:
            raise ValueError("a socket that does not wait sends no files")
        if count is not None and not isinstance(count, int):
            raise TypeError(f"count must be a positive integer, not {count!r}")
        if count is not None and count <= 0:
            raise ValueError(f"count must be a positive integer, not {count!r}")


def _regular(file: IO[bytes]) -> int:
    """The descriptor of a file of which the system can send."""
    try:
        fd = file.fileno()
        os.fstat(fd)
    except (AttributeError, UnsupportedOperation, OSError) as error:
        raise _GiveupOnSendfile(error) from error
    return fd
