"""Noise-contrastive estimation against closed forms."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.densities import GaussianDensity, IndependentBernoulliDensity
from sklvm.energies import BernoulliRBMEnergy, GaussianEnergy
from sklvm.objectives import NoiseContrastiveEstimation
from sklvm.objectives._noise import FreshNoise
from sklvm.optimizers import LBFGS
from sklvm.testing import FlatObjective

COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.8]])
WIDE_NOISE = GaussianDensity(np.zeros(2), 4.0 * np.eye(2))


def gaussian_data(n, rng):
    return 0.5 + rng.standard_normal((n, 2)) @ np.linalg.cholesky(COVARIANCE).T


def fit(objective, X, seed=0):
    """The energy, θ and log Z that minimise the criterion with its noise held fixed."""
    energy, rng = GaussianEnergy(2), np.random.default_rng(seed)
    weights = np.full(len(X), 1 / len(X))
    start = energy.init_parameters(X, rng)
    extra, state = FlatObjective(objective).init(energy, start, X, weights, rng)

    def criterion(theta):
        return FlatObjective(objective).step(
            energy, theta, X, weights, copy.deepcopy(state), np.random.default_rng(seed)
        )[:2]

    theta, _, _ = LBFGS(gradient_tol=1e-6, value_tol=0).minimize(
        criterion, np.concatenate([start, extra]), 500, lambda theta, value: None
    )
    return energy, theta[:-1], np.sqrt(2) * theta[-1]


def test_the_learned_log_partition_is_near_the_true_one(rng):
    X = gaussian_data(2000, rng)
    for objective in (
        NoiseContrastiveEstimation(noise_ratio=10),
        NoiseContrastiveEstimation(noise_ratio=10, reference=WIDE_NOISE),
    ):
        energy, theta, log_partition = fit(objective, X)
        assert abs(log_partition - energy.log_partition(theta)) < 0.05
        true = 0.5 * np.linalg.slogdet(2 * np.pi * COVARIANCE)[1]
        assert abs(log_partition - true) < 0.1


def test_it_approaches_maximum_likelihood_as_the_noise_ratio_grows(rng):
    X = gaussian_data(200, rng)
    likeliest = np.linalg.inv(np.cov(X.T, ddof=0))

    def distance(noise_ratio, seed):
        objective = NoiseContrastiveEstimation(noise_ratio, reference=WIDE_NOISE)
        energy, theta, _ = fit(objective, X, seed)
        return np.linalg.norm(energy.precision(theta) - likeliest)

    little, much = (
        np.mean([distance(noise_ratio, seed) for seed in range(4)]) for noise_ratio in (1, 50)
    )
    assert much < 0.05 * np.linalg.norm(likeliest)
    assert much < little / 3


def test_the_start_of_log_partition_centres_the_contrast(rng):
    X = gaussian_data(3000, rng)
    energy = GaussianEnergy(2)
    theta = energy.pack(X.mean(axis=0), np.linalg.inv(np.cov(X.T, ddof=0)))
    objective = NoiseContrastiveEstimation(noise_ratio=1)
    extra, noise = FlatObjective(objective).init(energy, theta, X, np.full(3000, 1 / 3000), rng)
    # The model is the noise, so that c = log Z makes G vanish everywhere.
    assert_allclose(np.sqrt(2) * extra[0], energy.log_partition(theta), rtol=1e-9)
    assert_allclose(noise.density.location, X.mean(axis=0))


def test_where_model_and_noise_are_one_the_value_is_that_of_a_guess(rng):
    # G = −log ν, so J = log(1 + ν) + ν log(1 + 1/ν).
    X = gaussian_data(50, rng)
    energy, nu = GaussianEnergy(2), 4
    theta = energy.pack(np.zeros(2), np.eye(2) / 4)
    objective = NoiseContrastiveEstimation(nu, reference=WIDE_NOISE)
    full = np.append(theta, energy.log_partition(theta) / np.sqrt(2))
    value, _, _ = FlatObjective(objective).step(
        energy, full, X, np.full(50, 1 / 50), FreshNoise(WIDE_NOISE), rng
    )
    assert_allclose(value, np.log1p(nu) + nu * np.log1p(1 / nu), rtol=1e-9)


def test_the_reference_of_binary_data_is_that_of_independent_units(rng):
    X = (rng.random((500, 4)) < [0.1, 0.5, 0.9, 0.3]).astype(np.float64)
    energy = BernoulliRBMEnergy(4, 2)
    _, noise = FlatObjective(NoiseContrastiveEstimation()).init(
        energy, energy.init_parameters(X, rng), X, np.full(500, 1 / 500), rng
    )
    assert isinstance(noise.density, IndependentBernoulliDensity)
    assert_allclose(noise.density.means, X.mean(axis=0), atol=2e-3)


def test_rows_of_weight_zero_do_not_shape_the_noise(rng):
    X = gaussian_data(600, rng)
    X[:300] += 100
    weights = np.where(np.arange(600) < 300, 0, 1 / 300)
    energy = GaussianEnergy(2)
    _, noise = FlatObjective(NoiseContrastiveEstimation()).init(
        energy, energy.init_parameters(X, rng), X, weights, rng
    )
    assert_allclose(noise.density.location, X[300:].mean(axis=0))


@pytest.mark.parametrize("reference", ["cauchy", 3, None])
def test_a_reference_that_is_none_is_named(reference):
    with pytest.raises(ValueError, match="'reference' parameter of NoiseContrastiveEstimation"):
        NoiseContrastiveEstimation(reference=reference).validate()
