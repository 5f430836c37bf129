"""Log records of workers come to the caller's process, in the order in which each worker made them.

A worker logs by the levels that the caller had when it opened the place; the caller's loggers and handlers
then treat a record as if it had been made there. ``%(processName)s`` tells which worker made it.
"""

from __future__ import annotations

import copy
import logging
import pickle
from collections.abc import Callable

#: The attributes every record has; others came by `extra` and may be anything.
_OWN = frozenset(vars(logging.makeLogRecord({})))


def relay(send: Callable[[bytes], None], levels: dict[str, int]) -> None:
    """In a worker: sends all records through `send`, by these levels."""
    for name, level in levels.items():
        logging.getLogger(name or None).setLevel(level)
    logging.root.addHandler(_Relay(send))


def handle(data: bytes) -> None:
    """In the caller's process: treats a worker's record as one of its own."""
    record = logging.makeLogRecord(pickle.loads(data))
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


class _Relay(logging.Handler):
    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._send(_dumped(record, self.format(record)))
        except Exception:
            self.handleError(record)


def _dumped(record: logging.LogRecord, message: str) -> bytes:
    record = copy.copy(record)
    # As QueueHandler does: the text is complete, and what may not travel is in it.
    record.msg, record.message, record.args = message, message, None
    record.exc_info = record.exc_text = record.stack_info = None
    record.processName = f"anyplace-{_worker()}"
    values = vars(record)
    try:
        return pickle.dumps(values)
    except Exception:
        return pickle.dumps({name: value if name in _OWN else repr(value) for name, value in values.items()})


def _worker() -> str:
    from . import current

    try:
        return f"worker-{current().worker}"
    except LookupError:  # no task runs: it is said while the worker starts
        return "worker"
