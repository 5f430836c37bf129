"""Our condition with what CPython's tests know of CPython's; nothing of this is the product's."""

from __future__ import annotations

from anyplace.multiprocessing import synchronize


class Condition(synchronize.Condition):
    """A condition whose sleepers can be counted as CPython's can."""

    @property
    def _sleeping_count(self) -> Count:
        return Count(self.n_waiting)

    @property
    def _woken_count(self) -> Count:
        return Count(0)

    _wait_semaphore = _woken_count


class Count:
    """What looks like a semaphore of so many permits."""

    def __init__(self, number: int) -> None:
        self._number = number

    def get_value(self) -> int:
        return self._number
