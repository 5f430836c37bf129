"""Turns functions, arguments and results into bytes and back.

A function that can be imported travels as its name, with the versions of the modules it leans on (see
`_source`); any other (of ``__main__`` or a notebook, a lambda, a closure, one defined inside another) travels
by value, with cloudpickle. Each dump looks at the function as it is now, so that edited functions and today's
values of a closure are what runs; the compiled part uses one again while `_guards` can show that nothing has
changed. The engine tells functions apart by a hash of these bytes and sends each only once.
"""

from __future__ import annotations

import _pickle as pickle  # all of `pickle` that is used here; the rest of it takes longer to import than this
import io
import sys
from types import FunctionType, ModuleType

from . import _main

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._errors import NotSerializable
    from ._guards import Leaning

PROTOCOL = 5

#: Names of modules that mean another thing in a worker: what they define has to travel by value.
_ELSEWHERE = (b"__main__", b"__mp_main__")

#: Pickled as any object, these would only bring the number of a descriptor of this process, and a copy of a
#: ctypes object that processes share.
_REDUCED = (b"multiprocessing.connection", b"_ctypes")

#: What connects while it is read, with multiprocessing's key of this process: proxies of its managers, and
#: descriptors that it hands over.
_CONNECTING = (b"multiprocessing.managers", b"multiprocessing.resource_sharer")

#: What `dump` has to look into; the compiled part takes all other pickles as they are.
SUSPECTS = (*_ELSEWHERE, *_REDUCED, *_CONNECTING)

_NAMED = (FunctionType, type, ModuleType)


def dump_function(function: Any) -> tuple[bytes, str, Leaning | None]:
    """The bytes that make the function in a worker, the name that errors show, and from what they were made.

    Raises `anyplace.NotSerializable`, which names what cannot travel.
    """
    name = name_of(function)
    try:
        data, leaning = _dump_function(function)
    except Exception as error:
        raise not_serializable(function, "fn", error) from error
    return data, name, leaning


def load_function(data: bytes) -> tuple[Any, bool]:
    """The function of these bytes, and whether modules or variables were loaded again for it.

    They are if the caller has another version of them; then functions loaded before may be of the old ones.
    """
    versions, body = pickle.loads(data)
    was_reloaded = False
    if versions:
        from . import _source

        was_reloaded = _source.bring_up_to_date(versions)
    before = _main.changes()
    function = pickle.loads(body)
    return function, was_reloaded or _main.changes() != before


def dump_arguments(args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> bytes:
    """The bytes of one call's arguments: of the plain tuple if there are no keywords.

    As for items and results, the compiled part calls this for what it cannot do by itself.
    """
    try:
        return dump(Arguments(args, kwargs) if kwargs else args)
    except Exception as error:
        raise _bad_arguments(args, kwargs or {}, error) from error


def dump_both(arguments: Arguments) -> bytes:
    """As `dump_arguments`."""
    return dump_arguments(arguments.args, arguments.kwargs)


def dump_item(args: tuple[Any, ...]) -> bytes:
    """As `dump_arguments`, for an item of a chunk.

    One that cannot travel raises where it is read, so that only this item fails.
    """
    try:
        return dump_arguments(args)
    except Exception as error:
        return pickle.dumps(_Refused(error), PROTOCOL)


class _Refused:
    """An error in the place of the arguments that it is about."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse, (self.error,)


def _refuse(error: Exception) -> None:
    raise error


def dump_result(value: Any) -> bytes:
    """The bytes of what a task returned."""
    try:
        return dump(value, is_result=True)
    except Exception as error:
        refused = not_serializable(value, "result", error)
        # The work is done; done again it would be done twice.
        refused.retry = "may repeat"
        raise refused from error


def dump_put(value: Any) -> bytes:
    """The bytes of a value that is put into a place."""
    try:
        return dump(value)
    except Exception as error:
        raise not_serializable(value, "value", error) from error


def dump_key(value: Any) -> bytes:
    """The bytes of a key of a shared dict: equal keys have the same, whoever made them."""
    try:
        file = io.BytesIO()
        pickler = pickle.Pickler(file, PROTOCOL)
        # It tells twice what is there twice: else equal texts would be other bytes than one text twice.
        pickler.fast = True
        pickler.dump(_Sorted(value) if type(value) is frozenset else value)
        data = file.getvalue()
    except Exception as error:
        raise not_serializable(value, "key", error) from error
    return dump(value) if any(name in data for name in SUSPECTS) else data


class _Sorted:
    """A frozenset as it travels: in an order that does not depend on the process."""

    def __init__(self, values: frozenset[Any]) -> None:
        self._values = sorted(values, key=dump_key)

    def __reduce__(self) -> tuple[Any, ...]:
        return frozenset, (self._values,)


def unreadable(error: BaseException) -> BaseException:
    """What is raised for a result that cannot be read, or that exits when it is read."""
    message = f"the result cannot be unpickled: {type(error).__name__}: {error}"
    told = _error(message, "what the worker pickled must be importable here, too")
    told.__cause__ = error
    return told


def dump(value: Any, is_result: bool = False) -> bytes:
    """Pickles by name where a worker can import it, and by value what else there is."""
    try:
        data = pickle.dumps(value, PROTOCOL)
    except Exception:
        data = _dump_by_value(value, is_result)
    else:
        # The name may just as well be a string in the data: then cloudpickle gives the same, only slower.
        if any(name in data for name in (*_ELSEWHERE, *_REDUCED)):
            data = _dump_by_value(value, is_result)
    # A result goes to where the key is from.
    if not is_result and any(name in data for name in _CONNECTING):
        return pickle.dumps(_Authorised(data), PROTOCOL)
    return data


class _Authorised:
    """A pickle that is only read by a process that has multiprocessing's key of this one."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        from multiprocessing import process

        return _load_authorised, (bytes(process.current_process().authkey), self.data)


def _load_authorised(key: bytes, data: bytes) -> Any:
    from multiprocessing import process

    process.current_process().authkey = key
    return pickle.loads(data)


class Arguments:
    """The arguments of a call with keywords, as they travel."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs

    def __reduce__(self) -> tuple[Any, ...]:
        return Arguments, (self.args, self.kwargs)


def name_of(function: Any) -> str:
    """How errors and traces call it."""
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name)


def _dump_function(function: Any) -> tuple[bytes, Leaning | None]:
    from . import _source
    from ._guards import Leaning

    body, named, by_value = _dump_and_note(function)
    versions, edited = _source.versions(named)
    leaning = None if edited else Leaning(by_value, tuple(versions))
    if edited:
        # A worker that imports these would run what is on disk, which is not what runs here.
        with _source.by_value(edited):
            body, named = _by_value(function)
        versions, _ = _source.versions([value for value in named if _source.home(value) not in edited])
    return pickle.dumps((versions, body), PROTOCOL), leaning


def _dump_and_note(function: Any) -> tuple[bytes, list[Any], bool]:
    try:
        body, named = _by_reference(function)
    except Exception:
        return *_by_value(function), True
    if any(name in body for name in _ELSEWHERE):
        return *_by_value(function), True
    return body, named, False


def _by_reference(value: Any) -> tuple[bytes, list[Any]]:
    """The pickle, with the functions and classes that are only named in it."""
    file = io.BytesIO()
    pickler = _ByReference(file, PROTOCOL)
    pickler.named = []
    pickler.dump(value)
    return file.getvalue(), pickler.named


class _ByReference(pickle.Pickler):
    named: list[Any]

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, _NAMED):
            self.named.append(value)
        return NotImplemented


def _by_value(value: Any) -> tuple[bytes, list[Any]]:
    """As `_by_reference`; what it sends by value counts as named too, which does no harm."""
    from . import _by_value as by_value

    return by_value.dump(value)


def _dump_by_value(value: Any, is_result: bool = False) -> bytes:
    from . import _by_value as by_value

    # Nobody has a connection or a socket to share that multiprocessing was not imported for.
    reduction = sys.modules.get("multiprocessing.reduction")
    reducers = vars(reduction)["ForkingPickler"]._extra_reducers if reduction else None
    return by_value.dump(value, is_result=is_result, reducers=reducers)[0]


def _bad_arguments(args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> BaseException:
    parts = [(value, f"args[{at}]") for at, value in enumerate(args)]
    parts += [(value, f"kwargs[{name!r}]") for name, value in kwargs.items()]
    for value, path in parts:
        if not can_dump(value):
            return not_serializable(value, path, error)
    return not_serializable(args, "args", error)


def can_dump(value: Any) -> bool:
    """Whether the value can travel."""
    try:
        dump(value)
    except (Exception, SystemExit):
        return False
    return True


def not_serializable(value: Any, path: str, error: Exception) -> NotSerializable:
    """The error that names the part of `value` that cannot travel."""
    from . import _culprit

    path, culprit = _culprit.find(value, path, can_dump)
    kind = type(culprit)
    # Errors of pickle often repeat the whole object: its first line says enough.
    reason = str(error).partition("\n")[0] or type(error).__name__
    message = f"`{path}` cannot be pickled: it is a `{kind.__module__}.{kind.__qualname__}` ({reason})"
    return _error(message, _help(culprit))


def _error(message: str, help: str) -> NotSerializable:
    # Not above: a worker that is never in need of it starts quicker.
    from ._errors import NotSerializable

    return NotSerializable(message, help=help)


def _help(culprit: Any) -> str:
    if isinstance(culprit, FunctionType) and culprit.__module__ in sys.modules:
        return (
            f"reload `{culprit.__module__}` if its file was edited, or define the function where it is used"
        )
    return (
        "make it inside the task, leave it out with __getstate__, or open a place in this process: threads:"
    )
