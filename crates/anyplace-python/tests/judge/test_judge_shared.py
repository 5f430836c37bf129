"""CPython's own _test_multiprocessing judges what our processes share, in the place of its own."""

import pytest
from court import Suite, Verdict, provide

provide("test._test_multiprocessing")
#: Many of the tests start processes of their own.
SUITE = Suite("shared", at_once=2)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    return SUITE.judge()


@pytest.mark.parametrize("name", SUITE.names)
def test_judges(name: str, verdicts: dict[str, Verdict]) -> None:
    """What processes share by CPython they share by ours; what is listed, they do not."""
    SUITE.check(name, verdicts[name])


def test_every_listed_test_exists() -> None:
    SUITE.check_list()
