"""How a Python is started that works as this one, and whether it must run what Python runs at its start.

Lines of ``.pth`` files that begin with ``import``, `sitecustomize` and `usercustomize` may do anything:
editable installs bring import hooks by them, profilers and tracers put themselves in. Where there are such,
the zygote starts as Python always does. Else it leaves that out and gets the paths that came of it from the
caller.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

#: Files whose lines a worker needs not: the first is made up for (see `_worker.begin`), the second changes
#: how packages are installed.
_HARMLESS = ("distutils-precedence.pth", "_virtualenv.pth")

#: Flags of the interpreter, by their names in `sys.flags`: what `subprocess` has for `multiprocessing`, which
#: takes longer to import than the flags take to find.
_FLAGS = {
    "dont_write_bytecode": "B",
    "no_site": "S",
    "verbose": "v",
    "bytes_warning": "b",
    "quiet": "q",
    "optimize": "O",
    "debug": "d",
}

#: Of the options behind -X those that another Python needs too.
_OPTIONS = (
    "showrefcount",
    "utf8",
    "dev",
    "tracemalloc",
    "importtime",
    "pycache_prefix",
    "faulthandler",
    "int_max_str_digits",
    "warn_default_encoding",
    "frozen_modules",
    "gil",
)


def flags() -> list[str]:
    """The words by which another Python works as this one does."""
    words = [
        f"-{letter * count}" for name, letter in _FLAGS.items() if (count := getattr(sys.flags, name) or 0)
    ]
    if sys.flags.isolated:
        words.append("-I")
    else:
        words += ["-E"] * sys.flags.ignore_environment + ["-s"] * sys.flags.no_user_site
        words += ["-P"] * getattr(sys.flags, "safe_path", False)
    words += [word for warning in sys.warnoptions for word in ("-W", warning)]
    for name, value in sys._xoptions.items():
        if name in _OPTIONS:
            words += ["-X", name if value is True else f"{name}={value}"]
    return words


def runs_code() -> bool:
    """Whether Python runs something when it starts that the work may need."""
    if sys.flags.no_site:
        return False
    if "sitecustomize" in sys.modules or "usercustomize" in sys.modules:
        return True
    return any(_has_code(file) for folder in _site_folders() for file in _pth_files(folder))


def _site_folders() -> list[str]:
    import site

    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    # In a virtual environment these are the environment's, and those of the system if it has them.
    return [*site.getsitepackages(), *users]


def _pth_files(folder: str) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.endswith(".pth") and name not in _HARMLESS:
            yield os.path.join(folder, name)


def _has_code(file: str) -> bool:
    try:
        with open(file, "rb") as lines:
            return any(line.startswith((b"import ", b"import\t")) for line in lines)
    except OSError:
        return False


class AfterImport:
    """Calls something right after a module is first imported: stands in `sys.meta_path` until then."""

    def __init__(self, name: str, then: Callable[[], object]) -> None:
        self._name, self._then = name, then

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module as others would, and see to it that it is noticed when it is complete."""
        if name != self._name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        loader: Any = spec and spec.loader
        if loader is not None:
            loader.exec_module = self._noticed(loader.exec_module)
        return spec

    def _noticed(self, execute: Callable[[ModuleType], object]) -> Callable[[ModuleType], None]:
        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._then()

        return exec_module
