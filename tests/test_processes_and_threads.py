"""Fits and transforms end, give the same and leave nothing behind in processes and threads."""

import multiprocessing
import os
import threading
from functools import partial
from operator import methodcaller

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from sklvm import (
    ARDSparseCoder,
    BernoulliRBM,
    ConstrainedGaussian,
    DeepEnergyModel,
    DictionaryLearner,
    GaussianRBM,
    SparseCoder,
    VAETransformer,
    ZCAWhitener,
)
from sklvm.kernels import effective_n_threads, map_on_threads, sigmoid, single_threaded_blas

SHORT = {"max_iter": 2, "random_state": 0}
ESTIMATORS = [
    ARDSparseCoder(noise_variance=1.0),
    BernoulliRBM(4, binarize=0.0, **SHORT),
    ConstrainedGaussian(),
    DeepEnergyModel(4, hidden_layer_sizes=(5,), **SHORT),
    DictionaryLearner(8, alpha=0.5, tol=0, batch_size=500, **SHORT),
    GaussianRBM(4, **SHORT),
    SparseCoder(alpha=0.5),
    VAETransformer(2, hidden_layer_sizes=(5,), **SHORT),
    ZCAWhitener(),
]
TIMEOUT = 120
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Python 3.12 and later warn of every fork of a process with threads; this is that test.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).standard_normal((1000, 20))


@pytest.fixture(scope="module")
def expected(X):
    return [clone(estimator).fit(X).score_samples(X) for estimator in ESTIMATORS]


def assert_all_equal(fitted, expected, X):
    for model, scores in zip(fitted, expected, strict=True):
        np.testing.assert_allclose(model.score_samples(X), scores, rtol=1e-9)


def start_threads():
    """OpenMP's and BLAS's, in this process."""
    with threadpool_limits(2):
        sigmoid(np.zeros(2**23), n_threads=2)
        np.ones((600, 600)) @ np.ones((600, 600))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_of_multiprocessing(method, X, expected):
    start_threads()
    with multiprocessing.get_context(method).Pool(1) as pool:
        waiting = [pool.apply_async(methodcaller("fit", X), (e,)) for e in ESTIMATORS]
        fitted = [each.get(timeout=TIMEOUT) for each in waiting]
        waiting = [pool.apply_async(methodcaller("score_samples", X), (m,)) for m in fitted]
        for each, scores in zip(waiting, expected, strict=True):
            np.testing.assert_allclose(each.get(timeout=TIMEOUT), scores, rtol=1e-9)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_uses_one_thread_and_ends():
    start_threads()
    child = os.fork()
    if child == 0:
        try:
            sigmoid(np.zeros(2**23))
            sigmoid(np.zeros(2**23), n_threads=2)
            os._exit(effective_n_threads(2) - 1 + effective_n_threads() - 1)
        except BaseException:
            os._exit(99)
    ended = threading.Event()
    killer = threading.Thread(target=lambda: ended.wait(TIMEOUT) or os.kill(child, 9))
    killer.start()
    _, status = os.waitpid(child, 0)
    ended.set()
    killer.join()
    assert status == 0
    assert effective_n_threads(2) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_child_does_not_wait_for_a_lock_that_was_held_at_its_fork():
    entered, leave = threading.Event(), threading.Event()

    def hold():
        from sklvm.kernels import _thread_pool

        with _thread_pool._LIMIT._lock:
            entered.set()
            leave.wait(TIMEOUT)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(TIMEOUT)
    context = multiprocessing.get_context("fork")
    child = context.Process(target=_enter_the_limit)
    child.start()
    child.join(TIMEOUT)
    leave.set()
    holder.join()
    assert child.exitcode == 0


def _enter_the_limit():
    with single_threaded_blas():
        pass


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_backends_of_joblib(backend, X, expected):
    start_threads()
    with joblib.parallel_config(backend, n_jobs=2):
        fitted = joblib.Parallel()(
            joblib.delayed(methodcaller("fit", X))(clone(e)) for e in ESTIMATORS
        )
    assert_all_equal(fitted, expected, X)


@pytest.mark.slow
def test_workers_of_dask(X, expected):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
        fitted = joblib.Parallel()(
            joblib.delayed(methodcaller("fit", X))(clone(e)) for e in ESTIMATORS
        )
    assert_all_equal(fitted, expected, X)


def n_blas_threads():
    return {i["filepath"]: i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def run_together(calls):
    """Results, each call in a thread of its own."""
    results = [None] * len(calls)

    def run(i):
        results[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_concurrent_fits(X, expected):
    with threadpool_limits(2):
        before = n_blas_threads()
        fitted = run_together([partial(clone(e).fit, X) for e in ESTIMATORS])
        assert n_blas_threads() == before
    assert_all_equal(fitted, expected, X)


@pytest.mark.parametrize("name", ["transform", "score_samples"])
def test_concurrent_calls_of_one_estimator_leave_blas_as_it_was(name, X):
    fitted = [clone(e).fit(X) for e in ESTIMATORS if hasattr(e, name)]
    with threadpool_limits(2):
        before = n_blas_threads()
        for model in fitted:
            alone = getattr(model, name)(X)
            found = run_together([partial(getattr(model, name), X)] * 4)
            assert n_blas_threads() == before, model
            for result in found:
                np.testing.assert_array_equal(result, alone)


def test_limits_are_counted():
    with threadpool_limits(2, user_api="blas"):
        before = n_blas_threads()
        first, second = single_threaded_blas(), single_threaded_blas()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert set(n_blas_threads().values()) == {1}
        second.__exit__(None, None, None)
        assert n_blas_threads() == before


def test_tasks_keep_their_order_their_error_and_the_callers_error_state():
    assert map_on_threads(lambda i: i**2, range(100), 3) == [i**2 for i in range(100)]
    with np.errstate(under="raise"):
        states = map_on_threads(lambda _: np.geterr()["under"], range(6), 3)
    assert states == ["raise"] * 6
    before = n_blas_threads()

    def fail(i):
        if i == 7:
            raise KeyError(i)

    with pytest.raises(KeyError):
        map_on_threads(fail, range(1000), 3)
    assert n_blas_threads() == before
