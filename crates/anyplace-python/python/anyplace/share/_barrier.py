"""`Barrier`: all go on together."""

from __future__ import annotations

from anyplace import _core

from ._waiting import given


class Barrier(_core.SharedBarrier):
    """A point where so many wait for each other, again and again.

    Parameters
    ----------
    place, name
        As for `Lock`.
    parties : int
        How many.
    action : callable, optional
        What the last one does before all go on.
    timeout : float, optional
        Seconds to wait at most, where `wait` is not told.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     start = place.barrier("start", 2)
    ...     other = place.submit(start.wait)
    ...     start.wait() + other.result()
    1
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    async def wait_async(self) -> int:
        """Wait for the others, without keeping the event loop from other work; give this one's number."""
        number: int
        number, is_last = await given(self._waiting())
        if is_last:
            self._open()
        return number
