"""`Semaphore`: so many at a time."""

from __future__ import annotations

from typing import Self

from anyplace import _core

from ._waiting import given


@_core.quicken
class Semaphore(_core.SharedSemaphore):
    """A number of permits that threads and processes take and give back.

    What a process holds when it dies is given back; more than it began with never comes of that.

    Parameters
    ----------
    place, name
        As for `Lock`.
    value : int, default 1
        How many permits there are at first.
    bounded : bool, default False
        Refuse to give back more than were taken.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     seats = place.semaphore("seats", 3)
    ...     with seats:
    ...         seats.value
    2
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    async def acquire_async(self) -> bool:
        """Take a permit without keeping the event loop from other work."""
        await given(self._acquiring())
        return True

    async def __aenter__(self) -> Self:
        """Take a permit."""
        await self.acquire_async()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give it back."""
        self.release()
