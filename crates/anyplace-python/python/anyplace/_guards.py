"""Says from what a function's pickle was made, so that it is used again only while all of that is the same.

A guard is a tuple of checks, which the compiled part makes at each call; it knows them by their first words:

=============================  ======================================================================
``attribute``, name, value     the function's attribute is this object
``bare``                       the function has no attributes of its own
``cell``, position, value      the variable of its closure is this object
``global``, name, value        the name is this object among the function's globals
``no global``, name            the name is not among the function's globals
``module``, name, spec         the module was not loaded again
``found``, name, path          the function is what the module has under this path
``helper``, reference, checks  a function that travels along is the same; its checks are of that function
=============================  ======================================================================

Objects that somebody may wait to be gone (functions, classes) are given as weak references. A function that
leans on what may change without another object being there, such as a list, has no guard.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple
from weakref import ref

#: Of these types, the same object has the same value for ever.
_CONSTANT = (type(None), bool, int, float, complex, str, bytes)

#: What a worker does not have, or has under another meaning.
_ELSEWHERE = ("__main__", "__mp_main__")

_Check = tuple[Any, ...]


class Leaning(NamedTuple):
    """How a function was pickled."""

    by_value: bool
    modules: tuple[str, ...]  # those that may change, and that it leans on


class _Unguarded(Exception):
    """The function leans on what may change unseen."""


def checks(function: Any, leaning: Leaning) -> tuple[tuple[_Check, ...], bool] | None:
    """The guard of a function's pickle, and whether files belong to it; `None` if there is none."""
    try:
        own = _by_value(function, set()) if leaning.by_value else _by_name(function)
        found = tuple(own) + tuple(_loaded(name) for name in leaning.modules)
    except _Unguarded:
        return None
    return found, bool(leaning.modules)


def _loaded(name: str) -> _Check:
    return ("module", name, getattr(sys.modules.get(name), "__spec__", None))


def _by_name(function: Any) -> Iterator[_Check]:
    if hasattr(function, "__wrapped__"):
        # What is below the wrapper counts, too.
        raise _Unguarded
    module, path = function.__module__, function.__qualname__.split(".")
    found: Any = sys.modules.get(module) if isinstance(module, str) else None
    for part in path:
        found = getattr(found, part, None)
    if found is not function:
        raise _Unguarded
    if isinstance(function, FunctionType):
        yield "attribute", "__code__", function.__code__
    yield "found", module, path


def _by_value(function: Any, seen: set[int]) -> Iterator[_Check]:
    if not isinstance(function, FunctionType) or vars(function) or function.__kwdefaults__:
        raise _Unguarded
    seen.add(id(function))
    yield "attribute", "__code__", function.__code__
    yield "attribute", "__defaults__", _constant(function.__defaults__)
    yield "attribute", "__kwdefaults__", function.__kwdefaults__
    yield ("bare",)
    for position, cell in enumerate(function.__closure__ or ()):
        yield from _value(("cell", position), _content(cell), seen)
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            yield from _value(("global", name), function.__globals__[name], seen)
        else:
            yield "no global", name


def _value(place: _Check, value: Any, seen: set[int]) -> Iterator[_Check]:
    """The checks of a value that the function finds there."""
    if isinstance(value, (FunctionType, type)):
        yield (*place, ref(value))
        if id(value) not in seen and not _is_found_elsewhere(value):
            yield "helper", ref(value), tuple(_by_value(value, seen))
    elif isinstance(value, (ModuleType, BuiltinFunctionType)):
        home = value.__name__ if isinstance(value, ModuleType) else value.__module__
        if home is None or home in _ELSEWHERE:
            raise _Unguarded
        yield (*place, value)
    else:
        yield (*place, _constant(value))


def _is_found_elsewhere(value: Any) -> bool:
    """Whether a worker finds it by its name."""
    found: Any = sys.modules.get(value.__module__) if value.__module__ not in _ELSEWHERE else None
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is value


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        raise _Unguarded from None


def _constant(value: Any) -> Any:
    if type(value) is tuple:
        for part in value:
            _constant(part)
    elif type(value) not in _CONSTANT:
        raise _Unguarded
    return value


def _names(code: CodeType) -> set[str]:
    """All names that the code, or code inside of it, may look up among its globals."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(_names, inner))
