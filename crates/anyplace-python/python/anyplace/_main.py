"""The script's module, ``__main__``, in the processes that work for it.

A worker does not run the script, so it has no ``__main__`` to find the script's functions and variables in.
It gets them with the work: each call brings the variables that its function needs, apart from each other and
by name (see `_by_value`), and they become a module here. A variable is set when it comes for the first time,
and again when the caller has changed it since; in between it is the worker's own. So what an initializer sets
in a global variable is there for all calls, as if the worker had run the script, and an edited function is
what runs.
"""

from __future__ import annotations

import _pickle as pickle  # the rest of `pickle` takes longer to import than a worker to start
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: What came last under each name, as a digest of its bytes.
_given: dict[str, bytes] = {}

#: The module that this program was started with, once it works for another.
_before: list[ModuleType] = []

#: How often a variable came in another form than before.
_changes = 0


def adopt() -> None:
    """Lets ``__main__`` be the caller's from here on: this process works for it and is no script itself."""
    if not _before:
        _before.append(sys.modules["__main__"])
        sys.modules["__main__"] = sys.modules["__mp_main__"] = ModuleType("__main__")


def changes() -> int:
    """How often a variable came in another form than before: what was loaded may use the old one."""
    return _changes


def variables() -> dict[str, Any]:
    """The variables of the script."""
    return vars(sys.modules["__main__"])


def variable(name: str) -> Any:
    """One of them."""
    return variables()[name]


def load(given: dict[str, bytes], body: bytes) -> Any:
    """Reads what a caller sent, after the variables of its script that are needed for it."""
    if not _before:
        return load_back(given, body)
    # Not above: many workers have no script.
    from ._digest import blake

    for name, data in given.items():
        digest = blake(data)
        if _given.get(name) != digest:
            _set(name, data)
            _given[name] = digest
    return pickle.loads(body)


def load_back(given: dict[str, bytes], body: bytes) -> Any:
    """Reads what a worker sent: what this script has stays as it is."""
    own = variables()
    for name, data in given.items():
        if name not in own:
            own[name] = pickle.loads(data)
    return pickle.loads(body)


def _set(name: str, data: bytes) -> None:
    global _changes
    _changes += name in _given
    variables()[name] = pickle.loads(data)
