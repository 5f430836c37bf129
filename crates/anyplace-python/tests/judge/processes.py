"""CPython's _test_multiprocessing, with our `Process` and `Pool`: the parts that are about those.

Children import this module, too, since the tests are classes of it.
"""

import unittest

import substitute

if substitute.is_wanted():
    substitute.multiprocessing()

from test import _test_multiprocessing as suite

suite.install_tests_in_module_dict(globals(), "spawn")

#: What starts processes, waits for them or gives them work.
CLASSES = [
    "TestCloseFds",
    "TestFlags",
    "TestInitializers",
    "TestNoForkBomb",
    "TestPoolNotLeakOnFailure",
    "TestStdinBadfiledescriptor",
    "TestWait",
    "WithProcessesTestPicklingConnections",
    "WithProcessesTestPool",
    "WithProcessesTestPoolWorkerErrors",
    "WithProcessesTestPoolWorkerLifetime",
    "WithProcessesTestProcess",
    "WithProcessesTestSubclassingProcess",
]


def load() -> dict[str, type[unittest.TestCase]]:
    """The suite's classes by name."""
    substitute.scripts("import substitute; substitute.multiprocessing()")
    return {name: globals()[name] for name in CLASSES}
