"""CPython's test_threading, with lock_tests: our locks are in what it imports, and under its threads."""

import importlib
import unittest

import substitute

#: They judge `threading._RLock`, CPython's lock in Python, which is nobody's replacement.
OF_CPYTHON = {"PyRLockTests"}


def load() -> dict[str, type[unittest.TestCase]]:
    """The suite's classes by name."""
    if substitute.is_wanted():
        substitute.threading()
    substitute.scripts("import substitute; substitute.threading()")
    suite = importlib.import_module("test.test_threading")
    if substitute.is_wanted():
        change_import(suite)
        change_import(suite.lock_tests)
    return {name: value for name, value in vars(suite).items() if is_case(value) and name not in OF_CPYTHON}


def change_import(module: object) -> None:
    """As if the module had said ``from anyplace import threading``."""
    module.threading = importlib.import_module("anyplace.threading")


def is_case(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, unittest.TestCase)
