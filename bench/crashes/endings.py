"""What becomes of a busy pool when its program is interrupted or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from program import descendants, end, left, program, watched

#: Who has not ended by then does not.
PATIENCE_S = 12.0
#: How long the workers of a killed program get.
AFTER_KILL_S = 1.5


def interrupted(pool: str) -> dict[str, Any]:
    """Press Ctrl-C, and tell when the prompt is back and how much is printed."""
    with tempfile.TemporaryFile() as errors, busy(pool, errors) as child:
        os.killpg(child.pid, signal.SIGINT)
        began = time.monotonic()
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return {"seconds": None}
        seconds = time.monotonic() - began
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    return {"seconds": seconds, "lines": len(text.splitlines()), "tracebacks": text.count("Traceback (most")}


def killed(pool: str) -> dict[str, Any]:
    """Kill the program, and tell how many of its processes live on."""
    with busy(pool, subprocess.DEVNULL) as child, watched(descendants(child.pid)) as workers:
        child.kill()
        alive, seconds = left(workers, AFTER_KILL_S)
        end(workers)
    return {"left": alive, "seconds": seconds}


@contextmanager
def busy(pool: str, errors: Any) -> Iterator[subprocess.Popen[str]]:
    """A program with two tasks running."""
    with tempfile.TemporaryDirectory() as folder:
        started = Path(folder) / "started"
        os.mkfifo(started)
        with program("held.py", pool, str(started), errors=errors) as child:
            running = 0
            while running < 2:
                running += len(started.read_text().splitlines())
            yield child


ENDINGS = {"Ctrl-C": interrupted, "program killed": killed}
