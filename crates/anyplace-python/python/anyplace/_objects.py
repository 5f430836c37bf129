"""Objects that stay where they are and are called from elsewhere: proxies, and what a class exposes."""

from __future__ import annotations

import inspect
import pickle
from types import AsyncGeneratorType, CoroutineType, GeneratorType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from anyplace import _core, _pickling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

_MARK = "__anyplace_exposed__"


def expose(what: T, /) -> T:
    """Let others use a method, a property, or all public ones that a class defines.

    Whoever finds an object by its name, or reaches it over a connection to another machine, may use what
    its class exposes, and nothing else. Who has created the object may use all that is public.

    Parameters
    ----------
    what : function, property or class
        What others may use. Names that begin with an underscore are never exposed.

    Returns
    -------
    function, property or class
        The same.

    Examples
    --------
    >>> import anyplace
    >>> @anyplace.expose
    ... class Greeter:
    ...     def greet(self, name):
    ...         return f"hello {name}"
    >>> with anyplace.open("threads:2") as place:
    ...     place.publish("greeter", Greeter())
    ...     place.find("greeter").greet("Bob")
    'hello Bob'
    """
    setattr(_marked(what), _MARK, True)
    return what


def _marked(what: Any) -> Any:
    """What bears the mark: the function itself, below what makes a method or a property of it."""
    if isinstance(what, property):
        return what.fget
    return getattr(what, "__func__", what)


def exposed(thing: Any) -> frozenset[str]:
    """The names that the class of an object exposes."""
    names: set[str] = set()
    for kind in reversed(type(thing).__mro__):
        whole = _MARK in vars(kind)
        for name, what in vars(kind).items():
            if name.startswith("_"):
                continue
            if (whole and _is_usable(what)) or getattr(_marked(what), _MARK, False):
                names.add(name)
            else:
                # It stands for what a class above exposes, and does not itself.
                names.discard(name)
    return frozenset(names)


def _is_usable(what: Any) -> bool:
    return isinstance(what, property) or callable(what) or callable(getattr(what, "__func__", None))


def methods(thing: Any, only: frozenset[str] | None) -> tuple[str, ...]:
    """The names of an object's methods that somebody may use."""
    names = dir(thing) if only is None else only
    return tuple(name for name in sorted(names) if not name.startswith("_") and _is_method(thing, name))


def _is_method(thing: Any, name: str) -> bool:
    what = inspect.getattr_static(thing, name, None)
    return not isinstance(what, property) and callable(getattr(what, "__func__", what))


def class_of(thing: Any) -> str:
    """What errors call an object."""
    return thing.__name__ if isinstance(thing, ModuleType) else type(thing).__qualname__


def kind(result: Any) -> int:
    """Whether a method gave values one by one (1), something to await (2), or a value (0)."""
    if isinstance(result, (GeneratorType, AsyncGeneratorType)):
        return 1
    return 2 if isinstance(result, CoroutineType) else 0


def one_by_one(values: Any) -> Iterator[Any]:
    """The values of a generator, whether it is `async` or not."""
    return _awaited_values(values) if isinstance(values, AsyncGeneratorType) else values


def _awaited_values(values: AsyncGeneratorType[Any, Any]) -> Iterator[Any]:
    from anyplace import _object_loop

    end = object()

    async def following() -> Any:
        return await anext(values, end)

    try:
        while (value := _object_loop.run(following())) is not end:
            yield value
    finally:
        _object_loop.run(_closed(values))


async def _closed(values: AsyncGeneratorType[Any, Any]) -> None:
    await values.aclose()


async def taken(values: _core.Values) -> Any:
    """The next value of a generator elsewhere, awaited."""
    from anyplace._await import given

    value = await given(values._taking())
    if value is None:
        raise StopAsyncIteration
    return value[0]


class Values:
    """The values of a generator of this process: they are taken, and awaited, as those from elsewhere."""

    __slots__ = ("_values",)

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return next(self._values)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        from anyplace._aside import aside

        value = await aside(lambda: next(self._values, _END))
        if value is _END:
            raise StopAsyncIteration
        return value


_END = object()


def finished(result: Any) -> Any:
    """What a method of this process gave; of an `async` one, what it gives in the end."""
    if isinstance(result, (GeneratorType, AsyncGeneratorType)):
        return Values(one_by_one(result))
    if not isinstance(result, CoroutineType):
        return result
    from anyplace import _object_loop

    return _object_loop.run(result)


def begin_async(coroutine: Any, tell: Callable[[Any, BaseException | None], None]) -> None:
    """Begins a coroutine; `tell` hears how it ends."""
    from anyplace import _object_loop

    _object_loop.begin(coroutine, tell)


def recipe(cls: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """What `make` makes an object of, in another process."""
    function, _, _ = _pickling.dump_function(cls)
    return pickle.dumps((function, _pickling.dump_arguments(args, kwargs)))


def make(of: bytes) -> Any:
    """The object of a recipe."""
    function, dumped = pickle.loads(of)
    cls, _ = _pickling.load_function(function)
    arguments = pickle.loads(dumped)
    if isinstance(arguments, tuple):
        return cls(*arguments)
    return cls(*arguments.args, **arguments.kwargs)


class Proxy(_core.Proxy):
    """Stands for an object, wherever it is.

    Its methods are called as the object's own, and wait for the answer. Each has ``submit``, which gives a
    `Future` that can be waited for or awaited, and ``send``, which waits for nothing. A generator method
    gives an iterator, also for ``async for``; the generator rests while nobody takes its values. Attributes
    are read and set where the object is. What a method raises is raised here, with the traceback from there.

    A proxy can be given to tasks and methods as an argument, and used by any thread. The object goes when
    nobody has a proxy of it any more, unless it is published; at the end of a ``with`` block this one lets
    it go.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     words = place.create(list, ["one"])
    ...     words.append("three")
    ...     words.pop()
    'three'
    """

    __module__ = "anyplace"

    _known: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        """Give a method, or an attribute as it is now."""
        if name.startswith("_"):
            raise AttributeError(f"{self!r} has, for others, no {name!r}")
        known = self.__dict__.get("_known")
        if known is None:
            known = self.__dict__["_known"] = frozenset(self._methods())
        if name not in known:
            return self._get(name)
        method = self.__dict__[name] = self._method(name)
        return method

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute where the object is."""
        if name.startswith("_"):
            raise AttributeError(f"{self!r} has, for others, no {name!r}")
        self._set(name, value)

    def __enter__(self) -> Self:
        """Give the proxy itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the object go."""
        self.__dict__.clear()
        self._let_go()

    def __dir__(self) -> list[str]:
        """List the methods of the object."""
        return sorted({*object.__dir__(self), *self._methods()})

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as what stands for the object in any process."""
        return Proxy, (self._sent(),)

    def __eq__(self, other: object) -> bool:
        """Tell whether both stand for the same object."""
        return isinstance(other, Proxy) and self._number == other._number

    def __hash__(self) -> int:
        """Give the same for all proxies of an object."""
        return hash(self._number)

    def __repr__(self) -> str:
        """Tell the class of the object."""
        return f"<Proxy of {self._class}>"
