"""`Pipe`: messages between two ends."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from anyplace import _core

from ._waiting import given


class Pipe(_core.SharedPipe):
    """One end of a pipe, which `Place.pipe` gives two of; its methods are those of multiprocessing's.

    When the other end is closed, or the last process that has it dies, `recv` raises `EOFError` after the
    last message, and `send` raises `BrokenPipeError`.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     one, other = place.pipe()
    ...     one.send("hello")
    ...     other.recv()
    'hello'
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    async def send_async(self, value: Any) -> None:
        """Send, without keeping the event loop from other work while the pipe is full."""
        await given(self._sending(value))

    async def recv_async(self) -> Any:
        """Receive, without keeping the event loop from other work while there is nothing."""
        return await given(self._receiving())

    def __enter__(self) -> Self:
        """Give the end itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
