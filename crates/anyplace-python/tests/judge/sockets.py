"""CPython's test_socket: what it and its helpers import is ours."""

import importlib
import unittest

import substitute


def load() -> dict[str, type[unittest.TestCase]]:
    """The suite's classes by name."""
    if substitute.is_wanted():
        substitute.sockets()
    suite = importlib.import_module("test.test_socket")
    return {name: value for name, value in vars(suite).items() if is_case(value)}


def is_case(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, unittest.TestCase)
