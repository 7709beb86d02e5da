"""Noise drawn once: a deterministic criterion, and each batch with its own share."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm import DeepEnergyModel
from sklvm.densities import GaussianDensity
from sklvm.energies import GaussianEnergy
from sklvm.objectives import NoiseContrastiveEstimation
from sklvm.optimizers import LBFGS, Adam
from sklvm.testing import FlatObjective
from sklvm.training import Budget, EpochCallbacks, Monitor, Training, check_compatible, run_epochs

COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.8]])
WIDE_NOISE = GaussianDensity(np.zeros(2), 4.0 * np.eye(2))


def gaussian_data(n, rng):
    return 0.5 + rng.standard_normal((n, 2)) @ np.linalg.cholesky(COVARIANCE).T


def train(objective, X, weights, optimizer, max_iter, batch_size):
    """A Gaussian trained by the one loop."""
    training = Training(
        GaussianEnergy(2), objective, optimizer, X, weights, np.random.default_rng(0)
    )
    monitor = Monitor(tol=0, patience=1, verbose=0, owner="", max_iter=max_iter)
    run_epochs(
        training,
        X,
        weights,
        monitor,
        NoCallbacks(),
        rows=np.arange(len(X)),
        validation_rows=None,
        budget=Budget(max_iter),
        batch_size=batch_size,
        shuffle=False,
    )
    return training


class NoCallbacks(EpochCallbacks):
    def __init__(self):
        pass

    def begin_epoch(self):
        pass

    end_epoch = end = begin_epoch


def frozen(noise_ratio=5):
    return NoiseContrastiveEstimation(noise_ratio, WIDE_NOISE, frozen_noise=True)


def test_lbfgs_on_frozen_noise_approaches_maximum_likelihood_as_the_noise_ratio_grows(rng):
    X = gaussian_data(200, rng)
    likeliest = np.linalg.inv(np.cov(X.T, ddof=0))
    distances = []
    for noise_ratio in (1, 300):
        training = train(frozen(noise_ratio), X, np.ones(200), LBFGS(), 300, 100)
        fitted = training.energy.precision(training.energy_theta)
        distances.append(np.linalg.norm(fitted - likeliest) / np.linalg.norm(likeliest))
    assert distances[1] < 0.03
    assert distances[1] < distances[0] / 3


def test_blocks_of_rows_have_their_own_shares_of_the_noise(rng):
    # 2,500 rows are summed in three blocks; one of all rows gives the same minimum.
    X, weights = gaussian_data(2500, rng), np.ones(2500)
    in_blocks, whole = (
        train(frozen(2), X, weights, LBFGS(), 20, batch_size).theta for batch_size in (100, 2500)
    )
    assert_allclose(in_blocks, whole, rtol=1e-4, atol=1e-5)


def test_lbfgs_on_weighted_rows_is_that_on_repeated_rows_up_to_the_noise(rng):
    X, counts = gaussian_data(2000, rng), 1 + np.arange(2000) % 3
    weighted = train(frozen(20), X, counts.astype(float), LBFGS(), 100, 500)
    repeated = np.repeat(X, counts, axis=0)
    fitted = train(frozen(20), repeated, np.ones(len(repeated)), LBFGS(), 100, 500)
    assert_allclose(weighted.theta, fitted.theta, atol=0.05)


def test_frozen_noise_comes_round_again(rng):
    X, weights = gaussian_data(30, rng), np.full(10, 0.1)
    energy, objective = GaussianEnergy(2), frozen(3)
    theta = energy.init_parameters(X, rng)
    extra, start = FlatObjective(objective).init(energy, theta, X, np.full(30, 1 / 30), rng)
    full, state, gradients = np.append(theta, extra), start, []
    for _ in range(4):
        _, gradient, state = FlatObjective(objective).step(
            energy, full, X[:10], weights, state, None
        )
        gradients.append(gradient)
    assert_array_equal(gradients[3], gradients[0])
    assert not np.array_equal(gradients[1], gradients[0])
    assert copy.deepcopy(start) is start


def test_only_frozen_noise_goes_with_lbfgs(rng):
    check_compatible(frozen(), LBFGS())
    check_compatible(frozen(), Adam())
    with pytest.raises(ValueError, match=r"draws random numbers.*frozen_noise=True"):
        check_compatible(NoiseContrastiveEstimation(), LBFGS())
    model = DeepEnergyModel(
        3,
        hidden_layer_sizes=(4,),
        objective="nce",
        optimizer="lbfgs",
        max_iter=5,
        random_state=0,
        sigma=1.0,
    ).set_params(objective__frozen_noise=True, optimizer__value_tol=1.0)
    model.fit(gaussian_data(200, rng).astype(np.float32))
    assert np.all(np.diff(model.history_["objective"]) <= 0)
    assert model.coefs_[0].dtype == np.float32
