"""One case in one pool: `python one.py POOL CASE SECONDS` prints how it ended, and waits to be killed.

Four innocent tasks are submitted, then the guilty one, then sixteen innocent. What has not ended after so
many seconds hangs. A pool that can take and finish a task afterwards is usable.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from cases import CASES
from guilt import innocent
from peers import PEERS, Submit, Wait

HANGS = "hangs"


def main(pool: str, case: str, patience: float) -> None:
    """Run the case and say how it ended."""
    told = run(pool, case, patience)
    print(json.dumps(told), flush=True)
    signal.pause()


def run(pool: str, case: str, patience: float) -> dict[str, Any]:
    """Run the case."""
    guilty = CASES[case]
    until = time.monotonic() + patience
    # Closing may hang too: the pool is held until this process is killed.
    _held, submit = PEERS[pool].open()

    before = [begun(submit, innocent, n) for n in range(4)]
    blamed = begun(submit, guilty.task, guilty.argument(), guilty.limit)
    after = [begun(submit, innocent, n) for n in range(4, 20)]
    ends = [ended(wait, until) for wait in before + after]
    # An endless task that nothing limits has shown by now that it goes on.
    kind, text = ended(blamed, until if guilty.limit is None else min(until, time.monotonic() + 3))
    again = ended(begun(submit, innocent, 20), time.monotonic() + patience / 2)
    return {
        "guilty": kind,
        "text": text,
        "innocents": sum(end == ("returned", str(n)) for n, end in enumerate(ends)),
        "usable": again == ("returned", "20"),
    }


def begun(submit: Submit, task: Callable[[Any], Any], argument: Any, limit: float | None = None) -> Wait:
    """Submit; where a pool says no already here, that is how the task ends."""
    try:
        return submit(task, argument, limit)
    except Exception as error:
        return partial(refused, error)


def refused(error: Exception, _seconds: float) -> None:
    """Raise it as if the task had."""
    raise error


def ended(wait: Wait, until: float) -> tuple[str, str]:
    """Tell how a task ended: `returned` and what, the exception's name and text, or that it hangs."""
    try:
        return "returned", str(wait(max(0.0, until - time.monotonic())))
    except BaseException as error:  # sys.exit in a task may arrive here as such
        is_over = time.monotonic() >= until
        name = type(error).__name__
        return (HANGS, "") if is_over and "Timeout" in name else (name, str(error))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
