"""CPython's _test_multiprocessing, with what our processes share: locks, queues, pipes, values, managers.

Children import this module, too, since the tests are classes of it.
"""

import unittest

import substitute

if substitute.is_wanted():
    substitute.multiprocessing()
    substitute.insides()

from test import _test_multiprocessing as suite

suite.install_tests_in_module_dict(globals(), "spawn")

#: What processes use together.
CLASSES = [
    "OtherTest",
    "TestIgnoreEINTR",
    "TestInvalidHandle",
    "TestSimpleQueue",
    "TestSyncManagerTypes",
    "TestTimeouts",
    "WithManagerTestBarrier",
    "WithManagerTestCondition",
    "WithManagerTestContainers",
    "WithManagerTestEvent",
    "WithManagerTestLock",
    "WithManagerTestManagerRestart",
    "WithManagerTestMyManager",
    "WithManagerTestPool",
    "WithManagerTestQueue",
    "WithManagerTestRemoteManager",
    "WithManagerTestSemaphore",
    "WithProcessesTestArray",
    "WithProcessesTestBarrier",
    "WithProcessesTestCondition",
    "WithProcessesTestConnection",
    "WithProcessesTestEvent",
    "WithProcessesTestFinalize",
    "WithProcessesTestHeap",
    "WithProcessesTestListener",
    "WithProcessesTestListenerClient",
    "WithProcessesTestLock",
    "WithProcessesTestPoll",
    "WithProcessesTestPollEintr",
    "WithProcessesTestQueue",
    "WithProcessesTestSemaphore",
    "WithProcessesTestSharedCTypes",
    "WithProcessesTestSharedMemory",
    "WithProcessesTestValue",
]


def load() -> dict[str, type[unittest.TestCase]]:
    """The suite's classes by name."""
    substitute.scripts("import substitute; substitute.multiprocessing()")
    return {name: globals()[name] for name in CLASSES}
