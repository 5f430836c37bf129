"""How the structures and arrays of ctypes that a script defines travel by value.

Their fields are descriptors that cannot be pickled, and need not be: whoever sets ``_fields_`` makes them.
"""

from __future__ import annotations

import operator
import sys
from typing import Any


def is_one(kind: Any) -> bool:
    """Whether it is a class of ctypes' structures, unions or arrays."""
    ctypes = sys.modules.get("ctypes")
    return ctypes is not None and issubclass(kind, (ctypes.Structure, ctypes.Union, ctypes.Array))


def reduce(kind: Any, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """What cloudpickle makes of such a class, without what makes itself."""
    import ctypes

    if issubclass(kind, ctypes.Array):
        return operator.mul, (kind._type_, kind._length_)
    make, (_, *arguments), (attributes, slots), *rest = reduced
    kept = {name: value for name, value in attributes.items() if type(value).__name__ != "CField"}
    if "_fields_" in kept:
        # After what says how they lie, such as `_pack_`.
        kept["_fields_"] = kept.pop("_fields_")
    # Its bases know the metaclass, which no module has.
    return make, (type, *arguments), (kept, slots), *rest
