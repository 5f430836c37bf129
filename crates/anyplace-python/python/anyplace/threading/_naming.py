"""How our classes name themselves."""

from __future__ import annotations


def name_of(thing: object) -> str:
    """The name of its class as the standard library writes it: ``threading.Event``."""
    cls = type(thing)
    return f"{cls.__module__.removeprefix('anyplace.')}.{cls.__qualname__}"
