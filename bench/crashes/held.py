"""A program whose pool is busy: `python held.py POOL FIFO`.

Two tasks run and eight wait, of 5 s each; the running ones say so in the fifo. Then come signals.
"""

import sys

from guilt import hold
from peers import PEERS


def main(pool: str, started: str) -> None:
    """Wait for the results as a user does."""
    opened, submit = PEERS[pool].open()
    with opened:
        for wait in [submit(hold, started, None) for _ in range(10)]:
            wait(60)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
