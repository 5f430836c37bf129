"""`Pipe`: messages between two ends."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from anyplace import _core

from ._waiting import given


class Pipe(_core.SharedPipe):
    """One end of a pipe, which `Place.pipe` gives two of; its methods are those of multiprocessing's.

    When the other end is closed, or the last process that has it dies, `recv` raises `EOFError` (as `Ended`)
    after the last message. A pipe takes as much as there is memory for, so that `send` never waits.

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


def pipe(place: _core.Place | None = None, name: str = "", duplex: bool = True) -> tuple[Pipe, Pipe]:
    """Make or find a pipe, and give its two ends.

    Parameters
    ----------
    place, name
        As for `Lock`.
    duplex : bool, default True
        Whether both ends send and receive; else the first receives what the second sends.

    Returns
    -------
    tuple of Pipe
        The ends.
    """
    return _core.shared_pipe(Pipe, place, name, duplex)
