"""Digests of code: the same for the same code in every process, file and line."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import CodeType
from typing import Any


@functools.lru_cache(maxsize=4096)
def digest(code: CodeType) -> str:
    """A digest of what the code does. Remembering it is safe: code objects never change."""
    from hashlib import blake2b

    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    constants = [_stable(constant) for constant in code.co_consts]
    return blake2b(repr((code.co_code, names, shape, constants)).encode(), digest_size=16).hexdigest()


def codes_of(code: CodeType) -> Iterator[CodeType]:
    """All code within this code: functions, classes, comprehensions."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_of(constant)


def _stable(constant: Any) -> str:
    """`repr`, but without the order that a set happens to have in this process."""
    if isinstance(constant, CodeType):
        return digest(constant)
    if isinstance(constant, frozenset):
        return f"{{{sorted(map(_stable, constant))}}}"
    if isinstance(constant, tuple):
        return f"({list(map(_stable, constant))})"
    return repr(constant)
