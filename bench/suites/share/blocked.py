"""What eight processes cost that wait for items, in a program of its own: `python blocked.py KIND SECONDS`.

It says `ready`, waits for a line, and prints the share of a core in percent and the megabytes of a process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kinds import KINDS, Get, Put

sys.path.append(str(Path(__file__).parents[1] / "processes"))
from processes import cpu_seconds, family, megabytes

WAITING = 8


def main(kind: str, seconds: float) -> None:
    """Let them wait, and look at them."""
    opened = KINDS[kind]()
    (put, get), (arrive, arrived) = opened.make(0), opened.make(0)
    waiting: list[Any] = [opened.library.start(wait, arrive, get) for _ in range(WAITING)]
    assert sorted(arrived() for _ in waiting) == sorted(process.pid for process in waiting)
    while any(state(process.pid) != "S" for process in waiting):
        os.sched_yield()
    print("ready", flush=True)
    sys.stdin.readline()
    # This thread looks on, and looking costs: it is not counted.
    pids, looks_on = family(), threading.get_native_id()
    began, worked = time.perf_counter(), cpu_seconds(pids, looks_on)
    time.sleep(seconds)
    worked, took = cpu_seconds(pids, looks_on) - worked, time.perf_counter() - began
    print(worked / took * 100)
    print(sum(megabytes(process.pid) for process in waiting) / WAITING)
    for _ in waiting:
        put(None)
    for process in waiting:
        process.join()


def wait(arrive: Put, get: Get) -> None:
    """Say who waits, and wait."""
    arrive(os.getpid())
    assert get() is None


def state(pid: int) -> str:
    """Tell what the process does: `S` is sleep."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
