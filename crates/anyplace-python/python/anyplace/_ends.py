"""What streams, listeners and sockets for datagrams have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from anyplace import _core, _ready
from anyplace._await import given
from anyplace._block import Block

if TYPE_CHECKING:
    from types import TracebackType


class End(Block):
    """What is used in a block, and closed at its end."""

    __slots__ = ()

    if TYPE_CHECKING:
        # What the engine's part of each has.
        @property
        def closed(self) -> bool: ...
        def fileno(self) -> int: ...

    async def __aenter__(self) -> Self:
        """Use it, and close it at the end."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _wake(self) -> None:
        """Wake who awaits it: it is about to be closed."""
        if not self.closed:
            _ready.wake(self.fileno())


async def given_within(timeout: float | None, waiting: _core.Waiting) -> Any:
    """What a wait gives that the engine's own thread is woken for."""
    import asyncio

    async with asyncio.timeout(timeout):
        return await given(waiting)
