"""`anyplace.Stored`: a value that a place keeps, for tasks to look at without being sent it."""

from __future__ import annotations

import _pickle as pickle  # the rest of `pickle` takes longer to import than a worker to start
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: A pickle and its large parts, which may be memory that processes share.
_Parts = tuple[Any, list[Any]]


class Stored(Generic[T]):
    """A value that was put into a place: see `Place.put`.

    Give it to tasks, alone or inside other values: where workers share memory with the caller, only its
    address travels, however large it is. It is kept until nobody holds it or an array of it, here or in the
    workers. Elsewhere, and in other places than the one it was put into, it travels by copy.
    """

    __module__ = "anyplace"
    __slots__ = ("__weakref__", "_parts", "_value")

    _parts: _Parts | None
    _value: T

    def __init__(self) -> None:
        """Refuse: places make them."""
        raise TypeError("`anyplace.Stored` is what `Place.put` gives")

    def get(self, *, writable: bool = False) -> T:
        """Give the value.

        The arrays of a value from ``processes:`` lie where they were put, and `get` copies none of them;
        other objects are made anew at each call. Where tasks run in this process it is what was put.

        Parameters
        ----------
        writable : bool, default False
            Give arrays that can be written, in place: whoever holds the stored value sees it, and you have to
            keep tasks from writing at once. Else writing into them raises ValueError.

        Returns
        -------
        object
            What was put.

        Examples
        --------
        >>> import anyplace
        >>> with anyplace.open("threads:2") as place:
        ...     table = place.put([10, 20, 30])
        ...     list(place.map(lambda at: table.get()[at], range(3)))
        [10, 20, 30]
        """
        if self._parts is None:
            return self._value
        data, large = self._parts
        buffers = large if writable else [memoryview(part).toreadonly() for part in large]
        return pickle.loads(data, buffers=buffers)  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Let its parts stay where they are, if whoever pickles it takes buffers apart."""
        if self._parts is None:
            return here, (self._value,)
        data, large = self._parts
        if protocol < 5:
            return kept, (bytes(data), [bytearray(part) for part in large])
        return kept, (pickle.PickleBuffer(data), [pickle.PickleBuffer(part) for part in large])

    def __repr__(self) -> str:
        """Tell how large it is, or what it is."""
        if self._parts is None:
            return f"<anyplace.Stored {type(self._value).__qualname__}>"
        data, large = self._parts
        return f"<anyplace.Stored {sum(map(len, [data, *large]))} bytes>"


def here(value: T) -> Stored[T]:
    """A value that stays in its process."""
    stored: Stored[T] = Stored.__new__(Stored)
    stored._parts, stored._value = None, value
    return stored


def kept(data: Any, large: list[Any]) -> Stored[Any]:
    """A value as its pickle, in whatever holds bytes."""
    stored: Stored[Any] = Stored.__new__(Stored)
    stored._parts = data, large
    return stored
