"""One contender of one group, in a program of its own: `python alone.py GROUP CONTENDER SECONDS`.

So nothing that one imports, starts or leaves behind is there when another is measured. It prints lines of
`case,value,unit`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import dying
import handing
import items
import library
import locking
import managing
import messages
from clock import Measurement
from kinds import KINDS

#: Measures what was opened, each thing for so many seconds.
Measure = Callable[[Any, float], Iterator[Measurement]]


@dataclass(frozen=True)
class Group:
    """Contenders, each by how it is opened, and what is measured of them."""

    contenders: dict[str, Callable[[], Any]]
    measures: list[Measure]


def itself(make: items.Make) -> Callable[[], items.Make]:
    """Open what is open."""
    return lambda: make


PROCESSES: dict[str, Callable[[], Any]] = {"anyplace": library.ours, "multiprocessing": library.standard}

#: THE groups: their names begin those of their cases.
GROUPS = {
    "threads": Group(
        {
            "anyplace": partial(library.threads, "anyplace.threading"),
            "threading": partial(library.threads, "threading"),
        },
        [locking.pairs, locking.contended, handing.handed_over],
    ),
    "processes": Group(
        PROCESSES,
        [locking.pairs, locking.contended, handing.handed_over, locking.added],
    ),
    "killed": Group({"anyplace": library.ours}, [dying.passed_on]),
    "process queue": Group(
        {**KINDS},
        [messages.numbers, messages.several, messages.arrays, messages.round_trips],
    ),
    "thread queue": Group(
        {
            "anyplace": itself(items.ours),
            "queue.Queue": itself(items.standard),
            "queue.SimpleQueue": itself(items.simple),
            "culsans": itself(items.culsans),
        },
        [items.put_and_got, items.passed_on, items.there_and_back],
    ),
    "manager": Group(PROCESSES, [managing.managed]),
}


def main(name: str, contender: str, seconds: float) -> None:
    """Measure and print."""
    group = GROUPS[name]
    opened = group.contenders[contender]()
    for measure in group.measures:
        for case, value, unit in measure(opened, seconds):
            print(f"{name}: {case},{value},{unit}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
