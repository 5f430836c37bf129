"""`anyplace.Future`: a real `concurrent.futures.Future` that the engine completes and that can be awaited."""

from __future__ import annotations

import concurrent.futures
import functools
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from anyplace import _core

T = TypeVar("T")

_TOUCHED = frozenset({"_condition", "_state", "_result", "_exception", "_waiters", "_done_callbacks"})
_touching = threading.Lock()


class Future(_core.Future[T], concurrent.futures.Future[T]):
    """The caller's end of a task: wait for it by `result()`, or by `await` in any asyncio loop.

    The engine makes futures without the standard library's lock and lists, which cost more than a short task.
    They come into being when somebody touches them (`concurrent.futures.wait`, `as_completed`,
    `add_done_callback`, `asyncio.wrap_future`); from then on the future is completed the standard library's
    way, too.
    """

    __module__ = "anyplace"

    def __getattr__(self, name: str) -> Any:
        """Make what the standard library's functions look into, when they first do."""
        if name not in _TOUCHED:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        with _touching:
            if name not in self.__dict__:
                concurrent.futures.Future.__init__(self)
                made = True
            else:
                made = False
        if made:
            self._watch()
        return self.__dict__[name]

    def _finished(self) -> None:
        """Complete the standard library's part; the engine's is done."""
        base = concurrent.futures.Future
        if self.cancelled():
            base.cancel(self)
            base.set_running_or_notify_cancel(self)
        elif (exception := self.exception()) is not None:
            base.set_exception(self, exception)
        else:
            base.set_result(self, self.result())

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Call `fn` with the future when the task ended: at once, if it has.

        Parameters
        ----------
        fn : callable
            It is called on the thread that brings the outcome, and should be short. What it raises is logged.
        """
        super().add_done_callback(fn)  # type: ignore[arg-type]

    def __await__(self) -> Generator[Any, None, T]:
        """Wait in the running asyncio loop. Cancelling the waiting task cancels a task that has not begun."""
        return self._at_once() if self.done() else _wait()(self)

    def _at_once(self) -> Generator[Any, None, T]:
        return self.result()
        yield

    def __repr__(self) -> str:
        """Tell the state, as the standard library's futures do."""
        state = "finished" if self.done() else "running" if self.running() else "pending"
        return f"<{type(self).__name__} at {id(self):#x} state={state}>"


@functools.cache
def _wait() -> Callable[[Future[Any]], Generator[Any, None, Any]]:
    # Not above: asyncio takes longer to import than all the rest.
    from anyplace import _await

    return _await.wait
