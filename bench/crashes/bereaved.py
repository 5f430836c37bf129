"""One case with one library: `python bereaved.py LIBRARY CASE` prints how it went, and waits to be killed.

A process is killed while it uses what it shares with us; then we use it as if nothing had happened. If
nothing is printed, we hang.
"""

from __future__ import annotations

import queue
import signal
import sys

from victims import CASES, HANGS, LIBRARIES


def main(library: str, case: str) -> None:
    """Try it once."""
    print(went(library, case), flush=True)
    signal.pause()


def went(library: str, case: str) -> str:
    """Tell how it went: also by what was raised."""
    try:
        return CASES[case].bereave(LIBRARIES[library]())
    except queue.Empty:
        return HANGS
    except Exception as error:
        return f"raises {type(error).__name__}"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
