"""Functions that worker processes can import."""

from __future__ import annotations

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
