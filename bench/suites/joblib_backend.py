"""joblib's `Parallel` with our backend against loky, its own: a call of two tasks, and one of many."""

import argparse
import statistics
import time

from joblib import Parallel, delayed, parallel_config

import anyplace

BACKENDS = ["anyplace", "loky"]

#: So many short calls make one measurement.
CALLS = 20


def nothing(number: int) -> int:
    """Do no work, so that only the way there and back is measured."""
    return number


def milliseconds(backend: str, items: int) -> float:
    """Give the milliseconds that one call with so many tasks takes, its workers warm."""
    with parallel_config(backend, n_jobs=2):
        began = time.perf_counter()
        results = Parallel()(delayed(nothing)(number) for number in range(items))
        took = time.perf_counter() - began
    assert results == list(range(items))
    return took * 1e3


def short(backend: str) -> float:
    """Give the median of calls with two tasks."""
    return statistics.median(milliseconds(backend, 2) for _ in range(CALLS))


def main() -> None:
    """Measure in interleaved rounds and print each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--items", type=int, required=True)
    options = parser.parse_args()
    anyplace.register_joblib()
    for backend in BACKENDS:
        milliseconds(backend, options.items)
    for _ in range(options.rounds):
        for backend in BACKENDS:
            print(f"call of 2 tasks,{backend},{short(backend)},ms")
    for _ in range(options.rounds):
        for backend in BACKENDS:
            print(f"call of {options.items} tiny tasks,{backend},{milliseconds(backend, options.items)},ms")


if __name__ == "__main__":
    main()
