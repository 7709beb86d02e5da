"""The skeleton of iterative fits, on a learner that needs two lines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklvm.base import IterativeModel


class RunningMean:
    """Goes half the way to the mean of the rows in each epoch; the criterion is the distance."""

    drives_epochs, converged = False, None

    def __init__(self, n_features, fails_at=None):
        self.theta, self.fails_at, self.n_epochs = np.zeros(n_features), fails_at, 0
        self.shuffle_rng = np.random.default_rng(0)
        self.keep()

    def begin(self, X, weights, rows, *, max_iter, batch_size):
        self.planned = (max_iter, batch_size, len(rows))

    def epoch(self, X, weights, rows, *, batch_size, shuffle):
        if self.n_epochs == self.fails_at:
            raise KeyboardInterrupt
        self.n_epochs += 1
        mean = np.average(X[rows], axis=0, weights=weights[rows])
        self.theta = (self.theta + mean) / 2
        return {"objective": float(np.abs(self.theta - mean).max())}

    def stream(self, X, weights, *, batch_size):
        return self.epoch(X, weights, np.arange(len(X)), batch_size=batch_size, shuffle=False)

    def evaluate(self, X, weights, batch_size):
        return float(np.abs(self.theta - X.mean(axis=0)).max())

    def keep(self):
        self._kept = self.theta.copy()

    def restore(self):
        self.theta = self._kept.copy()


class Model(IterativeModel):
    def __init__(
        self,
        *,
        batch_size=None,
        max_iter=50,
        shuffle=True,
        tol=1e-3,
        fails_at=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.fails_at = fails_at
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _start(self, X, weights):
        return RunningMean(X.shape[1], self.fails_at)

    def _fitted_attributes(self, learner):
        return {**super()._fitted_attributes(learner), "mean_": learner.theta}


@pytest.fixture
def X(rng):
    return rng.normal([1.0, 2.0, 3.0], size=(40, 3))


def test_epochs_end_with_the_first_that_gains_no_more_than_tol(X):
    model = Model().fit(X)
    assert_allclose(model.mean_, X.mean(axis=0), atol=2e-3)
    gains = -np.diff(model.history_["objective"])
    assert np.all(gains[:-1] > 1e-3)
    assert gains[-1] <= 1e-3
    assert model.n_iter_ == len(model.history_["objective"]) < 50


def test_a_fit_that_max_iter_ends_says_so_where_the_user_called_it(X):
    with pytest.warns(ConvergenceWarning, match="max_iter=2 iterations") as caught:
        Model(max_iter=2).fit(X)
    assert caught[0].filename == __file__
    Model(max_iter=2, tol=0).fit(X)


def test_what_was_learned_before_an_interruption_can_be_used(X):
    model = Model(fails_at=3)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    check_is_fitted(model)
    assert model.n_iter_ == 3
    assert_allclose(model.mean_, (1 - 0.5**3) * X.mean(axis=0))
    model._training.fails_at = None
    assert_allclose(model.partial_fit(X).mean_, (1 - 0.5**4) * X.mean(axis=0))


def test_a_warm_start_goes_on_and_a_cold_one_does_not(X):
    warm = Model(max_iter=2, tol=0, warm_start=True).fit(X).fit(X)
    assert_allclose(warm.mean_, (1 - 0.5**4) * X.mean(axis=0))
    cold = Model(max_iter=2, tol=0).fit(X).fit(X)
    assert_allclose(cold.mean_, (1 - 0.5**2) * X.mean(axis=0))


def test_rows_of_weight_zero_are_not_there(X):
    weights = np.arange(40.0) % 3
    model = Model(max_iter=1, tol=0).fit(X, sample_weight=weights)
    assert_allclose(model.mean_, np.average(X, axis=0, weights=weights) / 2)
    assert model._training.planned == (1, None, np.count_nonzero(weights))
    with pytest.raises(ValueError, match="1 positive entries; at least 2"):
        Model().fit(X, sample_weight=np.eye(40)[0])


def mix_in(name):
    """A mix-in that keeps a count of the rows it was shown, as the skeleton asks it to."""

    class MixIn:
        def _check_parameters(self):
            super()._check_parameters()
            self.checked = [*getattr(self, "checked", []), name]

        def _companions(self, learner):
            return {**super()._companions(learner), name: [type(learner)]}

        def _show(self, companions, X, weights):
            super()._show(companions, X, weights)
            companions[name].append(len(X))

    return MixIn


def test_what_all_mix_ins_keep_adds_up(X):
    class Both(mix_in("first"), mix_in("second"), Model):
        __init__ = Model.__init__

    model = Both(max_iter=1, tol=0).fit(X)
    assert model.checked == ["second", "first"]
    assert model.first == model.second == [RunningMean, 40]
    model.partial_fit(X[:7])
    assert model.first == model.second == [RunningMean, 40, 7]
    model.fit(X[:9])
    assert model.first == model.second == [RunningMean, 9]


def test_companions_that_refuse_leave_the_model_as_it_was(X):
    class Picky(Model):
        __init__ = Model.__init__

        def _companions(self, learner):
            raise ValueError("no")

    for method in ("fit", "partial_fit"):
        model = Picky()
        with pytest.raises(ValueError, match="no"):
            getattr(model, method)(X)
        with pytest.raises(NotFittedError):
            check_is_fitted(model)


def test_partial_fit_checks_parameters_as_fit_does(X):
    class Picky(Model):
        __init__ = Model.__init__

        def _check_parameters(self):
            super()._check_parameters()
            raise ValueError("no")

    for method in ("fit", "partial_fit"):
        model = Picky()
        with pytest.raises(ValueError, match="no"):
            getattr(model, method)(X)
        with pytest.raises(NotFittedError):
            check_is_fitted(model)


def test_chunks_of_a_stream_are_told_one_by_one(X):
    model = Model()
    for chunk in (X[:20], X[20:]):
        model.partial_fit(chunk)
    assert model.n_iter_ == 2
    assert_array_equal(model.history_["objective"].shape, (2,))
    assert_allclose(model.mean_, X[:20].mean(axis=0) / 4 + X[20:].mean(axis=0) / 2)
