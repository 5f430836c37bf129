"""`Pipe`: messages between two ends."""

from __future__ import annotations

from typing import Any

from anyplace import _core
from anyplace._block import Block

from ._waiting import given


class Pipe(_core.SharedPipe, Block):
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
