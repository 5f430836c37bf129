"""A program that is started to see what becomes of it and of its workers, which are all ended afterwards."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent


@contextmanager
def program(*words: str, errors: IO[bytes] | int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """Start a script of this folder in a session of its own; in the end, nothing of it is left."""
    child = subprocess.Popen(
        [sys.executable, str(HERE / words[0]), *words[1:]],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        with watched(descendants(child.pid)) as workers:
            child.kill()
            end(workers)
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def end(workers: list[int]) -> None:
    """Kill those that still live."""
    for worker in workers:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(worker, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Give all that the process has started, and what they have."""
    children = [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in words(path)]
    return children + [later for child in children for later in descendants(child)]


def words(path: Path) -> list[str]:
    """Read a file of /proc that may be gone."""
    try:
        return path.read_text().split()
    except OSError:
        return []


@contextmanager
def watched(pids: list[int]) -> Iterator[list[int]]:
    """Hold the processes by descriptors: a number could be another's by the time it is looked at."""
    descriptors = [found for pid in pids if (found := descriptor(pid)) is not None]
    yield descriptors
    for each in descriptors:
        os.close(each)


def descriptor(pid: int) -> int | None:
    """Open the process, unless it has just ended."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def left(workers: list[int], within: float) -> tuple[int, float]:
    """Count those that still live when the time is over, and tell how long it took to know."""
    began, alive = time.monotonic(), set(workers)
    while alive and (rest := began + within - time.monotonic()) > 0:
        alive -= set(select.select(alive, [], [], rest)[0])
    return len(alive), time.monotonic() - began
