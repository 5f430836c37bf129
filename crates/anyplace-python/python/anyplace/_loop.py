"""The event loop of an `async:` place, in a thread of its own."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextvars import Context
from types import FunctionType
from typing import Any

from anyplace._errors import Unsupported

#: Calls of such functions give something to await.
_AWAITS = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE


class Loop:
    """An asyncio event loop that begins what the engine gives it.

    Parameters
    ----------
    begin : callable
        Begins all coroutines that wait; it is called on the loop's thread after `wake`.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="anyplace-loop", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Call `begin` soon. From the loop's own thread that needs no wake-up call."""
        if threading.get_ident() == self._thread.ident:
            self._loop.call_soon(self._begin)
        else:
            self._loop.call_soon_threadsafe(self._begin)

    def begin(self, awaitable: Awaitable[Any], context: Context) -> asyncio.Task[Any]:
        """Make a task of what an `async` function gave."""
        if inspect.iscoroutine(awaitable):
            return self._loop.create_task(awaitable, context=context)
        if not inspect.isawaitable(awaitable):
            raise _plain()
        return self._loop.create_task(_awaited(awaitable), context=context)

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """End a task at its next await."""
        self._loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.get_ident() != self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            self._loop.close()


def refuse_plain(fn: object) -> None:
    """Refuse a function that is not `async`. Of other callables, only what they give tells."""
    if isinstance(fn, FunctionType) and not fn.__code__.co_flags & _AWAITS and not hasattr(fn, "__wrapped__"):
        raise _plain()


def _plain() -> Unsupported:
    return Unsupported(
        "an event loop does not run plain functions: one would stop all others while it runs",
        help="give it an `async` function, or run plain ones in `threads:`",
    )


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
