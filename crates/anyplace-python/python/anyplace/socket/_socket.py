"""The class of sockets."""

from __future__ import annotations

import os
import socket as _stdlib
import warnings
from typing import TYPE_CHECKING, Any

from anyplace import _ready
from anyplace._core import Socket
from anyplace.socket._awaiting import Awaiting
from anyplace.socket._file import SendingFiles

if TYPE_CHECKING:
    from types import TracebackType
    from typing import NoReturn, Self


#: What all of them are made of.
SocketType = Socket

#: Those of our sockets, and -1, which is the default.
_FAMILIES = frozenset({-1, _stdlib.AF_INET, _stdlib.AF_INET6, _stdlib.AF_UNIX})


class socket(Awaiting, SendingFiles, Socket):  # noqa: N801
    """One end of a conversation, or what listens for them.

    Parameters
    ----------
    family : int, default AF_INET
        Which addresses it has: `AF_INET`, `AF_INET6` or `AF_UNIX`.
    type : int, default SOCK_STREAM
        `SOCK_STREAM` or `SOCK_DGRAM`.
    proto : int, default 0
        The protocol, if the family has several of that type.
    fileno : int, optional
        A descriptor that is a socket already; what is not said about it is found out.

    Raises
    ------
    OSError
        If the system has no such sockets, or the descriptor is none.
    """

    __module__ = "anyplace.socket"
    __slots__ = ("__weakref__", "_closed", "_io_refs")

    def __new__(cls, family: Any = -1, *arguments: Any, **keywords: Any) -> Any:
        """Make one of ours; for a family whose addresses are not ours, the standard library's."""
        if cls is socket and family not in _FAMILIES:
            return _stdlib.socket(family, *arguments, **keywords)
        return super().__new__(cls)

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        self._io_refs = 0
        self._closed = False
        super().__init__(family, type, proto, fileno)

    def __enter__(self) -> Self:
        """Use it, and close it at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        if not self._closed:
            self.close()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        """Close what was forgotten, and say so."""
        if self.fileno() >= 0:
            _warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            Socket.close(self)

    def __repr__(self) -> str:
        """Tell what it is, and between which addresses."""
        closed = getattr(self, "_closed", False)
        kind = f"{type(self).__module__}.{type(self).__qualname__}{' [closed]' if closed else ''}"
        text = f"<{kind} fd={self.fileno()}, family={self.family!s}, type={self.type!s}, proto={self.proto}"
        for name, address in ("laddr", self.getsockname), ("raddr", self.getpeername):
            try:
                value = None if closed else address()
            except OSError:
                continue
            if value:
                text += f", {name}={value}"
        return f"{text}>"

    def __getstate__(self) -> NoReturn:
        """Refuse to be pickled: a descriptor means nothing elsewhere."""
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    # What there is to read and write is the standard library's file, on our `recv_into` and `send`.
    makefile = _stdlib.socket.makefile

    def _decref_socketios(self) -> None:
        """Close it with the last of its files, if it was to be closed."""
        if self._io_refs > 0:
            self._io_refs -= 1
        if self._closed:
            self.close()

    def _real_close(self) -> None:
        if _ready.lines:
            _ready.wake(self.fileno())
        Socket.close(self)

    def close(self) -> None:
        """Close it, once the files of `makefile` are closed."""
        self._closed = True
        if self._io_refs <= 0:
            self._real_close()

    def detach(self) -> int:
        """Let go of the descriptor, which stays open.

        Returns
        -------
        int
            The descriptor, which is the caller's from here on.
        """
        self._closed = True
        return super().detach()

    def dup(self) -> Self:
        """Return a second socket for the same conversation, with the same time-out."""
        copy = type(self)(self.family, self.type, self.proto, fileno=_stdlib.dup(self.fileno()))
        copy.settimeout(self.gettimeout())
        return copy

    def accept(self) -> tuple[socket, Any]:
        """Take the next connection, waiting for it as long as the time-out says.

        Returns
        -------
        tuple of (socket, object)
            The connection, and the address of the other end.
        """
        fd, address = self._accept()
        return self._accepted(fd), address

    def _accepted(self, fd: int) -> socket:
        connection: socket = socket.__new__(socket)
        connection._io_refs = 0
        connection._closed = False
        connection._adopt(fd, self)
        return connection

    @property
    def family(self) -> Any:
        """The family: `AF_INET`, `AF_INET6`, `AF_UNIX`."""
        return _known(_stdlib.AddressFamily, super().family)

    @property
    def type(self) -> Any:
        """The type: `SOCK_STREAM`, `SOCK_DGRAM`."""
        return _known(_stdlib.SocketKind, super().type)

    def get_inheritable(self) -> bool:
        """Tell whether programs that this one starts have the descriptor."""
        return os.get_inheritable(self.fileno())

    def set_inheritable(self, inheritable: bool) -> None:
        """Say whether programs that this one starts have the descriptor."""
        os.set_inheritable(self.fileno(), inheritable)


def _known(kind: Any, number: int) -> Any:
    """The number's name; a number that has none stays one."""
    try:
        return kind(number)
    except ValueError:
        return number
