"""Pickles by value what another process cannot import: what the script defines, lambdas, closures.

It is cloudpickle, but for the script's own variables (those of ``__main__``). cloudpickle gives each function
a copy of the variables that it uses, so that two functions of one script would not see each other's. Here a
function brings only their names; the variables travel beside it, each by itself, and are put into one module
there (see `_main`).
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import ChainMap
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

import cloudpickle

from . import _main, _structures

PROTOCOL = 5

NAMED = (FunctionType, type, ModuleType)

#: Ways to pickle besides those that everybody knows, by type.
Reducers = Mapping[type, Any]


def dump(value: Any, *, is_result: bool = False, reducers: Reducers | None = None) -> tuple[bytes, list[Any]]:
    """The pickle, and the functions, classes and modules in it.

    `is_result` says that it goes back to the script that the variables are of.
    """
    script = _Script(reducers)
    body = script.dump(value)
    while script.waiting:
        script.add(script.waiting.pop())
    if script.given:
        body = pickle.dumps(_Bound(script.given, body, is_result), PROTOCOL)
    return body, script.named


class _Script:
    """The variables that one dump needs, as bytes."""

    def __init__(self, reducers: Reducers | None) -> None:
        self.reducers = reducers
        self.variables = vars(sys.modules["__main__"])
        #: Those that are done, such that each comes after what it is made of.
        self.given: dict[str, bytes] = {}
        #: Names that functions look up when they run.
        self.waiting: set[str] = set()
        #: Those that are being done; another in it must not be made of them, or neither could be made first.
        self.pending: list[str] = []
        self.named: list[Any] = []

    def dump(self, value: Any) -> bytes:
        file = io.BytesIO()
        _Pickler(file, self, value).dump(value)
        return file.getvalue()

    def add(self, name: str) -> None:
        if name not in self.given:
            self.pending.append(name)
            data = self.dump(self.variables[name])
            self.pending.pop()
            self.given[name] = data

    def has(self, value: Any) -> bool:
        """Whether it is a function or class that the script has by its own name."""
        is_of_main = value.__module__ in ("__main__", "__mp_main__")
        return is_of_main and self.variables.get(value.__qualname__) is value


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, script: _Script, root: Any) -> None:
        # It is looked at when the pickler is made, and not again.
        known = cloudpickle.Pickler.dispatch_table
        self.dispatch_table = ChainMap(dict(script.reducers), known) if script.reducers else known
        super().__init__(file, PROTOCOL)
        self._script = script
        #: A variable is not made of itself.
        self._root = root if script.pending else None
        self.globals_ref[id(script.variables)] = _Variables()

    def reducer_override(self, value: Any) -> Any:
        script = self._script
        if isinstance(value, NAMED):
            script.named.append(value)
        if self._is_of_script(value):
            script.add(value.__qualname__)
            return _main.variable, (value.__qualname__,)
        reduced = super().reducer_override(value)
        if isinstance(reduced, tuple) and isinstance(value, type) and _structures.is_one(value):
            return _structures.reduce(value, reduced)
        return reduced

    def _is_of_script(self, value: Any) -> bool:
        if not isinstance(value, (FunctionType, type)) or value is self._root:
            return False
        return self._script.has(value) and value.__qualname__ not in self._script.pending

    def _dynamic_function_reduce(self, function: FunctionType) -> Any:
        made, arguments, (state, slots), *rest = super()._dynamic_function_reduce(function)
        if function.__globals__ is self._script.variables:
            self._script.waiting |= slots["__globals__"].keys() - {"__builtins__"}
            slots["__globals__"] = {}
        return made, arguments, (state, slots), *rest


class _Variables:
    """Stands for the script's variables in the pickle of a function."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _main.variables, ()


class _Bound:
    """A pickle that needs variables of the script."""

    def __init__(self, given: dict[str, bytes], body: bytes, is_result: bool) -> None:
        self._work = (given, body)
        self._load = _main.load_back if is_result else _main.load

    def __reduce__(self) -> tuple[Any, ...]:
        return self._load, self._work
