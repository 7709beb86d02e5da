"""Learning by statistics: a Gaussian mixture in two methods, and what is made of it."""

import pickle
from dataclasses import dataclass

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from sklvm.exceptions import DivergenceError
from sklvm.statistics import GaussianStatistics
from sklvm.testing import StatisticsTestCase
from sklvm.training import Budget, Monitor, NoCallbacks, StatisticsTraining, run_epochs, run_stream


@dataclass(frozen=True)
class GaussianOfEach:
    """Gaussian statistics of each component's share of the rows, and Σ w r log r."""

    parts: tuple
    negative_entropy: float = 0.0

    def merge(self, other):
        merged = tuple(a.merge(b) for a, b in zip(self.parts, other.parts, strict=True))
        return GaussianOfEach(merged, self.negative_entropy + other.negative_entropy)

    def scale(self, factor):
        scaled = tuple(part.scale(factor) for part in self.parts)
        return GaussianOfEach(scaled, factor * self.negative_entropy)

    def neutral(self):
        return GaussianOfEach(tuple(part.neutral() for part in self.parts))


class Mixture:
    """A Gaussian mixture: all that its EM needs. θ = (shares, means, covariances)."""

    def joint(self, theta, X):
        return np.column_stack(
            [
                np.log(share) + multivariate_normal(mean, covariance).logpdf(X)
                for share, mean, covariance in zip(*theta, strict=True)
            ]
        )

    def expect(self, theta, X, weights, local=None):
        joint = self.joint(theta, X)
        log_density = logsumexp(joint, axis=1)
        log_shares = joint - log_density[:, np.newaxis]
        shares = weights[:, np.newaxis] * np.exp(log_shares)
        parts = tuple(GaussianStatistics.collect(X, column) for column in shares.T)
        return -log_density, GaussianOfEach(parts, float((shares * log_shares).sum())), None

    def maximize(self, statistics, theta):
        weights = np.array([part.weight for part in statistics.parts])
        solved = [part.solve() for part in statistics.parts]
        return weights / weights.sum(), *(np.array(each) for each in zip(*solved, strict=True))


class MixtureWithBound(Mixture):
    """Also says what the bound is where rows were last expected at different θ."""

    def objective(self, statistics, theta):
        value = statistics.negative_entropy
        for part, share, mean, covariance in zip(statistics.parts, *theta, strict=True):
            scatter = part.scatter + part.weight * np.outer(part.mean - mean, part.mean - mean)
            _, log_determinant = np.linalg.slogdet(2 * np.pi * covariance)
            distance = np.trace(np.linalg.solve(covariance, scatter))
            value -= part.weight * (np.log(share) - 0.5 * log_determinant) - 0.5 * distance
        return value


@pytest.fixture
def X(rng):
    centres = 3 * rng.standard_normal((4, 2))
    return centres[rng.integers(4, size=900)] + rng.standard_normal((900, 2))


@pytest.fixture
def start(X):
    return np.full(3, 1 / 3), X[:3].copy(), np.array([np.eye(2)] * 3)


def a_training(start, model=None, seed=0, **options):
    model = Mixture() if model is None else model
    return StatisticsTraining(model, start, np.random.default_rng(seed), **options)


def train(training, X, weights=None, n_epochs=5, batch_size=None, shuffle=False):
    weights = np.ones(len(X)) if weights is None else weights
    monitor = Monitor(tol=0, patience=1, verbose=0, owner="", max_iter=n_epochs)
    with training.working():
        run_epochs(
            training,
            X,
            weights,
            monitor,
            NoCallbacks(),
            rows=np.arange(len(X)),
            validation_rows=None,
            budget=Budget(n_epochs),
            batch_size=batch_size,
            shuffle=shuffle,
        )
    return monitor.history()["objective"]


def assert_same_theta(one, other, **tolerance):
    for a, b in zip(one, other, strict=True):
        assert_allclose(a, b, **tolerance)


# -- full passes ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_full_passes_are_em(X, start):
    training = a_training(start)
    objective = train(training, X)
    shares, means, covariances = start
    theirs = GaussianMixture(
        3,
        weights_init=shares,
        means_init=means,
        precisions_init=np.linalg.inv(covariances),
        max_iter=5,
        tol=0,
        reg_covar=0,
    ).fit(X)
    assert_same_theta(
        training.theta, (theirs.weights_, theirs.means_, theirs.covariances_), rtol=1e-9
    )
    assert objective[-1] == pytest.approx(-theirs.score(X), rel=1e-12)


def test_full_passes_never_raise_the_criterion(X, start, rng):
    objective = train(a_training(start), X, rng.random(len(X)) + 0.1, n_epochs=20)
    assert np.all(np.diff(objective) <= 1e-12)


def test_a_weight_is_a_repetition(X, start):
    weights = 1.0 + np.arange(len(X)) % 3
    weighted, repeated = a_training(start), a_training(start)
    objective = train(weighted, X, weights)
    assert_allclose(train(repeated, np.repeat(X, weights.astype(int), axis=0)), objective)
    assert_same_theta(weighted.theta, repeated.theta, rtol=1e-8)


# -- workers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ways", [{}, {"batch_size": 300}], ids=str)
def test_workers_do_not_change_a_bit(X, start, ways):
    alone = a_training(start, n_jobs=1)
    objective = train(alone, X, **ways)
    for n_jobs in (2, 3):
        together = a_training(start, n_jobs=n_jobs)
        assert_array_equal(train(together, X, **ways), objective)
        for a, b in zip(together.theta, alone.theta, strict=True):
            assert_array_equal(a, b)


@pytest.mark.slow
def test_nor_do_other_processes(X, start):
    alone = a_training(start, n_jobs=1)
    train(alone, X)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        together = a_training(start)
        train(together, X)
    for a, b in zip(together.theta, alone.theta, strict=True):
        assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore")  # a cluster's own warnings are no concern of this test
def test_nor_does_a_dask_cluster(X, start):
    distributed = pytest.importorskip("distributed")
    alone = a_training(start, n_jobs=1)
    train(alone, X, n_epochs=2)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        together = a_training(start, n_jobs=2)
        train(together, X, n_epochs=2)
    for a, b in zip(together.theta, alone.theta, strict=True):
        assert_array_equal(a, b)


def test_rows_that_are_mapped_from_a_file_are_read_there(X, start, tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped, in_memory = a_training(start), a_training(start)
    train(mapped, np.load(tmp_path / "X.npy", mmap_mode="r"))
    train(in_memory, X)
    assert_same_theta(mapped.theta, in_memory.theta, rtol=0)


# -- incremental ----------------------------------------------------------------------------------


def test_incremental_passes_of_one_batch_are_full_passes(X, start):
    full, incremental = a_training(start), a_training(start, incremental=True)
    objective = train(full, X)
    assert_allclose(train(incremental, X, batch_size=len(X)), objective, rtol=1e-12)
    assert_same_theta(full.theta, incremental.theta, rtol=1e-10)


@pytest.mark.parametrize("shuffle", [False, True])
def test_incremental_passes_never_raise_the_bound(X, start, shuffle):
    training = a_training(start, MixtureWithBound(), incremental=True)
    objective = train(training, X, n_epochs=12, batch_size=150, shuffle=shuffle)
    assert np.all(np.diff(objective) <= 1e-12)
    # The bound is tight where the rows' shares are those at θ.
    exact = -logsumexp(Mixture().joint(training.theta, X), axis=1).mean()
    assert exact <= objective[-1] + 1e-12
    # Passes of many steps get further than as many of one.
    assert objective[-1] < train(a_training(start), X, n_epochs=12)[-1]


# -- online ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sums:
    """Σ w x, as simple as statistics are."""

    total: np.ndarray

    def merge(self, other):
        return Sums(self.total + other.total)

    def scale(self, factor):
        return Sums(factor * self.total)

    def neutral(self):
        return Sums(0 * self.total)


class Totals:
    """θ = Σ w x; the criterion of a row is its first entry. Components restart if told to."""

    def __init__(self, n_components=0, dead=()):
        self.n_components, self.dead, self.rows = n_components, dead, []

    def expect(self, theta, X, weights, local=None):
        return X[:, 0], Sums(weights @ X), None

    def maximize(self, statistics, theta):
        return statistics.total

    def unused(self, statistics):
        return np.array(self.dead, dtype=int)

    def restart(self, theta, statistics, components, rows, rng):
        self.rows.append(rows)
        return theta, statistics


@pytest.mark.parametrize("forgetting", [0.0, 0.5, 3.0, 1e9])
def test_rows_fade_by_the_weight_that_has_come_since(rng, forgetting):
    batches = [rng.random((n, 2)) for n in (5, 3, 8, 2)]
    weights = [rng.random(len(batch)) + 0.5 for batch in batches]
    training = a_training(np.zeros(2), Totals(), forgetting=forgetting)
    for batch, batch_weights in zip(batches, weights, strict=True):
        run_stream(training, batch, batch_weights, batch_size=None)
    seen = np.cumsum([each.sum() for each in weights])
    expected = sum(
        (t / seen[-1]) ** forgetting * (w @ batch)
        for t, w, batch in zip(seen, weights, batches, strict=True)
    )
    assert_allclose(training.theta, expected, rtol=1e-12)


def test_a_stream_is_one_pass(X, start):
    epoch, stream = (a_training(start, forgetting=1.0) for _ in range(2))
    train(epoch, X, n_epochs=1, batch_size=200)
    run_stream(stream, X[:400], np.ones(400), batch_size=200)
    stream = pickle.loads(pickle.dumps(stream))
    run_stream(stream, X[400:], np.ones(500), batch_size=200)
    for a, b in zip(stream.theta, epoch.theta, strict=True):
        assert_array_equal(a, b)


# -- restarts -------------------------------------------------------------------------------------


def test_a_component_that_starts_again_has_as_many_rows_as_there_are_components():
    rows = np.arange(60.0).reshape(30, 2)
    training = a_training(np.zeros(2), Totals(n_components=10, dead=[3]))
    # Batches of 3 rows: a component is left alone for 10 rows, which four batches see out.
    for batch in range(10):
        run_stream(training, rows[3 * batch : 3 * batch + 3], np.ones(3), batch_size=None)
        assert training.n_restarts == (batch + 1) // 4


def test_components_start_again_at_the_rows_of_greatest_criterion(rng):
    X = rng.standard_normal((700, 2))
    model = Totals(n_components=3, dead=[0, 2])
    train(a_training(np.zeros(2), model), X, n_epochs=1)
    worst = X[np.argsort(-X[:, 0])[:2]]
    assert_array_equal(model.rows, [worst])


# -- state ----------------------------------------------------------------------------------------


def test_a_criterion_that_is_no_number_leaves_the_last_good_parameters(rng):
    X = rng.random((20, 2))
    training = a_training(np.zeros(2), Totals())
    train(training, X, n_epochs=2)
    before = training.theta
    with pytest.raises(DivergenceError, match="criterion is nan after 3 steps"):
        train(training, np.nan * X, n_epochs=2)
    assert training.theta is before
    assert training.n_steps == 2


def test_nothing_of_the_rows_is_pickled(X, start):
    training = a_training(start, n_jobs=2)
    train(training, X)
    assert len(pickle.dumps(training)) < 4000


class TestGaussianOfEach(StatisticsTestCase):
    def collect(self, rows, weights):
        X = np.random.default_rng(0).normal(5.0, size=(self.n_rows, 2))[rows]
        theta = np.array([0.3, 0.7]), np.array([[0.0, 0.0], [5.0, 5.0]]), np.array([np.eye(2)] * 2)
        return Mixture().expect(theta, X, weights)[1]

    def fields(self, statistics):
        parts = [(part.weight, part.mean, part.scatter) for part in statistics.parts]
        return [*(field for part in parts for field in part), statistics.negative_entropy]

    def solution(self, statistics):
        return Mixture().maximize(statistics, None)
