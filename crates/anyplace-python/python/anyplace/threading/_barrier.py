"""`Barrier`."""

from __future__ import annotations

from collections.abc import Callable
from threading import BrokenBarrierError

from anyplace import _core
from anyplace.threading._naming import name_of


class Barrier(_core.ThreadBarrier):
    """A number of threads wait until all of them have come; then the next round begins.

    Parameters
    ----------
    parties : int
        How many threads.
    action : callable, optional
        The last to come calls it before the others go on. If it raises, the barrier breaks.
    timeout : float, optional
        Seconds that each waits at most, unless ``wait`` is told otherwise.

    Raises
    ------
    ValueError
        If `parties` is less than 1.

    Examples
    --------
    >>> from anyplace.threading import Barrier, Thread
    >>> barrier = Barrier(2, action=lambda: print("both are here"))
    >>> other = Thread(target=barrier.wait)
    >>> other.start(); barrier.wait() in (0, 1); other.join()
    both are here
    True
    """

    __module__ = "anyplace.threading"

    def __init__(
        self, parties: int, action: Callable[[], object] | None = None, timeout: float | None = None
    ) -> None:
        """Begin the first round."""
        self._begin(parties)
        self._action = action
        self._timeout = timeout

    def __repr__(self) -> str:
        """Tell how many wait."""
        state = "broken" if self.broken else f"waiters={self.n_waiting}/{self.parties}"
        return f"<{name_of(self)} at {id(self):#x}: {state}>"

    def wait(self, timeout: float | None = None) -> int:
        """Wait until all have come.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; the barrier breaks when they are over.

        Returns
        -------
        int
            A number from 0 to ``parties - 1`` that no other thread of the round gets.

        Raises
        ------
        BrokenBarrierError
            If the barrier is broken, or is broken or reset while this thread waits.
        """
        return self._pass(self._arrive(self._timeout if timeout is None else timeout))

    async def wait_async(self) -> int:
        """Wait until all have come, in the running asyncio loop, which goes on meanwhile.

        Returns
        -------
        int
            A number from 0 to ``parties - 1`` that nobody else of the round gets.

        Raises
        ------
        BrokenBarrierError
            If the barrier is broken, or is broken or reset while the task waits.
        """
        from anyplace.threading import _awaiting

        return self._pass(await _awaiting.wait(self._turn(_awaiting.line())) or None)

    def _pass(self, arrived: tuple[int, bool] | None) -> int:
        if arrived is None:
            raise BrokenBarrierError
        index, is_last = arrived
        if is_last:
            self._let_go()
        return index

    def _let_go(self) -> None:
        try:
            if self._action:
                self._action()
        except BaseException:
            self.abort()
            raise
        if not self._open():
            raise BrokenBarrierError
