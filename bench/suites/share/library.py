"""`threading` and `multiprocessing`, theirs and ours, as one thing: names that all have, a way to start."""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True)
class Library:
    """A module with locks and the like, for threads or for processes."""

    module: Any
    has_threads: bool = False

    def __getattr__(self, name: str) -> Any:
        """Give what the module has."""
        return getattr(self.module, name)

    def start(self, function: Callable[..., object], *arguments: Any) -> Any:
        """Let another thread or process call the function; it ends with this program at the latest."""
        kind = self.module.Thread if self.has_threads else self.module.Process
        started = kind(target=function, args=arguments, daemon=True)
        started.start()
        return started

    @contextmanager
    def beside(self, function: Callable[..., object], *arguments: Any) -> Iterator[None]:
        """Let another one call a function that never returns, for as long as the block.

        A thread goes on waiting. A process has to end: it would wait at memory that the next queue is given.
        """
        started = self.start(function, *arguments)
        yield
        if not self.has_threads:
            started.kill()
            started.join()

    def cell(self) -> Any:
        """Give something whose `value` both sides see, without a lock of its own."""
        return SimpleNamespace(value=0) if self.has_threads else self.module.Value("i", 0, lock=False)


def threads(module: str) -> Library:
    """Take a module with the names of `threading`."""
    return Library(importlib.import_module(module), has_threads=True)


def ours() -> Library:
    """Take our `multiprocessing`."""
    return Library(importlib.import_module("anyplace.multiprocessing"))


def standard() -> Library:
    """Take the standard library's, whose processes are made by fork: its fastest way."""
    return Library(multiprocessing.get_context("fork"))
