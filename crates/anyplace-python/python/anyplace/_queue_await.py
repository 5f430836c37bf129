"""Waiting for a queue in an asyncio loop, without a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class _Call:
    """What is called when a coroutine may look again."""

    def __init__(self) -> None:
        self.heard = asyncio.get_running_loop().create_future()
        self.is_called = False

    def __call__(self) -> bool:
        """Tell the coroutine, on any thread; false if nobody listens any more."""
        if self.heard.cancelled():
            return False
        self.is_called = True
        try:
            self.heard.get_loop().call_soon_threadsafe(self._hear)
        except RuntimeError:  # The loop is closed.
            return False
        return True

    def _hear(self) -> None:
        if not self.heard.done():
            self.heard.set_result(None)


async def until(
    act: Callable[[], Any],
    refusal: type[Exception],
    expect: Callable[[Callable[[], bool]], None],
    pass_on: Callable[[], None],
) -> Any:
    """Try until it is not refused. Who is cancelled after it was called lets the next one look."""
    while True:
        try:
            return act()
        except refusal:
            call = _Call()
            expect(call)
        try:
            await call.heard
        except asyncio.CancelledError:
            if call.is_called:
                pass_on()
            raise
