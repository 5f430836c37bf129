"""`Dict` and `Namespace`: values by key and by name."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, TypeVar

from anyplace import _core

K = TypeVar("K")
V = TypeVar("V")


class Dict(_core.SharedDict[K, V]):
    """A dict that threads and processes share.

    Each operation is done as a whole. Between processes keys and values travel by copy: to change a value
    that is in there, put the changed one in its place. Keys are told apart by what they are pickled as.

    Parameters
    ----------
    place, name
        As for `Lock`.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     ages = place.dict("ages")
    ...     ages["Ada"] = 36
    ...     place.dict("ages").items()
    [('Ada', 36)]
    """

    __module__ = "anyplace.share"

    __slots__ = ()


MutableMapping.register(Dict)


class Namespace:
    """Values by name, that threads and processes share: a `Dict` whose keys are attributes.

    Parameters
    ----------
    place, name
        As for `Lock`.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     settings = place.namespace("settings")
    ...     settings.depth = 3
    ...     place.namespace("settings")
    Namespace(depth=3)
    """

    __module__ = "anyplace.share"

    def __init__(self, place: _core.Place | None = None, name: str = "") -> None:
        vars(self)["_values"] = Dict(place, name)

    def __getattr__(self, name: str) -> Any:
        """Give the value of that name."""
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} in this namespace") from None

    def __setattr__(self, name: str, value: Any) -> None:
        """Share a value under that name."""
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        """Take the value away."""
        try:
            del self._values[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} in this namespace") from None

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the dict that it is."""
        return _namespace, (self._values,)

    def __repr__(self) -> str:
        """Tell what is in it."""
        try:
            inside = ", ".join(f"{name}={value!r}" for name, value in sorted(self._values.items()))
        except Exception as error:  # Debuggers show what is there whatever has become of it.
            inside = f"unreadable: {type(error).__name__}: {error}"
        return f"Namespace({inside})"


def _namespace(values: Dict[str, Any]) -> Namespace:
    made = Namespace.__new__(Namespace)
    vars(made)["_values"] = values
    return made
