"""Keeps a module's code the same in the caller and in its workers.

A function that travels by name is whatever a worker imports under that name. Three things may make that
another function than the caller's: the file was edited and reloaded in the caller after the worker imported
it; it was edited and *not* reloaded in the caller, and a new worker imports it; or the function was replaced
in the caller's module by hand. So the caller sends along the version (a digest of the code) of each module
that its functions lean on, and a worker that has another version loads the module again. What the caller
itself no longer finds on disk travels by value instead.

Only source files outside the installation are looked at: installed code does not change under a running
program.
"""

from __future__ import annotations

# A worker's first task waits for these imports: what is not here takes longer than all that is done with it.
import importlib
import os
import sys
from _thread import RLock
from importlib.machinery import SourceFileLoader
from types import FunctionType, ModuleType

from ._digest import codes_of, digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


class _Seen:
    """A module as it was when first looked at after it was loaded."""

    __slots__ = ("functions", "is_edited", "leans_on", "spec", "stat", "version")

    spec: Any  # the module's own, replaced by each reload: so it tells one load from the next
    stat: tuple[int, int]
    version: str
    functions: frozenset[str]  # the digests of those in the file
    leans_on: frozenset[str]
    is_edited: bool  # the file is not what was loaded

    def __init__(self, module: ModuleType, stat: tuple[int, int]) -> None:
        self.spec = module.__spec__
        self.stat = stat
        self.version, self.functions = _on_disk(module)
        self.leans_on = frozenset(_leans_on(module))
        self.is_edited = any(_is_replaced(value, self.functions) for value in list(vars(module).values()))


_seen: dict[str, _Seen] = {}
_lock = RLock()


def versions(named: Iterable[Any]) -> tuple[dict[str, str], set[str]]:
    """The versions of all modules that these functions, classes and modules lean on, nearest first.

    The second part has the names of those modules that differ from their files.
    """
    with _lock:
        found: dict[str, _Seen] = {}
        waiting = [home(value) for value in named]
        edited = {home(value) for value in named if _is_replaced(value)}
        while waiting:
            name = waiting.pop(0)
            seen = None if name in found else _look(name)
            if seen is not None:
                found[name] = seen
                waiting.extend(seen.leans_on)
        edited |= {name for name, seen in found.items() if seen.is_edited}
        edited = _with_dependents(found, edited)
    return {name: seen.version for name, seen in found.items() if name not in edited}, edited


def _with_dependents(found: dict[str, _Seen], edited: set[str]) -> set[str]:
    """What leans on an edited module has to travel by value with it, or it would find the one on disk."""
    while more := {name for name, seen in found.items() if name not in edited and seen.leans_on & edited}:
        edited = edited | more
    return edited


def bring_up_to_date(wanted: dict[str, str]) -> bool:
    """Loads each module again that is here in another version than wanted; tells if there was one.

    Those that others lean on come first.

    Raises `ImportError` if its file is in yet another version: it changed while the work was on its way.
    """
    with _lock:
        old = [name for name, version in reversed(wanted.items()) if _version(name) != version]
        if old:
            importlib.invalidate_caches()
        for name in old:
            importlib.reload(sys.modules[name])
        for name in old:
            if _version(name) != wanted[name]:
                raise ImportError(
                    f"module {name!r} changed on disk while the work was on its way; submit it again"
                )
        return bool(old)


class by_value:  # noqa: N801  it is used as a function is: `with by_value(names):`
    """While this lasts, cloudpickle sends the functions and classes of these modules by value."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._modules: list[ModuleType] = []

    def __enter__(self) -> None:
        import cloudpickle

        _lock.acquire()
        for name in self._names - cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(sys.modules[name])
            self._modules.append(sys.modules[name])

    def __exit__(self, *_: object) -> None:
        import cloudpickle

        for module in self._modules:
            cloudpickle.unregister_pickle_by_value(module)
        _lock.release()


def home(value: Any) -> str:
    """The name of the module that a function or class is of, or that the module has."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name if isinstance(name, str) else ""


def _version(name: str) -> str | None:
    importlib.import_module(name)
    seen = _look(name)
    return None if seen is None or seen.is_edited else seen.version


def _look(name: str) -> _Seen | None:
    """The module as it is; `None` if it is not of a file that may change."""
    module = sys.modules.get(name)
    path = _path(module)
    if module is None or path is None:
        return None
    seen, stat = _seen.get(name), _stat(path)
    if seen is None or seen.spec is not module.__spec__:
        seen = _Seen(module, stat)
    elif seen.stat != stat:
        seen.stat = stat
        seen.is_edited = seen.is_edited or _on_disk(module)[0] != seen.version
    _seen[name] = seen
    return seen


def _on_disk(module: ModuleType) -> tuple[str, frozenset[str]]:
    """The version of the module's file, and the digests of the functions in it."""
    try:
        code = module.__spec__.loader.get_code(module.__name__)  # type: ignore[union-attr]
    except (ImportError, OSError, SyntaxError):
        return "", frozenset()
    return digest(code), frozenset(map(digest, codes_of(code)))


def _is_replaced(value: Any, functions: frozenset[str] | None = None) -> bool:
    """Whether it is a function of a module, but not one that stands in the module's file."""
    value = getattr(value, "__wrapped__", value)
    if not isinstance(value, FunctionType) or "<locals>" in value.__qualname__:
        return False
    path, written_in = _path(sys.modules.get(home(value))), value.__code__.co_filename
    # A decorator's wrapper is written in the decorator's file, and stays what that is.
    if path is None or (written_in != path and not written_in.startswith("<")):
        return False
    if functions is None:
        seen = _look(home(value))
        functions = seen.functions if seen else frozenset()
    return digest(value.__code__) not in functions


def _leans_on(module: ModuleType) -> Iterator[str]:
    homes = {
        home(value)
        for value in list(vars(module).values())
        if isinstance(value, (ModuleType, FunctionType, type))
    }
    return (name for name in homes if name != module.__name__ and _path(sys.modules.get(name)) is not None)


def _path(module: ModuleType | None) -> str | None:
    """The module's file, if it may change under the program, and means the same in every process.

    Loaders that change the code (pytest's does) are not asked: a worker does not have them.
    """
    spec = getattr(module, "__spec__", None)
    if spec is None or type(spec.loader) is not SourceFileLoader:
        return None
    return spec.origin if not _is_installed(spec.origin) else None


def _stat(path: str) -> tuple[int, int]:
    try:
        stat = os.stat(path)
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


_known: dict[str, bool] = {}


def _is_installed(path: str) -> bool:
    known = _known.get(path)
    if known is None:
        known = _known[path] = not path.endswith(".py") or path.startswith(_installation())
    return known


def _installation() -> tuple[str, ...]:
    """The folders of what is installed: of the standard library, of packages, our own."""
    packages = [part for part in sys.path if os.path.basename(part) in ("site-packages", "dist-packages")]
    ours = os.path.dirname(os.path.abspath(__file__))
    return tuple(folder + os.sep for folder in (os.path.dirname(os.__file__), *packages, ours))
