"""Runs joblib's test_parallel with our backend: ``joblib_parallel.py [--list]``.

Only the tests that take a backend, and take ours, are run. Each line that begins with ``=>`` is how a test
ended, its name, and what it said.
"""

import sys
from pathlib import Path

import pytest

NAME = "anyplace"
#: The longest test takes 5 s on an idle machine.
LIMIT_S = 30


class Ours:
    """Keeps the tests with our backend, and tells how each ends."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if is_ours(item)]
        if "--list" in sys.argv:
            print("", *(f"=> listed {name_of(item.nodeid)} ''" for item in items), sep="\n")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            said = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
            print(f"\n=> {report.outcome} {name_of(report.nodeid)} {said!r}", flush=True)


def is_ours(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and NAME in [value for value in call.params.values() if isinstance(value, str)]


def name_of(node: str) -> str:
    return node.partition("::")[2].replace(" ", "_")


if __name__ == "__main__":
    options = ["--collect-only"] if "--list" in sys.argv else [f"--timeout={LIMIT_S}"]
    suite = Path(__file__).with_name("joblib_suite.py")
    # joblib's tests are not run by our settings: they warn of much.
    options += ["-q", "-c", "/dev/null", "-p", "no:cacheprovider", f"--rootdir={suite.parent}", str(suite)]
    sys.exit(0 if pytest.main(options, plugins=[Ours()]) in (0, 1, 5) else 1)
