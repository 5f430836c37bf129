"""`Value`, `Array` and their raw forms: ctypes objects in memory that processes share.

They can travel wherever values do, not only to a process that is being started.
"""

from __future__ import annotations

import ctypes
from multiprocessing import sharedctypes as library
from multiprocessing.reduction import ForkingPickler
from typing import Any

from anyplace import _core

from .synchronize import RLock

__all__ = ["Array", "RawArray", "RawValue", "Value", "copy", "synchronized"]

_library: Any = library
typecode_to_type: dict[str, type] = _library.typecode_to_type
_wrappers: dict[type, type] = {}


def RawValue(typecode_or_type: Any, *args: Any) -> Any:  # noqa: N802 (multiprocessing calls it so)
    """Make a ctypes object, of `args`, that processes share without a lock."""
    value = _new(typecode_to_type.get(typecode_or_type, typecode_or_type))
    value.__init__(*args)
    return value


def RawArray(typecode_or_type: Any, size_or_initializer: Any) -> Any:  # noqa: N802
    """Make a ctypes array, of so many zeros or of these items, that processes share without a lock."""
    kind: Any = typecode_to_type.get(typecode_or_type, typecode_or_type)
    if isinstance(size_or_initializer, int):
        return _new(kind * size_or_initializer)
    array = _new(kind * len(size_or_initializer))
    array.__init__(*size_or_initializer)
    return array


def Value(typecode_or_type: Any, *args: Any, lock: Any = True, ctx: object = None) -> Any:  # noqa: N802
    """Make a ctypes object that processes share, with a lock unless `lock` is False."""
    return _guarded(RawValue(typecode_or_type, *args), lock)


def Array(  # noqa: N802
    typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True, ctx: object = None
) -> Any:
    """Make a ctypes array that processes share, with a lock unless `lock` is False."""
    return _guarded(RawArray(typecode_or_type, size_or_initializer), lock)


def copy(obj: Any) -> Any:
    """Make a copy of a ctypes object that processes share."""
    made = _new(type(obj))
    ctypes.pointer(made)[0] = obj
    return made


def synchronized(obj: Any, lock: Any = None, ctx: object = None) -> Any:
    """Guard a ctypes object by a lock."""
    plain = _library.synchronized(obj, lock or RLock(), ctx)
    plain.__class__ = _travelling(type(plain))
    return plain


def _guarded(obj: Any, lock: Any) -> Any:
    if lock is False:
        return obj
    if lock in (True, None):
        lock = RLock()
    if not hasattr(lock, "acquire"):
        raise AttributeError(f"{lock!r} has no method 'acquire'")
    return synchronized(obj, lock)


def _travelling(wrapper: type) -> type:
    """The standard library's wrapper, made to travel not only to a process that is being started."""
    if wrapper not in _wrappers:
        _wrappers[wrapper] = type(wrapper.__name__, (wrapper,), {"__reduce__": _reduce_guarded})
    return _wrappers[wrapper]


def _reduce_guarded(guarded: Any) -> tuple[Any, ...]:
    return synchronized, (_Raw(guarded.get_obj()), guarded.get_lock())


class _Raw:
    """A ctypes object as it travels, whichever way it is pickled."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduce(self._obj)


def _new(kind: Any) -> Any:
    return _over(kind, _core.SharedArray(None, "", (max(ctypes.sizeof(kind), 1),), "B"), None)


def _over(kind: Any, memory: _core.SharedArray, length: int | None) -> Any:
    """The ctypes object of that type in the memory."""
    if length is not None:
        kind = kind * length
    ForkingPickler.register(kind, _reduce)
    made = kind.from_buffer(memory)
    made._wrapper = memory
    return made


def _reduce(obj: Any) -> tuple[Any, ...]:
    """By the memory it lies in; by value what does not lie in any that is shared."""
    memory = getattr(obj, "_wrapper", None)
    if memory is None:
        reduced: tuple[Any, ...] = obj.__reduce__()
        return reduced
    if isinstance(obj, ctypes.Array):
        return _over, (obj._type_, memory, obj._length_)
    return _over, (type(obj), memory, None)


def __getattr__(name: str) -> Any:
    """Give what else the standard library's module has."""
    return getattr(library, name)
