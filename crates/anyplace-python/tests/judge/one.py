"""Runs one test of a suite: ``one.py SUITE [--stdlib] CLASS.TEST``.

The suite is a module here that loads classes of tests with ours in the place of what they were written for.
``--list`` prints the names of all tests instead. ``--stdlib`` leaves CPython's own in place, to judge the
judge. The exit code is 0 if the test passed, 77 if it skipped itself, 1 if it failed or hung.
"""

import faulthandler
import importlib
import sys
import unittest

PASSED, FAILED, SKIPPED = 0, 1, 77

#: The longest test takes 7 s on an idle machine.
LIMIT_S = 25


def main(suite: str, *arguments: str) -> int:
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    import substitute

    sys.path[:0] = substitute.PATHS
    classes = importlib.import_module(suite).load()
    if "--list" in arguments:
        names = (f"{name}.{test}" for name, case in classes.items() for test in tests_of(case))
        print(*sorted(names), sep="\n")
        return PASSED
    name, test = arguments[-1].split(".")
    return run(classes[name](test))


def tests_of(case: type[unittest.TestCase]) -> list[str]:
    return unittest.TestLoader().getTestCaseNames(case)


def run(test: unittest.TestCase) -> int:
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite([test]))
    if not result.wasSuccessful():
        return FAILED
    return SKIPPED if result.skipped else PASSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
