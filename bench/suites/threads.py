"""`threads:2` against `ThreadPoolExecutor(2)`: one task at a time, and many at once."""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import anyplace


def nothing(number: int) -> int:
    """Do no work, so that only the way there and back is measured."""
    return number


def round_trip(place: Executor, items: int) -> float:
    """Submit one task at a time; give the median in µs."""
    times = []
    for number in range(items // 5):
        began = time.perf_counter()
        place.submit(nothing, number).result()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def submit_all(place: Executor, items: int) -> float:
    """Submit every task, then collect every result; give the tasks a second."""
    began = time.perf_counter()
    futures = [place.submit(nothing, number) for number in range(items)]
    results = [future.result() for future in futures]
    seconds = time.perf_counter() - began
    assert results == list(range(items))
    return items / seconds


def main() -> None:
    """Measure in interleaved rounds and print each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--items", type=int, required=True)
    options = parser.parse_args()
    cases: dict[str, tuple[Callable[[Executor, int], float], str]] = {
        "round trip p50": (round_trip, "us"),
        "submit all then collect": (submit_all, "tasks/s"),
    }
    with anyplace.open("threads:2") as ours, ThreadPoolExecutor(2) as theirs:
        for case, (measure, unit) in cases.items():
            for _ in range(options.rounds):
                print(f"{case},anyplace,{measure(ours, options.items)},{unit}")
                print(f"{case},ThreadPoolExecutor,{measure(theirs, options.items)},{unit}")


if __name__ == "__main__":
    main()
