"""The tree of errors: one root, one class per kind; each is also the builtin that one would catch."""

from __future__ import annotations

import concurrent.futures
import pickle
import threading
from typing import Any, ClassVar

from anyplace._shutdown import ShutDown

#: How a worker's traceback is shown, as the cause of the task's exception.
RemoteTraceback: Any
try:
    from concurrent.futures.process import BrokenProcessPool, _RemoteTraceback

    RemoteTraceback = _RemoteTraceback
except RuntimeError:
    # The interpreter is about to end: that module can no longer be imported, but errors can still be raised.
    from concurrent.futures import BrokenExecutor as BrokenProcessPool  # type: ignore[assignment]

    RemoteTraceback = Exception


class Error(Exception):
    """Anything that anyplace raises; what a task raises is raised as itself.

    Attributes
    ----------
    kind : str
        What went wrong, for programs: the name of the class.
    place : str or None
        The place's address, without its secrets.
    operation : str or None
        What was being done, such as ``"submit"``.
    attempt : int
        Which attempt failed, from 1; 0 if none was made.
    retry : str
        Whether the work may be done again: ``"never"``, ``"safe"`` (it did not begin) or ``"may repeat"``.
    help : str or None
        The next step for the person who reads it.
    exit : int or None
        How the worker ended: its exit code, or the negative number of the signal, as `subprocess` tells it.
    log_tail : str or None
        The last lines that the worker wrote on its standard error.
    remote_traceback : str or None
        The worker's traceback, as text.
    type_name : str or None
        The type of the worker's exception, where that cannot be told as itself.
    """

    kind: ClassVar[str] = "Error"
    place: str | None = None
    operation: str | None = None
    attempt: int = 0
    retry: str = "never"
    help: str | None = None
    exit: int | None = None
    log_tail: str | None = None
    remote_traceback: str | None = None
    type_name: str | None = None

    def __init__(self, message: str = "", *, help: str | None = None) -> None:
        super().__init__(message)
        if help:
            self.help = help
            self.add_note(f"help: {help}")

    def __init_subclass__(cls) -> None:
        """Name the kind by the class."""
        cls.kind = cls.__name__


class TaskFailed(Error):
    """The work itself failed, and its exception cannot be told as itself."""


class WorkerLost(Error, BrokenProcessPool):
    """The worker that ran the task died: a signal, an exit, out of memory; or it could not begin."""


class Timeout(Error, TimeoutError):
    """The time given was over."""


class Cancelled(Error, concurrent.futures.CancelledError):
    """Somebody cancelled the task before it ran, or ended it while it ran."""


class NotSerializable(Error, pickle.PicklingError, TypeError):
    """An argument, function or result cannot travel."""


class VersionMismatch(Error, RuntimeError):
    """Two ends that do not speak the same version."""


class ResourceExhausted(Error, OSError):
    """Memory, descriptors, processes or disk are used up."""


class Unsupported(Error, NotImplementedError):
    """The place cannot do that."""


class ConfigInvalid(Error, ValueError):
    """An address, option or number is wrong."""


class NotFound(Error, LookupError):
    """A file, program, function or name does not exist."""


class PermissionDenied(Error, PermissionError):
    """The system refused."""


class RateLimited(Error, RuntimeError):
    """Too much in too little time."""


class PlaceClosed(Error, RuntimeError):
    """The place is closed."""


class NotHeld(Error, RuntimeError, ValueError, AssertionError):
    """Who releases something does not have it; the standard library has three errors for that."""


class Broken(Error, threading.BrokenBarrierError):
    """A barrier is broken: not all have come, or it was reset meanwhile."""


class Ended(Error, EOFError, ShutDown):
    """There is nothing more to come: the queue was shut down, or the pipe's other end is closed or gone."""


class Unreachable(Error, ConnectionError):
    """Nobody answers at an address, or who answers cannot be talked to."""


class ConnectionLost(Error, ConnectionError):
    """The other end of a conversation is gone."""


class Unexpected(Error, RuntimeError):
    """A fault of anyplace itself."""


def build(
    kind: str, message: str, told: dict[str, Any], help: str | None = None, cause: BaseException | None = None
) -> Error:
    """Make the exception of a kind, with the attributes that it tells."""
    error: Error = _KINDS[kind](message, help=help)
    vars(error).update(told)
    error.__cause__ = as_cause(error.remote_traceback) if error.remote_traceback else cause
    return error


def as_cause(traceback: str) -> BaseException:
    """Make the cause that shows a worker's traceback where the exception is printed."""
    cause: BaseException = RemoteTraceback(f'\n"""\n{traceback}"""')
    return cause


_KINDS = {kind.__name__: kind for kind in Error.__subclasses__()}
for _public in (Error, *_KINDS.values()):
    _public.__module__ = "anyplace"
