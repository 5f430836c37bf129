"""CPython's test_queue, with our queues."""

import importlib
import unittest

import substitute

#: Of the suite's two copies of each class the one for the compiled module: ours is compiled, too.
COMPILED = "C"


def load() -> dict[str, type[unittest.TestCase]]:
    """The suite's classes by name."""
    suite = importlib.import_module("test.test_queue")
    cases = {name: value for name, value in vars(suite).items() if is_case(value)}
    if substitute.is_wanted():
        from anyplace import queue

        for case in cases.values():
            case.queue = queue
    return cases


def is_case(value: object) -> bool:
    if not (isinstance(value, type) and issubclass(value, unittest.TestCase)):
        return False
    return value.__name__.startswith(COMPILED)
