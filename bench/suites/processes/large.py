"""What the workers do with large arrays: apart, so that no other measure imports numpy in workers."""

import numpy as np
from numpy.typing import NDArray

#: 100 MB of doubles.
DOUBLES = 12_500_000
#: A page of memory holds so many.
PAGE = 512

Array = NDArray[np.float64]


def touched(array: Array) -> float:
    """Read a number from each page: an array that nobody looks at may not be there yet."""
    return float(array[::PAGE].sum())


def made(value: float) -> Array:
    """Make 100 MB."""
    return np.full(DOUBLES, value)
