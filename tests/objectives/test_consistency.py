"""Consistent criteria recover a known density better as n grows; the biased ones plateau."""

import copy

import numpy as np
import pytest

from sklvm.densities import GaussianDensity
from sklvm.energies import DeepEnergy, GaussianEnergy
from sklvm.objectives import (
    ConditionalNoiseContrastiveEstimation,
    DenoisingScoreMatching,
    NoiseContrastiveEstimation,
    ScoreMatching,
    SlicedScoreMatching,
)
from sklvm.optimizers import LBFGS
from sklvm.testing import ExactDistribution, FlatObjective

COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.8]])
LEVEL = 0.5
SAMPLE_SIZES = (250, 1000, 4000)


def fit(objective, energy, start, X, seed=0):
    """The energy's θ that minimises the criterion, with its noise held fixed."""
    weights, rng = np.full(len(X), 1 / len(X)), np.random.default_rng(seed)
    extra, state = FlatObjective(objective).init(energy, start, X, weights, rng)

    def criterion(theta):
        return FlatObjective(objective).step(
            energy, theta, X, weights, copy.deepcopy(state), np.random.default_rng(seed)
        )[:2]

    theta, _, _ = LBFGS(gradient_tol=1e-6, value_tol=1e-12).minimize(
        criterion, np.concatenate([start, extra]), 500, lambda theta, value: None
    )
    return theta[: energy.layout.size]


def precision_errors(objective, precision, n_repetitions=12):
    """Root mean squared errors of the fitted precision, one for each sample size."""
    energy, factor = GaussianEnergy(2), np.linalg.cholesky(COVARIANCE)
    errors = []
    for n in SAMPLE_SIZES:
        squared = []
        for seed in range(n_repetitions):
            rng = np.random.default_rng([n, seed])
            X = rng.standard_normal((n, 2)) @ factor.T
            theta = fit(objective, energy, energy.init_parameters(X, rng), X, seed)
            squared.append(((energy.precision(theta) - precision) ** 2).sum())
        errors.append(np.sqrt(np.mean(squared)))
    return np.array(errors)


def slope(errors):
    """Of log error against log n; −½ is the rate of a consistent criterion."""
    return np.polyfit(np.log(SAMPLE_SIZES), np.log(errors), 1)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "objective",
    [
        ScoreMatching(),
        SlicedScoreMatching(),
        SlicedScoreMatching(2, "gaussian", variance_reduced=False),
        ConditionalNoiseContrastiveEstimation(),
        NoiseContrastiveEstimation(noise_ratio=5),
        NoiseContrastiveEstimation(5, GaussianDensity(np.zeros(2), 3 * np.eye(2))),
    ],
    ids=["score matching", "sliced", "all terms sliced", "cnce", "nce", "nce with wide noise"],
)
def test_the_error_of_a_consistent_criterion_falls_with_the_root_of_n(objective):
    assert -0.75 < slope(precision_errors(objective, np.linalg.inv(COVARIANCE))) < -0.3


@pytest.mark.slow
def test_denoising_converges_to_the_smoothed_density_and_plateaus_for_that_of_the_data():
    objective = DenoisingScoreMatching(noise_level=LEVEL)
    smoothed = np.linalg.inv(COVARIANCE + LEVEL**2 * np.eye(2))
    assert -0.75 < slope(precision_errors(objective, smoothed)) < -0.3
    unsmoothed = np.linalg.inv(COVARIANCE)
    bias = np.linalg.norm(smoothed - unsmoothed)
    errors = precision_errors(objective, unsmoothed)
    assert abs(errors[-1] / bias - 1) < 0.1
    assert slope(errors) > -0.1


def four_bumps():
    """A mixture of four Gaussians: no hidden layer."""
    energy = DeepEnergy(2, 2, (), sigma=1.0)
    return energy, energy.layout.pack(
        visible_bias=[-1.5, -1.5], coefs_0=3 * np.eye(2), intercepts_0=0.0
    )


def one_hidden_layer():
    energy = DeepEnergy(2, 2, (2,), activation="tanh", hidden_bias=False, sigma=1.0)
    return energy, energy.layout.pack(
        visible_bias=[0.5, 0.0],
        coefs_0=[[1.0, 0.6], [-0.6, 1.0]],
        coefs_1=[[3.0, 2.0], [-2.0, 3.0]],
        intercepts_1=[0.5, -0.5],
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "objective",
    [
        ScoreMatching(),
        NoiseContrastiveEstimation(noise_ratio=3),
        ConditionalNoiseContrastiveEstimation(n_noise=4),
    ],
    ids=["sm", "nce", "cnce"],
)
@pytest.mark.parametrize(
    ("make", "sample_sizes"), [(four_bumps, (300, 2400)), (one_hidden_layer, (2000, 8000))]
)
def test_a_deep_energy_recovers_its_own_density(make, sample_sizes, objective):
    # Densities are compared, for parameters are known up to permutations and signs only.
    energy, true = make()
    distribution = ExactDistribution(
        energy, true, np.random.default_rng(0).standard_normal((10, 2))
    )

    def divergence(n, seed):
        """KL of the fitted density from the true one, in nats."""
        rng = np.random.default_rng([n, seed])
        X = distribution.sample(n, rng)
        theta = fit(objective, energy, true + 0.05 * rng.standard_normal(len(true)), X, seed)
        difference = (
            energy.evaluate(theta, distribution.points)[0]
            - energy.evaluate(true, distribution.points)[0]
        )
        fitted = ExactDistribution(energy, theta, X).log_partition
        return distribution.probabilities @ difference + fitted - distribution.log_partition

    few, many = (np.mean([divergence(n, seed) for seed in range(4)]) for n in sample_sizes)
    # KL is quadratic in the parameters' error, so that it falls as 1/n.
    assert 0 < many < 3 * few * sample_sizes[0] / sample_sizes[1]
    assert many < 0.01
