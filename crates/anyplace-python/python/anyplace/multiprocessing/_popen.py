"""Starts the process of a `Process`, and waits for it: what multiprocessing calls a Popen.

The process reads its work from a pipe. We keep the other end open for as long as we live, so that it hears of
our end by the same pipe. Descriptors among its arguments keep their numbers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from multiprocessing import process, spawn, util
from multiprocessing.connection import wait
from typing import Any

from . import _child
from ._dumping import dumps

#: What multiprocessing tells of a process whose exit code somebody else has taken.
_UNKNOWN = 255


class Popen:
    """One process that was started.

    Parameters
    ----------
    work : multiprocessing.process.BaseProcess
        What it does.
    """

    def __init__(self, work: process.BaseProcess) -> None:
        library: Any = util
        library._flush_std_streams()
        self.returncode: int | None = None
        self._inherited: list[int] = []
        self._sent: list[Any] = []
        self._reaping = threading.Lock()
        data = _child.header(work, self) + dumps(work, self)
        reading, self._writing = os.pipe()
        try:
            self.pid = _start(reading, self._inherited)
        except OSError:
            os.close(self._writing)
            raise
        finally:
            os.close(reading)
        self.sentinel = os.pidfd_open(self.pid)
        self.close = util.Finalize(self, library.close_fds, (self.sentinel, self._writing))
        # If it has died meanwhile, its exit code tells.
        with contextlib.suppress(BrokenPipeError), open(self._writing, "wb", closefd=False) as pipe:
            pipe.write(data)

    def duplicate_for_child(self, fd: int, /) -> int:
        """Let the process inherit the descriptor, under the same number."""
        self._inherited.append(fd)
        return fd

    def DupFd(self, fd: int, /) -> _child.Inherited:  # noqa: N802 (multiprocessing calls it so)
        """What travels in the place of the descriptor."""
        return _child.Inherited(fd)

    def keep(self, sent: list[Any], /) -> None:
        """Hold shared objects until the process has ended."""
        self._sent = sent

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        """The exit code, or the negative number of the signal, if it has ended."""
        return self.wait(0.0 if flag else None)

    def wait(self, timeout: float | None = None) -> int | None:
        """As `poll`, after at most `timeout` seconds."""
        if self.returncode is None and wait([self.sentinel], timeout):
            with self._reaping:
                self._reap()
        return self.returncode

    def _reap(self) -> None:
        if self.returncode is None:
            try:
                _, status = os.waitpid(self.pid, 0)
                self.returncode = os.waitstatus_to_exitcode(status)
            except ChildProcessError:
                self.returncode = _UNKNOWN
            self._sent.clear()

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.sentinel, number)


def _start(reading: int, inherited: list[int]) -> int:
    library: Any = spawn
    flags: list[str] = library.util._args_from_interpreter_flags()
    executable = os.fsdecode(library.get_executable())
    command = [executable, *flags, os.path.abspath(_child.__file__), str(reading)]
    # To put a descriptor at its own number lets the process inherit it.
    actions = [(os.POSIX_SPAWN_DUP2, fd, fd) for fd in {reading, *inherited}]
    return os.posix_spawn(executable, command, os.environ, file_actions=actions)
