"""What the workers run: importable functions, so that every pool may send them by name."""

import os
import time


def nothing(number: int) -> int:
    """Do no work, so that only the way there and back is measured."""
    return number


def nap(seconds: float) -> int:
    """Keep a worker for a while, and tell which."""
    time.sleep(seconds)
    return os.getpid()
