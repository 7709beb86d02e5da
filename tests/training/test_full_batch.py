"""Full-batch optimisers: L-BFGS over blocks of rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.exceptions import DivergenceError
from sklvm.objectives import OBJECTIVES, ScoreMatching
from sklvm.optimizers import LBFGS, Adam
from sklvm.training import check_compatible


def test_lbfgs_finds_the_minimum_over_blocks_of_rows(gaussian_data, a_training, train):
    X = gaussian_data(2500)
    training = a_training(ScoreMatching(), LBFGS(gradient_tol=1e-9, value_tol=0), X)
    weights = 1.0 + np.arange(2500) % 2
    monitor = train(training, X, weights=weights, batch_size=100, max_iter=200)
    covariance = np.cov(X.T, aweights=weights, ddof=0)
    precision = training.energy.precision(training.energy_theta)
    assert_allclose(precision, np.linalg.inv(covariance), rtol=1e-6)
    assert training.converged
    assert np.all(np.diff(monitor.history()["objective"]) <= 0)
    assert training.n_steps == len(monitor.records)


def test_lbfgs_at_a_minimum_takes_one_epoch_to_see_it(gaussian_data, a_training, train):
    X = gaussian_data()
    training = a_training(ScoreMatching(), LBFGS(), X)
    train(training, X, max_iter=200)
    settled = training.theta.copy()
    monitor = train(training, X, max_iter=200)
    assert len(monitor.records) <= 2
    assert_allclose(training.theta, settled, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_lbfgs_refuses_an_objective_that_draws_random_numbers(name):
    objective = OBJECTIVES[name]()
    if objective.deterministic:
        check_compatible(objective, LBFGS())
    else:
        with pytest.raises(ValueError, match=rf"LBFGS needs .* {type(objective).__name__} draws"):
            check_compatible(objective, LBFGS())
    check_compatible(objective, Adam())


def test_lbfgs_that_leaves_the_finite_numbers_keeps_the_last_finite_parameters(
    gaussian_data, a_training, train, Recorder
):
    class Bottomless(Recorder):
        """It falls for ever, faster and faster from a while on."""

        deterministic = True

        def step(self, energy, theta, X, weights, state, rng):
            super().step(energy, theta, X, weights, state, rng)
            fall = np.arcsinh(theta.energy).sum() if len(self.batches) < 8 else np.inf
            return -float(fall), theta.like(-1 / np.sqrt(1 + theta.energy**2)), state

    X = gaussian_data()
    training = a_training(Bottomless(), LBFGS())
    start = training.theta.copy()
    with pytest.raises(DivergenceError, match="L-BFGS left the finite numbers"):
        train(training, X, max_iter=1000)
    assert np.all(np.isfinite(training.theta))
    assert np.any(training.theta != start)
