"""How asyncio tasks wait for what threads share."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyplace import _core


async def wait(turn: _core.ThreadTurn, pass_on: Callable[[], None] | None = None) -> Any:
    """Wait in the running loop until the turn gives something. Cancelling the wait leaves the line.

    Where turns are given what is not given again, `pass_on` gives it to another if the wait ended meanwhile.
    """
    try:
        while (given := turn.look()) is None:
            await _called(turn)
        return given
    except BaseException:
        if pass_on is not None and turn.look() is not None:
            pass_on()
        raise
    finally:
        turn.leave()


async def insist(turn: _core.ThreadTurn) -> None:
    """Wait until the turn gives something, and only then be cancelled."""
    cancelled = None
    try:
        while turn.look() is None:
            try:
                await _called(turn)
            except asyncio.CancelledError as error:
                cancelled = error
    finally:
        turn.leave()
    if cancelled is not None:
        raise cancelled


async def _called(turn: _core.ThreadTurn) -> None:
    """Wait until the turn is called."""
    loop = asyncio.get_running_loop()
    called = loop.create_future()
    if turn.watch(functools.partial(_tell, loop, called)):
        await called


def line() -> str:
    """The line of source outside of this package that awaits."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _tell(loop: asyncio.AbstractEventLoop, called: asyncio.Future[None]) -> None:
    # On another thread. A loop that was closed while somebody waited there needs to hear nothing.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(_end, called)


def _end(called: asyncio.Future[None]) -> None:
    if not called.done():
        called.set_result(None)
