"""What a pool with nothing to do costs, in a program of its own: `python idle.py NAME SECONDS`.

It says `ready`, waits for a line, and prints the share of a core in percent and the megabytes of a worker.
"""

import os
import sys
import threading
import time

from pools import named
from processes import cpu_seconds, family, megabytes
from work import nap

WORKERS = 8


def main() -> None:
    """Open the pool, let every worker work once, and look at it while it rests."""
    with named(sys.argv[1]).open(WORKERS) as pool:
        seen: set[int] = set()
        while len(seen) < WORKERS:
            naps = [pool.submit(nap, 0.1) for _ in range(WORKERS)]
            seen |= {pool.result(each) for each in naps}
        print("ready", flush=True)
        sys.stdin.readline()
        # This thread looks on, and looking costs: it is not counted.
        pids, looks_on = family(), threading.get_native_id()
        began, worked = time.perf_counter(), cpu_seconds(pids, looks_on)
        time.sleep(float(sys.argv[2]))
        worked, took = cpu_seconds(pids, looks_on) - worked, time.perf_counter() - began
        print(worked / took * 100)
        print(sum(megabytes(pid) for pid in pids if pid != os.getpid()) / WORKERS)


if __name__ == "__main__":
    main()
