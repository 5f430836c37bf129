"""`Why`: who has what, who waits for it, and who waits for each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Who:
    """Somebody who has an object, or waits for it.

    Attributes
    ----------
    task : tuple of int or None
        The number of its task and the index of its item; None if it is no task.
    process, thread : int
        Its numbers, as the system counts them; a thread that is not known is 0.
    since : float or None
        For how many seconds; of a holder it is known once somebody waits.
    line : str
        Where in the program it waits; empty for a holder.
    """

    _text: str
    task: tuple[int, int] | None
    process: int
    thread: int
    since: float | None
    line: str

    def __str__(self) -> str:
        """Tell it in a sentence."""
        return self._text


@dataclass(frozen=True)
class Involved:
    """An object that somebody has or waits for.

    Attributes
    ----------
    kind, name : str
        What it is; the name is empty if it has none.
    holders : list of Who
        Who has it.
    waiters : list of Who
        Who waits for it, in the order of the line.
    """

    kind: str
    name: str
    holders: list[Who]
    waiters: list[Who]


@dataclass(frozen=True)
class Link:
    """One who waits in a ring; the next one holds what it waits for.

    Attributes
    ----------
    who : Who
        Who waits.
    kind, name : str
        For what.
    """

    who: Who
    kind: str
    name: str


@dataclass(frozen=True)
class Why:
    """What the shared objects of a place tell of those who use them; ``str()`` of it is for people.

    Attributes
    ----------
    objects : list of Involved
        The objects that somebody has or waits for.
    deadlocks : list of list of Link
        Rings of those who wait for each other for ever.
    """

    _text: str
    objects: list[Involved]
    deadlocks: list[list[Link]]

    def __str__(self) -> str:
        """Tell it in sentences."""
        return self._text


for _public in (Who, Involved, Link, Why):
    _public.__module__ = "anyplace.share"


def told(text: str, objects: list[Any], deadlocks: list[Any]) -> Why:
    """The report of what the engine tells."""
    involved = [
        Involved(kind, name, [Who(*who) for who in holders], [Who(*who) for who in waiters])
        for kind, name, holders, waiters in objects
    ]
    rings = [[Link(Who(*who), kind, name) for who, kind, name in links] for links in deadlocks]
    return Why(text, involved, rings)
