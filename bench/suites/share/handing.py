"""From one to the other and back: what waking somebody costs, by what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import clock
from clock import Measurement
from library import Library

#: One's own part of a turn, and what the other one calls, with its arguments.
Turns = tuple[Callable[[], None], tuple[Any, ...]]


def handed_over(library: Library, seconds: float) -> Iterator[Measurement]:
    """Take turns with another thread or process."""
    for name, start in [("Semaphore", by_semaphores), ("Condition", by_condition), ("Event", by_events)]:
        trip, other = start(library)
        with library.beside(*other):
            took = clock.each(partial(again, trip), seconds)
        yield f"{name} there and back", took * 1e6, "us"


def again(trip: Callable[[], None], count: int) -> None:
    """Go so many times."""
    for _ in range(count):
        trip()


def by_semaphores(library: Library) -> Turns:
    """Wait for a permit that the other one gives."""
    there, back = library.Semaphore(0), library.Semaphore(0)

    def trip() -> None:
        there.release()
        back.acquire()

    return trip, (answer_semaphore, there, back)


def answer_semaphore(there: Any, back: Any) -> None:
    """Be the other one."""
    while True:
        there.acquire()
        back.release()


def by_condition(library: Library) -> Turns:
    """Wait until it is one's turn, and say whose it is then."""
    condition, turn = library.Condition(), library.cell()

    def trip() -> None:
        with condition:
            turn.value = 1
            condition.notify()
            while turn.value != 0:
                condition.wait()

    return trip, (answer_condition, condition, turn)


def answer_condition(condition: Any, turn: Any) -> None:
    """Be the other one."""
    while True:
        with condition:
            while turn.value != 1:
                condition.wait()
            turn.value = 0
            condition.notify()


def by_events(library: Library) -> Turns:
    """Wait for an event that the other one sets."""
    there, back = library.Event(), library.Event()

    def trip() -> None:
        there.set()
        back.wait()
        back.clear()

    return trip, (answer_event, there, back)


def answer_event(there: Any, back: Any) -> None:
    """Be the other one."""
    while True:
        there.wait()
        there.clear()
        back.set()
