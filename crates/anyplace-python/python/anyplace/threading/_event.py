"""`Event`."""

from __future__ import annotations

import functools
import warnings

from anyplace import _core
from anyplace.threading._condition import Condition
from anyplace.threading._locks import Lock
from anyplace.threading._naming import name_of


class Event(_core.ThreadEvent):
    """A flag that threads wait for.

    All who wait when it is set go on, also if it is cleared right after.

    Examples
    --------
    >>> from anyplace.threading import Event
    >>> event = Event()
    >>> event.wait(timeout=0.01)
    False
    >>> event.set()
    >>> event.wait()
    True
    """

    __module__ = "anyplace.threading"

    def __repr__(self) -> str:
        """Tell whether it is set."""
        return f"<{name_of(self)} at {id(self):#x}: {'set' if self.is_set() else 'unset'}>"

    async def wait_async(self) -> bool:
        """Wait until it is set, in the running asyncio loop, which goes on meanwhile.

        Returns
        -------
        bool
            True: a wait that is cancelled raises.
        """
        if not self.is_set():
            from anyplace.threading import _awaiting

            await _awaiting.wait(self._turn(_awaiting.line()))
        return True

    def isSet(self) -> bool:  # noqa: N802
        """Tell whether it is set; an old name of ``is_set()``.

        Returns
        -------
        bool
            True after ``set()``, until ``clear()``.
        """
        warnings.warn("isSet() is deprecated, use is_set() instead", DeprecationWarning, stacklevel=2)
        return self.is_set()

    @property
    def _cond(self) -> Condition:
        """The condition of the standard library's events, made for a program that asks for it.

        From then on the event changes as theirs does: while nobody else has the condition, and telling those
        who wait for that.
        """
        condition: Condition = self.__dict__.setdefault("_condition", Condition(Lock()))
        for change in ("set", "clear"):
            self.__dict__[change] = functools.partial(_change, self, condition, change)
        return condition

    def _at_fork_reinit(self) -> None:
        if "_condition" in self.__dict__:
            self._cond._at_fork_reinit()


def _change(event: Event, condition: Condition, change: str) -> None:
    with condition:
        getattr(_core.ThreadEvent, change)(event)
        condition.notify_all()
