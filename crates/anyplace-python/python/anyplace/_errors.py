"""The tree of errors: one root, one class per kind; each is also the builtin that one would catch."""

from __future__ import annotations

import concurrent.futures
import pickle
from concurrent.futures.process import BrokenProcessPool, _RemoteTraceback  # type: ignore[attr-defined]
from typing import Any, ClassVar


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
    """This place cannot do that."""


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


class Unexpected(Error, RuntimeError):
    """A fault of anyplace itself."""


def build(
    kind: str,
    message: str,
    /,
    *,
    help: str | None,
    cause: BaseException | None = None,
    remote_type: str | None = None,
    remote_message: str | None = None,
    remote_traceback: str | None = None,
    remote_payload: bytes | None = None,
    **told: Any,
) -> BaseException:
    """Make the exception of a kind; the task's own, if it came along and can be read."""
    if kind == "TaskFailed" and remote_payload is not None:
        from anyplace import _remote

        return _remote.rebuild(remote_type, remote_message, remote_traceback, remote_payload, told)
    error = globals()[kind](message)
    vars(error).update(told, help=help, remote_traceback=remote_traceback)
    error.__cause__ = _RemoteTraceback(remote_traceback) if remote_traceback else cause
    if help:
        error.add_note(f"help: {help}")
    return error  # type: ignore[no-any-return]
