"""`Semaphore` and `BoundedSemaphore`."""

from __future__ import annotations

from anyplace import _core
from anyplace.threading._naming import name_of


class Semaphore(_core.ThreadSemaphore):
    """A number of permits, taken one at a time and given back by anybody.

    Who waits longest gets the next permit, but for newcomers in the first millisecond of its wait.

    Parameters
    ----------
    value : int, default 1
        How many permits there are at first.

    Raises
    ------
    ValueError
        If it is negative.

    Examples
    --------
    >>> from anyplace.threading import Semaphore
    >>> permits = Semaphore(2)
    >>> with permits:
    ...     print(permits)  # doctest: +ELLIPSIS
    <threading.Semaphore at 0x...: value=1>
    """

    __module__ = "anyplace.threading"

    def __init__(self, value: int = 1) -> None:
        """Begin with `value` permits."""
        self._begin(value, False)

    async def acquire_async(self) -> bool:
        """Take a permit, waiting for one in the running asyncio loop, which goes on meanwhile.

        Returns
        -------
        bool
            True: a wait that is cancelled raises.
        """
        if not self.acquire(False):
            from anyplace.threading import _awaiting

            await _awaiting.wait(self._turn(_awaiting.line()))
        return True

    async def __aenter__(self) -> None:
        """Take it, as ``acquire_async()`` does."""
        await self.acquire_async()

    async def __aexit__(self, *_error: object) -> None:
        """Let go of it."""
        self.release()

    def __repr__(self) -> str:
        """Tell how many permits there are."""
        return f"<{name_of(self)} at {id(self):#x}: value={self._value}>"


class BoundedSemaphore(Semaphore):
    """A semaphore that never has more permits than at first: giving back too many is a `ValueError`.

    Parameters
    ----------
    value : int, default 1
        How many permits there are at first.

    Raises
    ------
    ValueError
        If it is negative.
    """

    __module__ = "anyplace.threading"

    def __init__(self, value: int = 1) -> None:
        """Begin with `value` permits."""
        self._begin(value, True)

    def __repr__(self) -> str:
        """Tell how many permits there are, and were at first."""
        return f"<{name_of(self)} at {id(self):#x}: value={self._value}/{self._initial_value}>"
