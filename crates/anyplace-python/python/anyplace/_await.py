"""Awaiting tasks and shared objects in asyncio loops.

Each loop has a mailbox: one descriptor for all that it awaits. What ends is told by it many at a time, and
the loop does not wait in line for a thread that calls back for each.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

from anyplace import _core

if TYPE_CHECKING:
    from collections.abc import Generator

_mailboxes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Mailbox] = weakref.WeakKeyDictionary()


class _Waiter(asyncio.Future[Any]):
    """What stands for a task in a loop."""

    task: Any

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel the wait, and a task that has not begun."""
        self.task.cancel()
        return super().cancel(msg)

    def _end(self) -> None:
        super().cancel()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, StopIteration):
            # As for a generator: it would end those who await it, and not raise.
            cause = error
            error = RuntimeError("the task raised StopIteration")
            error.__cause__ = cause
        self.set_exception(error)


class _Mailbox:
    """The mailbox of one loop, which listens to it while somebody waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._core = _core.Mailbox()
        # The loop is what this is found by: held here, it would never go.
        self._loop = weakref.ref(loop)
        self._listens = False

    def expect(self, future: Any, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Any]:
        """What ends as the task does."""
        try:
            self._listen(loop)
        except NotImplementedError:  # A loop that watches no descriptors.
            return asyncio.wrap_future(future)
        waiter = _Waiter(loop=loop)
        waiter.task = future
        # Others who await the same task are called back, as by any executor's future.
        return waiter if self._core.expect(future, waiter) else asyncio.wrap_future(future)

    async def given(self, waiting: _core.Waiting, loop: asyncio.AbstractEventLoop) -> Any:
        """What a wait for a shared object gives."""
        while True:
            self._listen(loop)
            waiter = loop.create_future()
            number = self._core.listen(waiting, waiter)
            if number is None:
                return waiting.result()
            try:
                await waiter
            finally:
                self._core.forget(number)

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._listens:
            loop.add_reader(self._core.fileno(), self._deliver)
            self._listens = True

    def _deliver(self) -> None:
        if self._core.deliver() == 0:
            self._listens = False
            loop = self._loop()
            if loop is not None:
                loop.remove_reader(self._core.fileno())


def _forget_closed() -> None:
    """Let go of loops that were closed while somebody waited there: their mail is never looked at again."""
    for loop in [loop for loop in _mailboxes if loop.is_closed()]:
        del _mailboxes[loop]


def wait(future: Any) -> Generator[Any, None, Any]:
    """Wait for the task in the running loop; cancelling the wait cancels a task that has not begun."""
    loop = asyncio.get_running_loop()
    return _mailbox(loop).expect(future, loop).__await__()


async def given(waiting: _core.Waiting) -> Any:
    """What a wait for a shared object gives. One that is cancelled has taken nothing, and left the line."""
    try:
        if waiting.look_now():
            return waiting.result()
        loop = asyncio.get_running_loop()
        return await _mailbox(loop).given(waiting, loop)
    finally:
        waiting.close()


def _mailbox(loop: asyncio.AbstractEventLoop) -> _Mailbox:
    mailbox = _mailboxes.get(loop)
    if mailbox is None:
        _forget_closed()
        mailbox = _mailboxes[loop] = _Mailbox(loop)
    return mailbox
