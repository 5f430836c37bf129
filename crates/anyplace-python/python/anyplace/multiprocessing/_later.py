"""Work that a thread of its own drives: results that come though nobody waits for them."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any


class Later:
    """Something that ends later. `future` tells how."""

    def __init__(self) -> None:
        self.future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def then(self, tell: Callable[[], object]) -> None:
        """Call `tell` when it ended, on the thread that ended it."""
        self.future.add_done_callback(lambda _: tell())

    def finish(self) -> None:
        """Wait until it ended."""
        concurrent.futures.wait([self.future])

    def settle(self, work: Callable[[], Any]) -> None:
        """Do the work, and tell how it ended."""
        try:
            value = work()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


def begin(work: Callable[[], Any]) -> Later:
    """Do `work` in a thread that the end of the program does not wait for."""
    later = Later()
    threading.Thread(target=later.settle, args=(work,), name="anyplace-map", daemon=True).start()
    return later
