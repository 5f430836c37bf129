"""`multiprocessing` on anyplace: a program moves by ``from anyplace import multiprocessing``.

`Pool`, `Process`, locks, queues, values and managers are ours; pipes and the rest are the standard library's,
made so that they can be handed to our processes. What processes share may travel in any way: as an argument
of a `Process`, of a pool's initializer or of its calls, and inside of queues and of each other.
"""

from __future__ import annotations

import importlib
from multiprocessing import AuthenticationError, BufferTooShort, ProcessError, TimeoutError
from typing import Any

from ._context import CONTEXT
from ._process import Process

active_children = CONTEXT.active_children
allow_connection_pickling = CONTEXT.allow_connection_pickling
cpu_count = CONTEXT.cpu_count
current_process = CONTEXT.current_process
freeze_support = CONTEXT.freeze_support
get_all_start_methods = CONTEXT.get_all_start_methods
get_context = CONTEXT.get_context
get_logger = CONTEXT.get_logger
get_start_method = CONTEXT.get_start_method
log_to_stderr = CONTEXT.log_to_stderr
parent_process = CONTEXT.parent_process
set_executable = CONTEXT.set_executable
set_forkserver_preload = CONTEXT.set_forkserver_preload
set_start_method = CONTEXT.set_start_method
Array = CONTEXT.Array
Barrier = CONTEXT.Barrier
BoundedSemaphore = CONTEXT.BoundedSemaphore
Condition = CONTEXT.Condition
Event = CONTEXT.Event
JoinableQueue = CONTEXT.JoinableQueue
Lock = CONTEXT.Lock
Manager = CONTEXT.Manager
Pipe = CONTEXT.Pipe
Pool = CONTEXT.Pool
Queue = CONTEXT.Queue
RawArray = CONTEXT.RawArray
RawValue = CONTEXT.RawValue
RLock = CONTEXT.RLock
Semaphore = CONTEXT.Semaphore
SimpleQueue = CONTEXT.SimpleQueue
Value = CONTEXT.Value

__all__ = [
    "Array",
    "AuthenticationError",
    "Barrier",
    "BoundedSemaphore",
    "BufferTooShort",
    "Condition",
    "Event",
    "JoinableQueue",
    "Lock",
    "Manager",
    "Pipe",
    "Pool",
    "Process",
    "ProcessError",
    "Queue",
    "RLock",
    "RawArray",
    "RawValue",
    "Semaphore",
    "SimpleQueue",
    "TimeoutError",
    "Value",
    "active_children",
    "allow_connection_pickling",
    "cpu_count",
    "current_process",
    "freeze_support",
    "get_all_start_methods",
    "get_context",
    "get_logger",
    "get_start_method",
    "log_to_stderr",
    "parent_process",
    "set_executable",
    "set_forkserver_preload",
    "set_start_method",
]

#: Modules of the standard library's package that are the same here.
_SAME = {"connection", "dummy", "heap", "process", "reduction", "shared_memory", "util"}
#: And those that are ours.
_OURS = {"managers", "pool", "queues", "sharedctypes", "synchronize"}


def __getattr__(name: str) -> Any:
    """Give the standard library's modules under their names, and ours."""
    if name not in _SAME | _OURS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{'multiprocessing' if name in _SAME else __name__}.{name}")
