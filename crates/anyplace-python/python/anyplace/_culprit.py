"""Finds which part of a value cannot travel: a second walk, made only when pickling failed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any

#: Deeper than this a path helps nobody, and values may contain themselves.
_DEEPEST = 30


def find(value: Any, path: str, can_travel: Callable[[Any], bool]) -> tuple[str, Any]:
    """The path to the innermost part that cannot travel, and that part.

    >>> import threading
    >>> path, lock = find({"model": [threading.Lock()]}, "args[0]", lambda part: isinstance(part, str))
    >>> path
    "args[0]['model'][0]"
    """
    seen = {id(value)}
    for _ in range(_DEEPEST):
        bad = next(
            ((step, part) for step, part in _parts(value) if id(part) not in seen and not can_travel(part)),
            None,
        )
        if bad is None:
            break
        step, value = bad
        path += step
        seen.add(id(value))
    return path, value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value is made of, each with the way to it as one would write it."""
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((f"[{at}]", part) for at, part in enumerate(value))
    elif isinstance(value, (set, frozenset)):
        yield from (("{...}", part) for part in value)
    elif isinstance(value, functools.partial):
        yield from ((".func", value.func), (".args", value.args), (".keywords", value.keywords))
    elif isinstance(value, MethodType):
        yield (".__self__", value.__self__)
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
    yield from _attributes(value)


def _of_function(function: FunctionType) -> Iterator[tuple[str, Any]]:
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f".__closure__[{name!r}]", cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue
    yield from ((f".__defaults__[{at}]", part) for at, part in enumerate(function.__defaults__ or ()))
    yield from (
        (f".__kwdefaults__[{name!r}]", part) for name, part in (function.__kwdefaults__ or {}).items()
    )
    names = (name for name in code.co_names if name in function.__globals__)
    yield from ((f".__globals__[{name!r}]", function.__globals__[name]) for name in names)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    # A class of one's own may decide itself what of it travels.
    state = _state(value)
    if isinstance(state, tuple) and len(state) == 2:  # with slots: (__dict__ or None, the slots' values)
        state = (
            {**(state[0] or {}), **(state[1] or {})}
            if all(isinstance(s, (dict, type(None))) for s in state)
            else {}
        )
    if isinstance(state, dict):
        yield from ((f".{name}", part) for name, part in state.items())


def _state(value: Any) -> Any:
    if isinstance(value, (type, FunctionType)):
        return None
    try:
        return value.__getstate__()
    except Exception:
        return getattr(value, "__dict__", None)
