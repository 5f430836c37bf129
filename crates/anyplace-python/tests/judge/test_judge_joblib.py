"""joblib's own test_parallel judges our backend, beside and in the place of joblib's."""

import ast

import pytest
from court import FAILED, PASSED, SKIPPED, Suite, Verdict, run

CODES = {"passed": PASSED, "skipped": SKIPPED}
#: All of them together; a single one that hangs is ended by a limit of its own.
LIMIT_S = 240


class Joblib(Suite):
    """One process runs all tests: each takes less time than it takes to load them."""

    def load(self) -> list[str]:
        return list(endings("--list"))

    def judge(self) -> dict[str, Verdict]:
        return {name: Verdict(CODES.get(end, FAILED), said) for name, (end, said) in endings().items()}


def endings(*arguments: str) -> dict[str, tuple[str, str]]:
    verdict = run("joblib_parallel.py", *arguments, limit=LIMIT_S)
    if verdict.code != PASSED:
        pytest.exit(f"joblib's tests do not run:\n{verdict.text}", returncode=1)
    lines = [line.split(" ", 3) for line in verdict.text.splitlines() if line.startswith("=> ")]
    return {name: (end, ast.literal_eval(said)) for _, end, name, said in lines}


SUITE = Joblib("joblib", at_once=1)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    return SUITE.judge()


@pytest.mark.parametrize("name", SUITE.names)
def test_judges(name: str, verdicts: dict[str, Verdict]) -> None:
    """What joblib's backends do, ours does; what is listed, it does not."""
    SUITE.check(name, verdicts[name])


def test_every_listed_test_exists() -> None:
    SUITE.check_list()
