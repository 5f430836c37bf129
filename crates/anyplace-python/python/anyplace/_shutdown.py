"""The exception of a queue that was shut down: the standard library's, from Python 3.13 on."""

from __future__ import annotations

try:
    from queue import ShutDown
except ImportError:

    class ShutDown(Exception):  # type: ignore[no-redef]
        """The queue was shut down."""

        __module__ = "anyplace.share"
