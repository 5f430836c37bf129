"""`Event`: a flag that can be waited for."""

from __future__ import annotations

from anyplace import _core

from ._waiting import given


class Event(_core.SharedEvent):
    """A flag that can be set, cleared and waited for.

    Parameters
    ----------
    place, name
        As for `Lock`.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     ready = place.event("ready")
    ...     _ = place.submit(ready.set)
    ...     ready.wait()
    True
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    async def wait_async(self) -> bool:
        """Wait until it is set, without keeping the event loop from other work."""
        await given(self._waiting())
        return True
