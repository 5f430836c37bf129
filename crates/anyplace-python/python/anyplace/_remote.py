"""Exceptions of workers: as data on their way, and as exceptions again where the result is asked for.

What travels is the type's name, the message, the traceback as text, the notes, and the exception itself with
its causes where they can be pickled. So nothing is lost when an exception cannot be pickled, or cannot be
unpickled: then the caller gets `anyplace.TaskFailed` with all of it.
"""

from __future__ import annotations

import os
import pickle
import traceback
from typing import Any

from . import _errors, _pickling

#: A chain of causes longer than this is cut; its text is in the traceback anyway.
_LONGEST = 16

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


def describe(error: BaseException) -> tuple[str, str, str, bytes]:
    """Type, message, traceback text and payload of an exception of a task; never fails."""
    _leave_out_ours(error)
    notes = [_text(note) for note in getattr(error, "__notes__", None) or ()]
    payload = pickle.dumps((notes, _dumped(error), [_dumped(cause) for cause in _causes(error)]))
    return _type_name(error), _text(error), _traceback(error), payload


def rebuild(
    type_name: str, message: str, traceback: str, payload: bytes, told: dict[str, Any]
) -> BaseException:
    """The exception that `describe` described. Its ``__cause__`` shows the worker's traceback.

    The original's own cause, or context, is the ``__context__`` of that: it is in the text already, so it is
    not printed once more. `told` is what `anyplace.TaskFailed` tells besides.
    """
    notes, dumped, causes = pickle.loads(payload)
    error = _loaded(dumped)
    if error is None:
        error = _errors.build("TaskFailed", f"{type_name}: {message}", {**told, "__notes__": notes})
    _chain(error, traceback, [cause for cause in map(_loaded, causes) if cause is not None])
    return error


def _chain(error: BaseException, traceback: str, causes: list[BaseException]) -> None:
    remote = _errors.as_cause(traceback)
    error.__cause__ = remote
    for inner, cause in zip([remote, *causes], causes, strict=False):
        inner.__context__ = cause
    remote.__suppress_context__ = True


def _leave_out_ours(error: BaseException) -> None:
    """Lets the traceback begin at the user's code, unless there is none in it."""
    first = error.__traceback__
    while first is not None and first.tb_frame.f_code.co_filename.startswith(_OURS):
        first = first.tb_next
    if first is not None:
        error.__traceback__ = first


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    inner = _cause(error)
    while inner is not None and inner not in causes and len(causes) < _LONGEST:
        causes.append(inner)
        inner = _cause(inner)
    return causes


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def _dumped(error: BaseException) -> bytes | None:
    try:
        return _pickling.dump(error)
    except (Exception, SystemExit):
        return None


def _loaded(data: bytes | None) -> BaseException | None:
    try:
        error: Any = pickle.loads(data) if data else None
    except (Exception, SystemExit):
        return None
    return error if isinstance(error, BaseException) else None


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__qualname__} that cannot be printed>"


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # an exception may make its own printing fail
        return "".join(traceback.format_tb(error.__traceback__)) + _type_name(error) + "\n"
