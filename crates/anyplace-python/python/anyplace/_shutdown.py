"""The exception of a queue that was shut down: the standard library's, from Python 3.13 on."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

__all__ = ["ShutDown"]

if TYPE_CHECKING:

    class ShutDown(Exception):
        pass

elif hasattr(queue, "ShutDown"):
    from queue import ShutDown
else:

    class ShutDown(Exception):
        """The queue is shut down. From Python 3.13 on it is the standard library's own."""

        __module__ = "anyplace.queue"
