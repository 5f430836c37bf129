"""CPython's test_socket and test_socketserver: what they and their helpers import is ours."""

import importlib
import re
import unittest

import substitute

#: Of these families the standard library's sockets are used; some of them hang in virtual machines.
OTHERS = re.compile("Bluetooth|CAN|ISOTP|J1939|KernelCrypto|QIPCRTR|RDS|TIPC|VSOCK")


def load() -> dict[str, type[unittest.TestCase]]:
    """The suites' classes by name."""
    if substitute.is_wanted():
        substitute.sockets()
    found = {}
    for name in "test_socket", "test_socketserver":
        suite = importlib.import_module(f"test.{name}")
        cases = {name: value for name, value in vars(suite).items() if is_judge(name, value)}
        assert not found.keys() & cases.keys(), "two classes have one name"
        found |= cases
    return found


def is_judge(name: str, value: object) -> bool:
    return isinstance(value, type) and issubclass(value, unittest.TestCase) and not OTHERS.search(name)
