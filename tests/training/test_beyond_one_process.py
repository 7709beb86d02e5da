"""Fits on processes and clusters, of rows in files: what one process does, to the last bit."""

import os
import signal
import threading

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklvm import BernoulliMixture, DictionaryLearner, GaussianMixture
from sklvm.training._workers import Workers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # a cluster's own warnings are no concern of these tests
]


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return 4 * rng.standard_normal((3, 6))[rng.integers(3, size=6000)] + rng.standard_normal(
        (6000, 6)
    )


def models(X):
    common = {"max_iter": 4, "tol": 0, "random_state": 0, "n_jobs": 1}
    return [
        GaussianMixture(3, **common),
        GaussianMixture(3, covariance_type="diag", **common),
        BernoulliMixture(3, binarize=0.0, **common),
        DictionaryLearner(4, alpha=0.3, **common),
    ]


def learned(model):
    return model.means_ if hasattr(model, "means_") else model.components_


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_processes_do_not_change_a_bit(X):
    for model in models(X):
        alone = learned(model.fit(X)).copy()
        with joblib.parallel_config(backend="loky", n_jobs=2):
            assert_array_equal(learned(model.set_params(n_jobs=None).fit(X)), alone)


def test_a_cluster_does_not_change_a_bit(X, cluster):
    for model in models(X):
        alone = learned(model.fit(X)).copy()
        with joblib.parallel_config(backend="dask"):
            assert_array_equal(learned(model.set_params(n_jobs=2).fit(X)), alone)


def test_rows_in_a_file_are_read_by_the_processes(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = GaussianMixture(3, max_iter=4, tol=0, random_state=0, n_jobs=1)
    alone = model.fit(X).means_.copy()
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert_array_equal(model.set_params(n_jobs=None).fit(mapped).means_, alone)


def test_a_worker_that_dies_does_not_change_a_bit(X, cluster):
    many = np.tile(X, (8, 1))
    model = GaussianMixture(3, init=X[:3], max_iter=40, tol=0, random_state=0, n_jobs=1)
    alone = model.fit(many).means_.copy()
    victim = next(iter(cluster.run(os.getpid).values()))
    timer = threading.Timer(0.7, os.kill, (victim, signal.SIGKILL))
    with joblib.parallel_config(backend="dask"):
        timer.start()
        assert_array_equal(model.set_params(n_jobs=2).fit(many).means_, alone)
    assert not timer.is_alive()  # the worker did not outlive the fit
    assert victim not in cluster.run(os.getpid).values()


def _die_elsewhere(home, value):
    if os.getpid() != home:
        os._exit(1)
    return value


def test_what_lost_workers_leave_undone_is_done_here():
    arguments = [(os.getpid(), value) for value in range(5)]
    with joblib.parallel_config(backend="loky", n_jobs=2), Workers().running() as workers:
        assert list(workers.map(_die_elsewhere, arguments)) == list(range(5))


def _fail(value):
    raise ValueError(f"no {value}")


def test_errors_are_those_of_the_function():
    with joblib.parallel_config(backend="loky", n_jobs=2), Workers().running() as workers:
        with pytest.raises(ValueError, match="no 3"):
            list(workers.map(_fail, [(3,)]))
