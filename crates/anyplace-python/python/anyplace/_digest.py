"""Digests of code: the same for the same code in every process, file and line."""

from __future__ import annotations

from types import CodeType

try:
    # What `hashlib` gives; but that loads OpenSSL first, which takes longer than a worker takes to start.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: By code. Remembering is safe: code objects never change; they are kept, so that none takes another's place.
_known: dict[CodeType, str] = {}
_MOST = 4096


def digest(code: CodeType) -> str:
    """A digest of what the code does."""
    known = _known.get(code)
    if known is None:
        if len(_known) >= _MOST:
            _known.clear()
        known = _known[code] = _digest(code)
    return known


def blake(data: bytes) -> bytes:
    """A digest of the bytes, 16 bytes long."""
    return blake2b(data, digest_size=16).digest()


def _digest(code: CodeType) -> str:
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    constants = [_stable(constant) for constant in code.co_consts]
    return blake(repr((code.co_code, names, shape, constants)).encode()).hex()


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
