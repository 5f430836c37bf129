"""A gate that a task waits at."""

from __future__ import annotations

import threading


class Gate:
    """A task that says when it has begun, and goes on when it is told."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.open.wait(60)
        return "passed"
