"""How long things take: each for as long as is asked, so that fast and slow ones are known equally well."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

#: Case, value, unit.
Measurement = tuple[str, float, str]


def each(many: Callable[[int], object], seconds: float) -> float:
    """Tell the seconds that one of many takes: `many` does so many, and more until it takes long enough."""
    many(1)  # Whoever else takes part has begun by then.
    count = 16
    while True:
        began = time.perf_counter()
        many(count)
        took = time.perf_counter() - began
        if took >= seconds:
            return took / count
        # As many as will do, but never far more than before: the first ones may have been unusual.
        count = min(count * 16, int(count * 1.2 * seconds / max(took, 1e-9)) + 1)


def trips(once: Callable[[], object], seconds: float) -> list[float]:
    """Tell how long each of so many takes as there is time for, after a few to get warm."""
    for _ in range(20):
        once()
    clock, times = time.perf_counter, list[float]()
    until = clock() + seconds
    while (began := clock()) < until:
        once()
        times.append(clock() - began)
    return times


def percentile(times: list[float], percent: int) -> float:
    """Tell what so many of a hundred do not exceed."""
    return statistics.quantiles(times, n=100)[percent - 1]
