"""joblib, and what stands on it, with a place as its backend; joblib's own tests are in judge."""

from __future__ import annotations

import os
from collections.abc import Iterator

import joblib
import numpy as np
import pytest

import anyplace


@pytest.fixture(autouse=True)
def backend() -> Iterator[None]:
    """Calls of joblib run in a place, with two workers."""
    anyplace.register_joblib()
    with joblib.parallel_config("anyplace", n_jobs=2):
        yield


def parallel(function, inputs, **wishes) -> list:
    return joblib.Parallel(**wishes)(joblib.delayed(function)(value) for value in inputs)


def test_calls_run_in_worker_processes() -> None:
    assert os.getpid() not in parallel(lambda _: os.getpid(), range(4))


def test_workers_stay_for_the_next_call() -> None:
    calls = 4
    pids = {pid for _ in range(calls) for pid in parallel(lambda _: os.getpid(), range(8))}
    assert len(pids) <= 2 < calls


@pytest.mark.parametrize("how", ["generator", "generator_unordered"])
def test_results_can_be_taken_one_by_one(how: str) -> None:
    assert sorted(parallel(abs, [-1, 2, -3], return_as=how)) == [1, 2, 3]


def test_a_worker_that_dies_is_told_and_the_next_call_works() -> None:
    with pytest.raises(anyplace.WorkerLost, match="exit code 3"):
        parallel(os._exit, [3, 3])
    assert parallel(abs, [-1, 2]) == [1, 2]


def test_an_exception_is_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        parallel(lambda n: 1 / n, [1, 0, 2])


def test_calls_within_calls_use_threads_of_the_worker() -> None:
    def outer(n: int) -> bool:
        inner = joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(n))
        return set(inner) == {os.getpid()}

    assert all(parallel(outer, [2, 3]))


def test_large_arrays_need_no_files(tmp_path) -> None:
    """Joblib's own backends write them to disk for the workers to map."""
    arrays = [np.full(1 << 18, n) for n in range(3)]
    assert parallel(np.max, arrays, temp_folder=str(tmp_path)) == [0, 1, 2]
    assert list(tmp_path.iterdir()) == []


def test_libraries_in_workers_use_as_many_threads_as_asked_for() -> None:
    with joblib.parallel_config("anyplace", n_jobs=2, inner_max_num_threads=3):
        assert parallel(lambda _: os.environ["OMP_NUM_THREADS"], range(2)) == ["3", "3"]


def test_scikit_learn_searches_in_a_place() -> None:
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC

    x, y = load_iris(return_X_y=True)
    search = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3).fit(x, y)
    assert search.best_score_ > 0.9
    assert RandomForestClassifier(8, random_state=0).fit(x, y).score(x, y) > 0.9
