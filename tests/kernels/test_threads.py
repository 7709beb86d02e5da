"""Kernels start as many threads as they may, and never more."""

import joblib
import pytest
from threadpoolctl import threadpool_limits

from sklvm.kernels import effective_n_threads


def test_an_explicit_number_is_taken():
    assert effective_n_threads(3) == 3


def test_none_is_at_most_the_cpus_of_this_process():
    assert 1 <= effective_n_threads() <= joblib.cpu_count()


def test_threadpoolctl_limits_are_honoured():
    with threadpool_limits(1):
        assert effective_n_threads() == 1


def test_a_joblib_thread_starts_no_threads_of_its_own():
    found = joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(effective_n_threads)() for _ in range(4)
    )
    assert found == [1, 1, 1, 1]


@pytest.mark.parametrize("bad", [0, -1])
def test_a_number_below_one_is_refused(bad):
    with pytest.raises(ValueError, match=f"n_threads must be .* got {bad}"):
        effective_n_threads(bad)


@pytest.mark.parametrize("bad", [1.5, "2", True])
def test_what_is_no_integer_is_refused(bad):
    with pytest.raises(TypeError, match="n_threads must be"):
        effective_n_threads(bad)
