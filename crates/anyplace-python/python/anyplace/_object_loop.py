"""The event loop of a process in which `async` methods of its objects run."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def loop() -> asyncio.AbstractEventLoop:
    """The loop, in a thread of its own; a child of a fork has its own."""
    with _lock:
        known = _loops.get(os.getpid())
        if known is None:
            _loops.clear()
            known = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=known.run_forever, name="anyplace-object-loop", daemon=True).start()
        return known


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives. From the loop's own thread it cannot be waited for."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop()).result()


def begin(coroutine: Coroutine[Any, Any, Any], tell: Callable[[Any, BaseException | None], None]) -> None:
    """Begins a coroutine; `tell` hears how it ends."""

    async def through() -> None:
        try:
            value = await coroutine
        except BaseException as error:
            tell(None, error)
        else:
            tell(value, None)

    asyncio.run_coroutine_threadsafe(through(), loop())
