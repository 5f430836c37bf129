"""CPython's own test_queue judges our queues, in the place of its own."""

import pytest
from court import Suite, Verdict, provide

provide("test.test_queue")
#: The tests mostly sleep.
SUITE = Suite("queues", at_once=2)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    return SUITE.judge()


@pytest.mark.parametrize("name", SUITE.names)
def test_judges(name: str, verdicts: dict[str, Verdict]) -> None:
    """What CPython's queues do, ours do; what is listed, they do not."""
    SUITE.check(name, verdicts[name])


def test_every_listed_test_exists() -> None:
    SUITE.check_list()
