"""THE cases: what a guilty task does, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import guilt


@dataclass(frozen=True)
class Case:
    """A guilty task. Its argument is made where it is submitted."""

    task: Callable[[Any], Any]
    argument: Callable[[], Any] = lambda: None
    #: The seconds that the task may run, for a pool that can be told so.
    limit: float | None = None


CASES = {
    "segfault": Case(guilt.segfault),
    "SIGKILL": Case(guilt.kill_oneself),
    "os._exit": Case(guilt.exit_at_once),
    "sys.exit": Case(guilt.exit_politely),
    "endless (limit 1 s)": Case(guilt.never_end, limit=1.0),
    "argument does not pickle": Case(guilt.take, guilt.NeverPickles),
    "argument does not unpickle": Case(guilt.take, guilt.RefusesToBeRead),
    "os._exit while unpickling": Case(guilt.take, guilt.ExitsWhenRead),
    "result does not pickle": Case(guilt.give, lambda: guilt.NeverPickles),
    "exception does not pickle": Case(guilt.throw, lambda: guilt.NeverPicklesError),
    "result does not unpickle": Case(guilt.give, lambda: guilt.RefusesToBeRead),
    "exception does not unpickle": Case(guilt.throw, lambda: guilt.RefusesToBeReadError),
}
