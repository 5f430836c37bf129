"""`Array`: numbers side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyplace import _core

if TYPE_CHECKING:
    import numpy

#: What `struct` calls the types that numpy knows by these names.
_FORMATS = {
    "bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
    "int64": "q", "uint64": "Q", "float16": "e", "float32": "f", "float64": "d",
}  # fmt: skip


class Array(_core.SharedArray):
    """Numbers in memory that all who have the array see; zero at first.

    It is a buffer: ``numpy.asarray(array)`` and ``memoryview(array)`` copy nothing. Nobody keeps two from
    writing at once: that is for a lock.

    Parameters
    ----------
    place, name
        As for `Lock`.
    shape : int or tuple of int
        How many numbers.
    dtype : str, default "float64"
        Their type, as numpy names it.

    Examples
    --------
    >>> import anyplace
    >>> with anyplace.open("threads:2") as place:
    ...     sums = place.array("sums", 3, dtype="int64")
    ...     sums[1] = 7
    ...     memoryview(sums).tolist()
    [0, 7, 0]
    """

    __module__ = "anyplace.share"
    __slots__ = ()

    def __new__(
        cls,
        place: _core.Place | None = None,
        name: str = "",
        shape: int | tuple[int, ...] = 0,
        dtype: Any = "float64",
    ) -> Array:
        """Make or find it."""
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        return super().__new__(cls, place, name, sizes, _format(dtype))

    def numpy(self) -> numpy.ndarray[Any, Any]:
        """Give the array as numpy's; it is the same memory."""
        import numpy

        return numpy.asarray(self)


def _format(dtype: Any) -> str:
    name = str(getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype))
    name = {"int": "int64", "float": "float64"}.get(name, name)
    if name not in _FORMATS:
        raise ValueError(f"an array holds numbers of {', '.join(_FORMATS)}, and none of {name!r}")
    return _FORMATS[name]
