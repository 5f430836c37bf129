"""How coroutines wait for shared objects, and who they are."""

from __future__ import annotations

import asyncio

from anyplace._await import given

__all__ = ["given", "owner"]


def owner() -> int:
    """The number by which the running task owns what it acquires; no thread has it."""
    return id(asyncio.current_task()) | 1 << 63
