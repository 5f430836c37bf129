"""How coroutines wait for descriptors: their own loop listens, for as many of them as there are."""

from __future__ import annotations

import weakref

TYPE_CHECKING = False  # as `typing` has it, which takes longer to import than all the rest
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

#: Who waits: for each loop, by descriptor and by whether they wait for room to write.
lines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = weakref.WeakKeyDictionary()


class _Line(dict[tuple[int, bool], "list[asyncio.Future[None]]"]):
    """Who waits in one loop, which calls back once for all of a descriptor."""

    def tell(self, loop: asyncio.AbstractEventLoop, key: tuple[int, bool]) -> None:
        """Wake all that wait for this."""
        waiters = self.pop(key, None)
        if waiters is None:
            return
        _forget(loop, key)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


async def ready(fd: int, writes: bool) -> None:
    """Wait until the running loop says that the descriptor can be read, or written to, or until `wake`."""
    import asyncio

    loop = asyncio.get_running_loop()
    line = lines.get(loop)
    if line is None:
        line = lines[loop] = _Line()
    key, waiter = (fd, writes), loop.create_future()
    waiters = line.get(key)
    if waiters is None:
        (loop.add_writer if writes else loop.add_reader)(fd, line.tell, loop, key)
        waiters = line[key] = []
    waiters.append(waiter)
    try:
        await waiter
    finally:
        waiters.remove(waiter)
        if not waiters and line.get(key) is waiters:
            del line[key]
            _forget(loop, key)


def _forget(loop: asyncio.AbstractEventLoop, key: tuple[int, bool]) -> None:
    fd, writes = key
    (loop.remove_writer if writes else loop.remove_reader)(fd)


def wake(fd: int) -> None:
    """Wake all that wait for a descriptor, in whichever loop: it is about to be closed."""
    for loop, line in list(lines.items()):
        for key in (fd, False), (fd, True):
            if key not in line:
                continue
            if _runs(loop):
                line.tell(loop, key)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(line.tell, loop, key)


def _runs(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether it is the loop of this thread."""
    from asyncio import events

    return events._get_running_loop() is loop


async def within(
    timeout: float | None, step: Callable[[], T | None], awaits: Callable[[], tuple[int, bool]]
) -> T:
    """What a step gives that is tried until it gives something.

    Raises
    ------
    TimeoutError
        If `timeout` seconds were not enough.
    """
    import asyncio

    given = step()
    if given is not None:
        return given
    async with asyncio.timeout(timeout):
        while True:
            await ready(*awaits())
            given = step()
            if given is not None:
                return given
