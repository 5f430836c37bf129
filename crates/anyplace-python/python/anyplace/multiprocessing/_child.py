"""The process of a `Process`: what it gets from its parent, and what it does first.

Run as a program, this file is the child, and its argument is the number of the pipe to read from.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from ._dumping import Sharing


class Inherited:
    """A descriptor that has the same number in the child.

    Parameters
    ----------
    fd : int
        The number.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def detach(self) -> int:
        """The descriptor, in the child."""
        os.set_inheritable(self._fd, False)
        return self._fd


def header(work: BaseProcess, sharing: Sharing) -> bytes:
    """The bytes of what a child needs before it can read its work, in types that every Python knows."""
    from multiprocessing import process, resource_tracker, util

    library: Any = util
    tracker = vars(resource_tracker)["_resource_tracker"]._fd
    logger = library._logger
    told = {
        "path": [os.path.abspath(part) for part in sys.path if isinstance(part, str)],
        "argv": list(getattr(sys, "argv", [])),
        "name": work.name,
        "authkey": bytes(process.current_process().authkey),
        "is_daemon": work.daemon,
        "tracker": None if tracker is None else sharing.duplicate_for_child(tracker),
        "log_level": None if logger is None else logger.getEffectiveLevel(),
        "logs_to_stderr": library._log_to_stderr,
    }
    return pickle.dumps(told)


def main(fd: int) -> int:
    """Does the work that the pipe brings; gives the exit code."""
    with open(fd, "rb", closefd=False) as pipe:
        told = pickle.load(pipe)
        # In place, so that what holds the list sees it too.
        sys.path[:] = told["path"]
        sys.argv[:] = told["argv"]
        prepare(told)
        work = pickle.load(pipe)
    if told["is_daemon"]:
        end_with_parent(fd)
    code: int = work._bootstrap(parent_sentinel=fd)
    return code


def prepare(told: dict[str, Any]) -> None:
    """Becomes what the parent said."""
    from multiprocessing import process, resource_tracker, util

    from anyplace import _main

    _main.adopt()
    own: Any = process.current_process()
    own.authkey = told["authkey"]
    own.name = told["name"]
    if told["tracker"] is not None:
        os.set_inheritable(told["tracker"], False)
        vars(resource_tracker)["_resource_tracker"]._fd = told["tracker"]
    if told["log_level"] is not None:
        util.get_logger().setLevel(told["log_level"])
    if told["logs_to_stderr"]:
        util.log_to_stderr()


def end_with_parent(fd: int) -> None:
    """Lets the kernel kill this process when the parent's end of the pipe closes, whatever it does then."""
    import fcntl
    import select
    import signal

    fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
    # The parent may have ended before that.
    if select.select([fd], [], [], 0)[0]:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    # Run by its path, the file's own folder comes first among the paths: nothing may be imported from there.
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    number = int(sys.argv[1])
    os.set_inheritable(number, False)
    sys.exit(main(number))
