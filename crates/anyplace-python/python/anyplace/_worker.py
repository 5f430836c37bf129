"""A worker process: how the caller starts it, and what it does before it takes work.

Run as a program, this file is the worker. What the caller hands over (paths, levels of loggers) comes as an
argument, not in the environment, because the work's own children would inherit that.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any

#: Read by BLAS and OpenMP libraries when they are loaded, so they have to be set before numpy is imported.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def command() -> list[str]:
    """The program with arguments that makes a worker for this process: what `Setup::worker` takes."""
    from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined]

    from . import _logging

    handed = {
        # What is relative means the folder of now, not that of the day a worker starts.
        "path": [os.path.abspath(part) for part in sys.path if isinstance(part, str)],
        "argv": sys.argv[:1] if hasattr(sys, "argv") else [],
        "levels": _logging.levels(),
    }
    return [sys.executable, *_args_from_interpreter_flags(), os.path.abspath(__file__), json.dumps(handed)]


def first(initializer: Callable[..., object], initargs: tuple[Any, ...] = ()) -> tuple[bytes, str, bytes]:
    """What `Setup::first` takes: the function's bytes and name, and the bytes of its arguments."""
    from ._pickling import dump_arguments, dump_function

    data, name = dump_function(initializer)
    return dump_function(initialize)[0], name, dump_arguments((data, *initargs))


def initialize(data: bytes, *initargs: Any) -> None:
    """Runs an initializer in a worker; when it fails, says so as `concurrent.futures` does."""
    from ._pickling import load_function

    try:
        function, _ = load_function(data)
        function(*initargs)
    except BaseException:
        import logging

        logging.getLogger("concurrent.futures").critical("Exception in initializer:", exc_info=True)
        raise


def main() -> int:
    """Takes work until the place is closed; gives the exit code."""
    import faulthandler
    import signal

    # Ctrl-C goes to the whole group; the caller decides what it means for the work.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    handed = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    if handed.get("prints") == "stderr":
        # The caller's standard output holds results only, so what the work prints goes beside it.
        os.dup2(2, 1)
    sys.argv[:] = handed.get("argv", sys.argv[:1])
    # In place, so that what holds the list sees it too.
    sys.path[:] = handed.get("path", sys.path)

    from anyplace import _core, _logging, _main

    _main.adopt()
    _logging.relay(_core.worker_log, handed.get("levels", {}))
    return int(_core.worker_main())


def limit_threads(workers: int) -> None:
    """Lets the libraries under numpy use this worker's share of the cores, unless the user said how many."""
    from ._core import usable_cores

    share = str(max(1, usable_cores() // max(1, workers)))
    for name in _THREADS:
        os.environ.setdefault(name, share)


def find(name: str) -> Any:
    """The function that ``module:function`` names.

    Raises `ImportError` or `AttributeError`, which say what is missing.
    """
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def from_json(data: bytes) -> tuple[Any, ...]:
    """The arguments of a call from the shell: a JSON list."""
    return tuple(json.loads(data))


def to_json(value: object) -> bytes:
    """The result of a call from the shell; what JSON cannot say is told by its `repr`."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = json.dumps(repr(value))
    return text.encode()


if __name__ == "__main__":
    # Run by its path, the file's own folder comes first among the paths: nothing may be imported from there.
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    sys.exit(main())
