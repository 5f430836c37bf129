"""Functions that worker processes can import."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TypeVar

import anyplace
from door import note

T = TypeVar("T")


def square(number: int) -> int:
    return number * number


def divide(number: int) -> float:
    return 12 / number


def draw(_: object) -> float:
    return anyplace.current().random.random()


def draw_numpy(_: object) -> float:
    return float(anyplace.current().numpy.random())


def seed(_: object) -> int:
    return anyplace.current().seed


def who(_: object) -> tuple[int, int, int]:
    context = anyplace.current()
    return context.index, context.attempt, context.worker


def echo(text: T) -> T:
    return text


def pair(first: object, second: object) -> tuple[object, object]:
    return first, second


def fail(text: str) -> None:
    raise ValueError(text)


def sum_in(address: str, count: int) -> int:
    """The sum of the first squares, each made in a place that is opened here."""
    with anyplace.open(address) as place:
        return sum(place.map(square, range(count)))


def succeed_at(attempt: int, notes: str) -> int:
    """Note each attempt in the file, and fail until this one."""
    note(notes)
    if anyplace.current().attempt < attempt:
        raise ValueError(f"attempt {anyplace.current().attempt}")
    return attempt


def die() -> None:
    """End the process it runs in, as an out-of-memory killer would."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(notes: str, number: int) -> int:
    """Note the attempt in the file, and survive the second one."""
    note(notes)
    if Path(notes).stat().st_size == 1:
        die()
    return number


def hang(_: object) -> None:
    threading.Event().wait()
