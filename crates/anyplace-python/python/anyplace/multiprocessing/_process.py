"""`Process`: multiprocessing's, started afresh and watched by the kernel."""

from __future__ import annotations

from multiprocessing.process import BaseProcess
from typing import Any


class Process(BaseProcess):
    """A function, or `run` of a subclass, in a process of its own.

    It is multiprocessing's `Process` in all that it offers; this is what is different:

    - it is started afresh, as by "spawn", but the script is not run again for it: functions and classes of
      ``__main__`` travel by value, so that no ``if __name__ == "__main__"`` is needed;
    - a daemon ends with its parent in whichever way that one ends, also by SIGKILL;
    - `sentinel` is the process's own descriptor (a pidfd): what the process started cannot keep it from being
      told.

    Parameters
    ----------
    group : None
        There for the likeness to `threading.Thread`.
    target : callable, optional
        What `run` calls.
    name : str, optional
        What it is called; made up unless it is given.
    args : iterable, optional
        What `target` is called with; locks, queues, values, connections and sockets may be among it.
    kwargs : mapping, optional
        And by keyword.
    daemon : bool, optional
        Whether it ends with this process, instead of being waited for; as this process is unless it is given.

    Examples
    --------
    >>> import sys
    >>> from anyplace import multiprocessing
    >>> process = multiprocessing.Process(target=sys.exit, args=(3,))
    >>> process.start()
    >>> process.join()
    >>> process.exitcode
    3
    """

    _start_method = None

    @staticmethod
    def _Popen(process: BaseProcess) -> Any:  # noqa: N802 (multiprocessing calls it so)
        # Not above: the process itself starts nothing.
        from ._popen import Popen

        return Popen(process)

    @staticmethod
    def _after_fork() -> None:
        """Nothing is left of the parent in a process that is started afresh."""
