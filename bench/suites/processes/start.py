"""From nothing to a first result, in a program of its own: `python start.py NAME`.

It prints two lines of milliseconds: a first pool may have to prepare what the second one finds ready.
What is imported before is not counted.
"""

import sys
import time

from pools import Contender, named
from work import nothing


def milliseconds(contender: Contender) -> float:
    """Open a pool of two workers, wait for one result, and close it outside of the time."""
    began = time.perf_counter()
    with contender.open(2) as pool:
        assert pool.result(pool.submit(nothing, 1)) == 1
        return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    print(milliseconds(named(sys.argv[1])))
    print(milliseconds(named(sys.argv[1])))
