"""Runs one test of CPython's test_concurrent_futures: ``one.py [--stdlib] CLASS.TEST``.

``--list`` prints the names of all tests instead. ``--stdlib`` leaves CPython's own executors in place, to
judge the judge. The exit code is 0 if the test passed, 77 if it skipped itself, 1 if it failed or hung.
"""

import faulthandler
import importlib
import pkgutil
import sys
import unittest

PASSED, FAILED, SKIPPED = 0, 1, 77

#: The longest test takes 7 s on an idle machine.
LIMIT_S = 25


def main(arguments: list[str]) -> int:
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    import substitute

    sys.path[:0] = substitute.PATHS
    if "--stdlib" in arguments:
        arguments.remove("--stdlib")
        substitute.scripts("")
    else:
        substitute.executors()
        substitute.scripts("import substitute; substitute.executors()")
    classes = load()
    if arguments == ["--list"]:
        print(
            *sorted(f"{name}.{test}" for name, case in classes.items() for test in tests_of(case)), sep="\n"
        )
        return PASSED
    name, test = arguments[0].split(".")
    return run(classes[name](test))


def load() -> dict[str, type[unittest.TestCase]]:
    """The suite's classes by name. Of those for processes one start method is enough: ours has only one."""
    suite = importlib.import_module("test.test_concurrent_futures")
    names = [module.name for module in pkgutil.iter_modules(getattr(suite, "__path__", []))]
    parts = [
        importlib.import_module(f"{suite.__name__}.{name}") for name in names if name.startswith("test_")
    ]
    found = {name: value for part in parts or [suite] for name, value in vars(part).items() if is_case(value)}
    return {
        name: case
        for name, case in found.items()
        if getattr(case, "ctx", "spawn") == "spawn" and tests_of(case)
    }


def is_case(value: object) -> bool:
    # Tests of `Future` alone have no executor: they would only judge CPython.
    return (
        isinstance(value, type) and issubclass(value, unittest.TestCase) and hasattr(value, "executor_type")
    )


def tests_of(case: type[unittest.TestCase]) -> list[str]:
    return unittest.TestLoader().getTestCaseNames(case)


def run(test: unittest.TestCase) -> int:
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite([test]))
    if not result.wasSuccessful():
        return FAILED
    return SKIPPED if result.skipped else PASSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
