"""Functions that worker processes can import."""

from __future__ import annotations

import threading
from pathlib import Path

import anyplace


def square(number: int) -> int:
    return number * number


def divide(number: int) -> float:
    return 12 / number


def draw(_: object) -> float:
    return anyplace.current().random.random()


def draw_numpy(_: object) -> float:
    return float(anyplace.current().numpy.random())


def told(_: object) -> tuple[int, int]:
    context = anyplace.current()
    return context.index, context.attempt


def nested(number: int) -> list[int]:
    with anyplace.open("threads:2") as place:
        return list(place.map(square, range(number)))


def leave_a_note_and_fail_before(lucky: int, folder: str, number: int) -> int:
    """Leave a note for each attempt; the attempt number `lucky` succeeds."""
    notes = Path(folder) / str(number)
    with notes.open("a") as file:
        file.write("x")
    if anyplace.current().attempt < lucky:
        raise ValueError(f"attempt {anyplace.current().attempt}")
    return number


def hang(_: object) -> None:
    threading.Event().wait()
