"""A manager's lists, dicts, arrays, values and namespaces, in memory that processes share.

An operation is done as a whole: others see what was before it, or what is after it.
"""

from __future__ import annotations

import array
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from anyplace import _core

from ._proxies import Proxied

R = TypeVar("R")


class DictProxy(Proxied, _core.SharedDict[Any, Any]):
    """A manager's dict, with the methods of `dict`."""

    _shown = "DictProxy", "dict"

    def __new__(cls, *args: Any, **kwds: Any) -> DictProxy:
        """Make a new one, of what `dict` is made of."""
        made = _core.SharedDict.__new__(cls)
        made.update(dict(*args, **kwds))
        return made

    def __init__(self, *args: Any, **kwds: Any) -> None:
        """Take what `__new__` has used."""

    # As with all proxies, each is equal to itself only; `copy()` gives what can be compared.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __iter__(self) -> Iterator[Any]:
        """Give the keys; raises RuntimeError if others come or go meanwhile."""
        return self._walk(self.keys())

    def _walk(self, keys: list[Any]) -> Iterator[Any]:
        for key in keys:
            if len(self) != len(keys):
                raise RuntimeError("dictionary changed size during iteration")
            yield key

    def copy(self) -> dict[Any, Any]:
        """Give a dict of this process with the same content."""
        return dict(self.items())

    _getvalue = copy

    def __or__(self, other: Any) -> dict[Any, Any]:
        """Give a dict with what is in either."""
        return self.copy() | dict(other)

    def __ror__(self, other: Any) -> dict[Any, Any]:
        """Give a dict with what is in either."""
        return dict(other) | self.copy()

    def __ior__(self, other: Any) -> DictProxy:
        """Take over what is in the other."""
        self.update(other)
        return self

    def __str__(self) -> str:
        """Show the content."""
        return str(self.copy())

    def __deepcopy__(self, memo: Any) -> dict[Any, Any]:
        """Give a dict of this process."""
        return self.copy()


class ListProxy(Proxied):
    """A manager's list, with the methods of `list`.

    Items at the end are put and taken one by one; what moves others rewrites those.

    Parameters
    ----------
    iterable : iterable, default ()
        What is in it at first.
    """

    __slots__ = ("__weakref__", "_items", "_lock")
    _shown = "ListProxy", "list"

    def __init__(self, iterable: Iterable[Any] = ()) -> None:
        self._items: _core.SharedDict[int, Any] = _core.SharedDict()
        self._lock = _core.SharedRLock()
        self._items.update(dict(enumerate(iterable)))

    def _getvalue(self) -> list[Any]:
        """A list of this process with the same content."""
        with self._lock:
            pairs = self._items.items()
        return [value for _, value in sorted(pairs, key=operator.itemgetter(0))]

    def _change(self, change: Callable[[list[Any]], R]) -> R:
        """Does to the content what is done to a list of it."""
        with self._lock:
            before = self._getvalue()
            after = before[:]
            result = change(after)
            self._rewrite(before, after)
        return result

    def _rewrite(self, before: list[Any], after: list[Any]) -> None:
        kept = len(before)
        changed = {at: item for at, item in enumerate(after) if at >= kept or item is not before[at]}
        self._items.update(changed)
        for at in range(len(after), kept):
            del self._items[at]

    def _at(self, index: Any) -> int:
        """The index counted from the front. The lock must be held."""
        at, length = operator.index(index), len(self._items)
        at += length if at < 0 else 0
        if not 0 <= at < length:
            raise IndexError("list index out of range")
        return at

    def __getitem__(self, index: Any) -> Any:
        """Give an item, or a list of a slice."""
        if isinstance(index, slice):
            return self._getvalue()[index]
        if type(index) is int and index >= 0:
            try:
                return self._items[index]
            except KeyError:
                raise IndexError("list index out of range") from None
        with self._lock:
            return self._items[self._at(index)]

    def __setitem__(self, index: Any, value: Any) -> None:
        """Put another item, or others in the place of a slice."""
        if isinstance(index, slice):
            return self._change(lambda items: operator.setitem(items, index, value))
        with self._lock:
            self._items[self._at(index)] = value

    def __delitem__(self, index: Any) -> None:
        """Take an item, or a slice, out."""
        self._change(lambda items: operator.delitem(items, index))

    def __len__(self) -> int:
        """Tell how many items there are."""
        return len(self._items)

    def __contains__(self, value: Any) -> bool:
        """Tell whether an item is equal to this."""
        return value in self._getvalue()

    def __reversed__(self) -> Iterator[Any]:
        """Give the items from the last to the first."""
        return iter(self._getvalue()[::-1])

    def __add__(self, other: list[Any]) -> list[Any]:
        """Give a list of both."""
        return self._getvalue() + other

    def __mul__(self, times: int) -> list[Any]:
        """Give a list of so many copies."""
        return self._getvalue() * times

    __rmul__ = __mul__

    def __iadd__(self, other: Iterable[Any]) -> ListProxy:
        """Put items at the end."""
        self.extend(other)
        return self

    def __imul__(self, times: int) -> ListProxy:
        """Repeat the content."""
        self._change(lambda items: items.extend(items * (times - 1)) if times > 0 else items.clear())
        return self

    def append(self, value: Any, /) -> None:
        """Put an item at the end."""
        with self._lock:
            self._items[len(self._items)] = value

    def extend(self, values: Iterable[Any], /) -> None:
        """Put items at the end."""
        more = list(values)
        with self._lock:
            self._items.update(dict(enumerate(more, len(self._items))))

    def pop(self, index: int = -1, /) -> Any:
        """Take an item out, and give it."""
        with self._lock:
            if not len(self._items):
                raise IndexError("pop from empty list")
            if index in (-1, len(self._items) - 1):
                return self._items.pop(len(self._items) - 1)
            return self._change(lambda items: items.pop(index))

    def insert(self, index: int, value: Any, /) -> None:
        """Put an item before that of the index."""
        self._change(lambda items: items.insert(index, value))

    def remove(self, value: Any, /) -> None:
        """Take out the first item that is equal to this."""
        self._change(lambda items: items.remove(value))

    def clear(self) -> None:
        """Take all items out."""
        with self._lock:
            self._items.clear()

    def copy(self) -> list[Any]:
        """Give a list of this process with the same content."""
        return self._getvalue()

    def count(self, value: Any, /) -> int:
        """Tell how many items are equal to this."""
        return self._getvalue().count(value)

    def index(self, value: Any, /, *bounds: int) -> int:
        """Tell where the first item is that is equal to this."""
        return self._getvalue().index(value, *bounds)

    def reverse(self) -> None:
        """Turn the order around."""
        self._change(list.reverse)

    def sort(self, *, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sort the items."""
        self._change(lambda items: items.sort(key=key, reverse=reverse))

    def __str__(self) -> str:
        """Show the content."""
        return str(self._getvalue())

    def __deepcopy__(self, memo: Any) -> list[Any]:
        """Give a list of this process."""
        return self._getvalue()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as what it lies in."""
        return _list, (type(self), self._items, self._lock)


def _list(kind: type[ListProxy], items: _core.SharedDict[int, Any], lock: _core.SharedRLock) -> ListProxy:
    made = kind.__new__(kind)
    made._items, made._lock = items, lock
    return made


class ArrayProxy(Proxied):
    """A manager's array: numbers of one type, with the methods that the standard library's has.

    Parameters
    ----------
    typecode : str
        Their type, as `array.array` names it.
    sequence : iterable
        The numbers.
    """

    __slots__ = ("__weakref__", "_list", "_typecode")
    _shown = "ArrayProxy", "Array"

    def __init__(self, typecode: str, sequence: Iterable[Any], lock: bool = True) -> None:
        self._typecode = typecode
        self._list = ListProxy(array.array(typecode, sequence))

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self._list)

    def __getitem__(self, index: Any) -> Any:
        """Give a number, or an `array.array` of a slice."""
        found = self._list[index]
        return array.array(self._typecode, found) if isinstance(index, slice) else found

    def __setitem__(self, index: Any, value: Any) -> None:
        """Put another number, or others in the place of a slice."""
        values = array.array(self._typecode, value if isinstance(index, slice) else [value])
        self._list[index] = values if isinstance(index, slice) else values[0]

    def _getvalue(self) -> array.array[Any]:
        return array.array(self._typecode, self._list[:])

    def __str__(self) -> str:
        """Show the content."""
        return str(self._getvalue())

    def __deepcopy__(self, memo: Any) -> array.array[Any]:
        """Give an array of this process."""
        return self._getvalue()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the list that it lies in."""
        return _array, (self._typecode, self._list)


def _array(typecode: str, items: ListProxy) -> ArrayProxy:
    made = ArrayProxy.__new__(ArrayProxy)
    made._typecode, made._list = typecode, items
    return made


class ValueProxy(Proxied):
    """A manager's value, of any type.

    Parameters
    ----------
    typecode : object
        Shown, and not looked at, as in the standard library.
    value : object
        What it is at first.
    """

    __slots__ = ("__weakref__", "_kept", "_typecode")
    _shown = "ValueProxy", "Value"

    def __init__(self, typecode: Any, value: Any, lock: bool = True) -> None:
        self._typecode = typecode
        self._kept: _core.SharedDict[int, Any] = _core.SharedDict()
        self._kept[0] = value

    def get(self) -> Any:
        """Give the value."""
        return self._kept[0]

    def set(self, value: Any) -> None:
        """Put another in its place."""
        self._kept[0] = value

    value = property(get, set, doc="The value.")

    _getvalue = get

    def __str__(self) -> str:
        """Show the value."""
        return f"Value({self._typecode!r}, {self.get()!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as what it lies in."""
        return _value, (self._typecode, self._kept)


def _value(typecode: Any, kept: _core.SharedDict[int, Any]) -> ValueProxy:
    made = ValueProxy.__new__(ValueProxy)
    made._typecode, made._kept = typecode, kept
    return made


class NamespaceProxy(Proxied):
    """A manager's namespace: attributes that processes share, but for those that begin with an underscore.

    Parameters
    ----------
    **values
        What is in it at first.
    """

    _shown = "NamespaceProxy", "Namespace"

    def __init__(self, /, **values: Any) -> None:
        self._values: _core.SharedDict[str, Any] = _core.SharedDict()
        self._values.update(values)

    def __getattr__(self, name: str) -> Any:
        """Give the value of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"'Namespace' object has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Share a value under that name."""
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self._values[name] = value

    def __delattr__(self, name: str) -> None:
        """Take the value away."""
        if name.startswith("_"):
            return object.__delattr__(self, name)
        try:
            del self._values[name]
        except KeyError:
            raise AttributeError(f"'Namespace' object has no attribute {name!r}") from None

    def __str__(self) -> str:
        """Show the content."""
        shown = sorted(f"{name}={value!r}" for name, value in self._values.items())
        return f"Namespace({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the dict that it lies in."""
        return _namespace, (self._values,)


def _namespace(values: _core.SharedDict[str, Any]) -> NamespaceProxy:
    made = NamespaceProxy.__new__(NamespaceProxy)
    made._values = values
    return made
