"""What tasks, threads and processes share: locks, queues, values.

A place makes them by name (`Place.lock`, `Place.queue` and so on), in its own memory or in memory that its
processes share. What it gives can be handed to its tasks, as an argument or inside of one, and is the same
object there. The classes can be called without a place, too: then it lies in memory of this process that
any process can use which is handed the object.

Examples
--------
>>> import anyplace
>>> with anyplace.open("threads:2") as place:
...     hits, door = place.counter("hits"), place.lock("door")
...     _ = [place.submit(hits.add, n).result() for n in range(4)]
...     with door:
...         hits.value
6
"""

from __future__ import annotations

from anyplace._shutdown import ShutDown

from ._array import Array
from ._barrier import Barrier
from ._condition import Condition
from ._dict import Dict, Namespace
from ._event import Event
from ._lock import Lock, RLock
from ._pipe import Pipe, pipe
from ._queue import Queue
from ._semaphore import Semaphore
from ._value import Counter, Value
from ._why import Involved, Link, Who, Why

__all__ = [
    "Array",
    "Barrier",
    "Condition",
    "Counter",
    "Dict",
    "Event",
    "Involved",
    "Link",
    "Lock",
    "Namespace",
    "Pipe",
    "Queue",
    "RLock",
    "Semaphore",
    "ShutDown",
    "Value",
    "Who",
    "Why",
    "pipe",
]
