"""What the tasks of the matrix do: the innocent work a little, a guilty one does harm."""

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Any, NoReturn

#: How long an innocent task works, and when a guilty one does its harm: beside others that work.
WORK_S = 0.05
HARM_AFTER_S = 0.12


def innocent(number: int) -> int:
    """Work a little."""
    time.sleep(WORK_S)
    return number


def segfault(_: object) -> None:
    """Read what is not there."""
    time.sleep(HARM_AFTER_S)
    ctypes.string_at(0)


def kill_oneself(_: object) -> None:
    """End as by the out-of-memory killer."""
    time.sleep(HARM_AFTER_S)
    os.kill(os.getpid(), signal.SIGKILL)


def exit_at_once(_: object) -> None:
    """End the process without a word."""
    time.sleep(HARM_AFTER_S)
    os._exit(1)


def exit_politely(_: object) -> None:
    """Ask Python to end."""
    time.sleep(HARM_AFTER_S)
    sys.exit(1)


def never_end(_: object) -> None:
    """Go on for ever."""
    threading.Event().wait()


def take(_: object) -> None:
    """Need the argument and no more."""


class NeverPickles:
    """Cannot be sent."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("this cannot be pickled")


def refuse() -> NoReturn:
    """Fail while something is read."""
    time.sleep(HARM_AFTER_S)
    raise ValueError("this cannot be read")


class RefusesToBeRead:
    """Can be sent, but not read."""

    def __reduce__(self) -> Any:
        return refuse, ()


class ExitsWhenRead:
    """Ends whoever reads it."""

    def __reduce__(self) -> Any:
        return os._exit, (3,)


class NeverPicklesError(NeverPickles, Exception):
    """An exception that cannot be sent."""


class RefusesToBeReadError(RefusesToBeRead, Exception):
    """An exception that can be sent, but not read."""


def give(kind: type) -> object:
    """Return one of these."""
    time.sleep(HARM_AFTER_S)
    return kind()


def throw(kind: type[Exception]) -> None:
    """Raise one of these."""
    time.sleep(HARM_AFTER_S)
    raise kind()


def hold(started: str) -> None:
    """Say who runs this, and keep the worker."""
    with open(started, "w") as pipe:
        print(os.getpid(), file=pipe)
    time.sleep(5)
