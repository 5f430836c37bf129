"""`Value` and `Counter`: one number."""

from __future__ import annotations

from typing import Generic, TypeVar

from anyplace import _core

N = TypeVar("N", bool, int, float)


class Value(_core.SharedValue[N], Generic[N]):
    """A number or a truth value that changes as a whole: no lock is needed.

    Parameters
    ----------
    place, name
        As for `Lock`.
    first : bool, int or float, default 0
        What it is at first; its type stays. An int has 64 bits.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     best = place.value("best", 0.5)
    ...     best.value = 0.75
    ...     place.value("best", 0.0).value
    0.75
    """

    __module__ = "anyplace.share"
    __slots__ = ()


class Counter(_core.SharedValue[int]):
    """A number that many add to.

    Parameters
    ----------
    place, name
        As for `Lock`.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     hits = place.counter("hits")
    ...     _ = list(place.map(hits.add, [1, 2, 3]))
    ...     hits.value
    6
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    def __new__(cls, place: _core.Place | None = None, name: str = "") -> Counter:
        """Make or find it."""
        return super().__new__(cls, place, name, 0)
