"""Waiting for a queue in an asyncio loop, without a thread."""

from __future__ import annotations

import asyncio
from queue import Empty, Full
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyplace._core import Queue, SimpleQueue


async def get(own: Queue[Any] | SimpleQueue[Any]) -> Any:
    """Take an item, waiting for one in the running loop."""
    return await _until(own, "item", own.get_nowait, Empty)


async def put(own: Queue[Any], item: Any) -> None:
    """Put an item, waiting for room in the running loop."""
    await _until(own, "room", lambda: own.put_nowait(item), Full)


async def _until(
    own: Queue[Any] | SimpleQueue[Any], change: str, act: Callable[[], Any], refusal: type[Exception]
) -> Any:
    """Try until it is not refused."""
    was_called = False
    while True:
        try:
            return act()
        except refusal:
            call = _Call()
        # Who was called, and finds that another one was faster, is the first to be called again.
        own._expect(change, call, was_called)
        was_called = False
        try:
            # Once more: the change may have come before it was expected.
            return act()
        except refusal:
            await call.heard
            was_called = True
        finally:
            if not was_called:
                own._leave(change, call)


class _Call:
    """What is called when a coroutine may look again."""

    def __init__(self) -> None:
        self.heard = asyncio.get_running_loop().create_future()

    def __call__(self) -> bool:
        """Tell the coroutine, on any thread; false if its loop is closed."""
        try:
            self.heard.get_loop().call_soon_threadsafe(self._hear)
        except RuntimeError:
            return False
        return True

    def _hear(self) -> None:
        if not self.heard.done():
            self.heard.set_result(None)
