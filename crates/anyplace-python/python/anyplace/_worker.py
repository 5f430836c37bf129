"""A worker process: how the caller starts it, and what it does before it takes work.

Workers are forked from a zygote, a Python without any work that has imported what every worker needs;
with ``start=exec`` each is a Python of its own. Both begin in `main`. What the caller hands over (paths,
environment, levels of loggers) comes by the greeting, so that one zygote serves all places of the caller.

The time to the first result begins here, so this module imports what it needs where it needs it.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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

#: What the first task needs: imported by the zygote before it makes the first worker.
_AT_ONCE = ("anyplace._pickling",)

#: What tasks may need, in small steps: imported by the zygote while nobody wants anything of it.
_LATER = (
    "anyplace._source",
    "re",
    "typing",
    "ast",
    "dis",
    "traceback",
    "logging",
    "cloudpickle",
    "concurrent.futures",
    "multiprocessing.util",
    "multiprocessing.connection",
    "concurrent.futures.process",
    "anyplace._source",
    "anyplace._remote",
    "anyplace._logging",
    "json",
)

#: Whether this process is a fork of the caller, not of a zygote.
_is_fork = False

#: How a worker ends that cannot serve its place.
_NO_PLACE = 69


def command() -> list[str]:
    """The program with arguments that is a worker for this process: what `Setup::worker` takes."""
    return [*_python(), "-c", _code()]


def zygote() -> list[str]:
    """The program with arguments that makes workers for this process: what `Setup::zygote` takes."""
    from . import _startup

    # Most of the time that Python takes to start goes into looking for what to run at its start.
    plain = [] if _startup.runs_code() else ["-S"]
    return [*_python(), *plain, "-c", _code(), "zygote"]


def argument() -> bytes:
    """What a worker of this process is given: what `Setup::argument` takes."""
    from ._core import usable_cores

    handed = {
        "path": _path(),
        "argv": sys.argv[:1] if hasattr(sys, "argv") else [],
        "prefixes": (sys.prefix, sys.exec_prefix),
        "site": not sys.flags.no_site,
        "environ": dict(os.environ),
        "levels": _levels(),
        "cores": usable_cores(),
        "distutils": "_distutils_hack" in sys.modules,
    }
    return marshal.dumps(handed)


def _levels() -> dict[str, int]:
    """The levels set in this process, by logger; the root's name is empty."""
    logging = sys.modules.get("logging")
    if logging is None:
        return {}
    loggers = logging.root.manager.loggerDict.items()
    # What is not a logger yet has no level: it stands for loggers below it.
    levels = {name: getattr(logger, "level", 0) for name, logger in loggers}
    return {"": logging.root.level} | {name: level for name, level in levels.items() if level}


def _python() -> list[str]:
    from . import _startup

    return [sys.executable, *_startup.flags()]


def _code() -> str:
    # Not a file to run: that would be compiled anew each time, and be what `__main__` is.
    return f"import sys; sys.path[:] = {_path()!r}; from anyplace._worker import main; main()"


def _path() -> list[str]:
    # What is relative means the folder of now, not that of the day a worker starts.
    return [os.path.abspath(part) for part in sys.path if isinstance(part, str)]


def first(initializer: Callable[..., object], initargs: tuple[Any, ...] = ()) -> tuple[bytes, str, bytes]:
    """What `Setup::first` takes: the function's bytes and name, and the bytes of its arguments."""
    from ._pickling import dump_arguments, dump_function

    data, name, _ = dump_function(initializer)
    return dump_function(initialize)[0], name, dump_arguments((data, *initargs))


def host() -> tuple[bytes, str]:
    """What `Setup::host` takes: the bytes and the name of the function that keeps objects."""
    from ._pickling import dump_function

    data, name, _ = dump_function(keep_objects)
    return data, name


def keep_objects(ticket: bytes) -> None:
    """Keeps objects in this worker for as long as its place wants them."""
    # Whichever thread imports it first is the main thread for it, and calls run on others.
    import threading as threading

    from ._core import host_objects

    host_objects(ticket)


def initialize(data: bytes, *initargs: Any) -> None:
    """Runs an initializer in a worker; when it fails, says so."""
    from ._pickling import load_function

    try:
        function, _ = load_function(data)
        function(*initargs)
    except BaseException as error:
        report(error)
        raise


def report(error: BaseException) -> None:
    """Logs that an initializer failed, as `concurrent.futures` does."""
    import logging

    logging.getLogger("concurrent.futures").critical("Exception in initializer:", exc_info=error)


def main() -> None:
    """Takes work until the place is closed."""
    import _signal  # type: ignore[import-not-found]  # without the names that `signal` makes of its numbers
    import faulthandler

    from anyplace import _core

    # Ctrl-C goes to the whole group; the caller decides what it means for the work.
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    faulthandler.enable()
    if "prints=stderr" in sys.argv:
        # The caller's standard output holds results only, so what the work prints goes beside it.
        os.dup2(2, 1)
    if "zygote" in sys.argv:
        _become_worker(_preloaded())
    _end(_core.worker_main())


def _end(code: int) -> None:
    """Ends this process as Python ends, but takes no module apart first: that takes as long as a start."""
    threading: Any = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    atexit: Any = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()
    _flush()
    os._exit(code)


def _become_worker(modules: list[str]) -> None:
    """As a zygote, makes workers; returns in each of them."""
    from importlib import import_module

    from anyplace import _core

    _add_builtins()
    for name in _AT_ONCE:
        import_module(name)
    fork = _fork_with(modules)
    later = iter(_LATER)

    def more() -> bool:
        name = next(later, None)
        try:
            return name is not None and import_module(name) is not None
        except ImportError:  # The first worker that needs it says so.
            return True

    try:
        is_worker = _core.zygote_main(fork, more)
    except OSError:
        os._exit(_NO_PLACE)
    if not is_worker:
        # There is nothing to finish, and somebody waits.
        os._exit(0)


def _fork_with(modules: list[str]) -> Callable[[], int]:
    """`os.fork` of a process that has imported these modules; if it cannot, it raises what says why."""
    from importlib import import_module

    waiting, refused = modules[::-1], ""

    def fork() -> int:
        nonlocal refused
        while waiting:
            name = waiting.pop()
            try:
                import_module(name)
            except BaseException as error:
                refused = f"{name!r} cannot be preloaded: {type(error).__name__}: {error}"
                waiting.clear()
        if refused:
            raise RuntimeError(refused)
        return os.fork()

    return fork


def _preloaded() -> list[str]:
    words = [word.removeprefix("preload=") for word in sys.argv if word.startswith("preload=")]
    return [name for word in words for name in word.split(",")]


def _add_builtins() -> None:
    """What `site` adds to the builtins, for programs that call ``exit()``."""
    if sys.flags.no_site:
        import site

        site.setquit()
        site.setcopyright()
        site.sethelper()


def fork() -> int:
    """`os.fork` for ``start=fork``, whose dangers the user has taken; no warning of each."""
    import warnings

    # What waits to be written would be written by the child, too.
    _flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _leave_the_callers_life()
    return child


def _leave_the_callers_life() -> None:
    """As a fork of the caller: its handlers of signals and of log records are not ours, all else is."""
    global _is_fork
    import faulthandler
    import logging
    import signal

    _is_fork = True
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    # Each record goes to the caller, whose handlers then have it.
    for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
        getattr(logger, "handlers", []).clear()


def end_forked(code: int) -> None:
    """Ends a worker that is a copy of the caller, but for what the caller does at its own end."""
    _flush()
    os._exit(code)


def end_over(error: BaseException) -> None:
    """Ends this process as an exception that nobody catches ends a Python program."""
    import traceback

    traceback.print_exception(error)
    _flush()
    os._exit(1)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # It was closed, or nobody reads it.
            continue


def begin(
    argument: bytes, environment: Iterable[tuple[str, str]], workers: int, cores: int | None = None
) -> None:
    """Makes this process what the place wants it to be, before it takes work."""
    if not _is_fork:
        from . import _main

        _main.adopt()
    # A fork of the caller has it all.
    handed: dict[str, Any] = marshal.loads(argument) if argument and not _is_fork else {}
    # In place, so that what holds the list sees it too.
    sys.argv[:] = handed.get("argv", sys.argv[:1])
    sys.path[:] = handed.get("path", sys.path)
    # A Python that has not run `site` does not know its virtual environment.
    sys.prefix, sys.exec_prefix = handed.get("prefixes", (sys.prefix, sys.exec_prefix))
    if handed.get("site") and sys.flags.no_site:
        from . import _core

        # Pythons that the work starts, with the flags of this one, find what is installed.
        sys.flags = _core.flags_with_site()
    _set_environment(handed.get("environ", os.environ), environment)
    limit_threads(cores or handed.get("cores"), workers)
    if handed.get("distutils") and "_distutils_hack" not in sys.modules:
        __import__("_distutils_hack").add_shim()
    if "numpy.random" in sys.modules:
        # Loaded by the zygote: all its workers would draw the same numbers. `random` sees to that itself.
        sys.modules["numpy.random"].seed()
    _relay_logs(handed.get("levels", {}))


def _set_environment(inherited: dict[str, str], own: Iterable[tuple[str, str]]) -> None:
    wanted = {**inherited, **dict(own)}
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _relay_logs(levels: dict[str, int]) -> None:
    if "logging" in sys.modules:
        return _relay(levels)
    from ._startup import AfterImport

    sys.meta_path.insert(0, AfterImport("logging", lambda: _relay(levels)))


def _relay(levels: dict[str, int]) -> None:
    from anyplace import _core, _logging

    _logging.relay(_core.worker_log, levels)


def limit_threads(cores: int | None, workers: int) -> None:
    """Lets the libraries under numpy use this worker's share of the cores, unless the user said how many."""
    from ._core import usable_cores

    share = str(max(1, (cores or usable_cores()) // max(1, workers)))
    for name in _THREADS:
        os.environ.setdefault(name, share)


def find(name: str) -> Any:
    """The function that ``module:function`` names.

    Raises `ImportError` or `AttributeError`, which say what is missing.
    """
    from importlib import import_module

    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def from_json(data: bytes) -> tuple[Any, ...]:
    """The arguments of a call from the shell: a JSON list."""
    import json

    return tuple(json.loads(data))


def to_json(value: object) -> bytes:
    """The result of a call from the shell; what JSON cannot say is told by its `repr`."""
    import json

    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = json.dumps(repr(value))
    return text.encode()


if __name__ == "__main__":
    main()
