"""CPython's test_concurrent_futures, with our executors."""

import importlib
import pkgutil
import unittest

import substitute


def load() -> dict[str, type[unittest.TestCase]]:
    """The suite's classes by name. Of those for processes one start method is enough: ours has only one."""
    if substitute.is_wanted():
        substitute.executors()
    substitute.scripts("import substitute; substitute.executors()")
    suite = importlib.import_module("test.test_concurrent_futures")
    names = [module.name for module in pkgutil.iter_modules(getattr(suite, "__path__", []))]
    parts = [
        importlib.import_module(f"{suite.__name__}.{name}") for name in names if name.startswith("test_")
    ]
    found = {name: value for part in parts or [suite] for name, value in vars(part).items() if is_case(value)}
    return {name: case for name, case in found.items() if getattr(case, "ctx", "spawn") == "spawn"}


def is_case(value: object) -> bool:
    # Tests of `Future` alone have no executor: they would only judge CPython.
    return (
        isinstance(value, type) and issubclass(value, unittest.TestCase) and hasattr(value, "executor_type")
    )
