"""What this process holds: threads, descriptors, children."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import NamedTuple

from door import PATIENCE


class Holdings(NamedTuple):
    """How many of each."""

    threads: int
    descriptors: int
    children: int

    @classmethod
    def now(cls) -> Holdings:
        gc.collect()
        threads = list(Path("/proc/self/task").iterdir())
        return cls(len(threads), len(os.listdir("/proc/self/fd")), sum(map(_children, threads)))

    def is_all_again(self) -> None:
        """Wait until no more is held than this: the kernel forgets a thread a moment after it was joined."""
        until = time.monotonic() + PATIENCE
        while (now := Holdings.now()).is_more_than(self):
            assert time.monotonic() < until, f"{now} after, {self} before"

    def is_more_than(self, before: Holdings) -> bool:
        return any(mine > theirs for mine, theirs in zip(self, before, strict=True))


def _children(thread: Path) -> int:
    try:
        return len((thread / "children").read_text().split())
    except OSError:  # the thread has just ended
        return 0
