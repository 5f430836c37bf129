"""CPython's own test_socket and test_socketserver judge our sockets, in the place of its own."""

import pytest
from court import Suite, Verdict, provide

provide("test.test_socket")
#: The tests mostly wait for each other's threads.
SUITE = Suite("sockets", at_once=4)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    return SUITE.judge()


@pytest.mark.parametrize("name", SUITE.names)
def test_judges(name: str, verdicts: dict[str, Verdict]) -> None:
    """What CPython's sockets and servers do, ours do; what is listed, they do not."""
    SUITE.check(name, verdicts[name])


def test_every_listed_test_exists() -> None:
    SUITE.check_list()
