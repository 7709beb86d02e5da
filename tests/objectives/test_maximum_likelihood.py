"""Exact maximum likelihood against brute force and closed forms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.energies import BernoulliRBMEnergy, GaussianEnergy, GaussianRBMEnergy
from sklvm.objectives import MaximumLikelihood
from sklvm.optimizers import LBFGS
from sklvm.testing import ExactDistribution, FlatObjective, random_parameters


def fit(energy, start, X):
    weights = np.full(len(X), 1 / len(X))

    def criterion(theta):
        return FlatObjective(MaximumLikelihood()).step(energy, theta, X, weights, None, None)[:2]

    return LBFGS(gradient_tol=1e-8, value_tol=0).minimize(
        criterion, start, 500, lambda theta, value: None
    )[0]


@pytest.mark.parametrize("shape", [(6, 3), (3, 6)], ids=["few hidden", "few visible"])
def test_the_value_is_the_mean_of_minus_log_p_over_the_table_of_all_states(shape, rng):
    energy = BernoulliRBMEnergy(*shape)
    theta = random_parameters(energy, rng)
    distribution = ExactDistribution(energy, theta, np.zeros((1, shape[0])))
    value, _, _ = FlatObjective(MaximumLikelihood()).step(
        energy, theta, distribution.points, distribution.probabilities, None, rng
    )
    # The entropy of the distribution.
    assert_allclose(
        value, -distribution.probabilities @ np.log(distribution.probabilities), rtol=1e-9
    )


@pytest.mark.parametrize(
    "energy",
    [BernoulliRBMEnergy(5, 3), BernoulliRBMEnergy(3, 5), GaussianRBMEnergy(2, 3, "learn_diagonal")],
    ids=["few hidden", "few visible", "gaussian"],
)
def test_the_gradient_vanishes_at_the_distribution_of_the_data(energy, rng):
    theta = random_parameters(energy, rng)
    distribution = ExactDistribution(energy, theta, rng.standard_normal((10, energy.n_features)))
    _, gradient, _ = FlatObjective(MaximumLikelihood()).step(
        energy, theta, distribution.points, distribution.probabilities, None, rng
    )
    assert_allclose(gradient, 0, atol=1e-8)


def test_the_likeliest_gaussian_has_the_mean_and_the_covariance_of_the_data(rng):
    X = rng.standard_normal((50, 2)) @ [[1.0, 0.5], [0.0, 0.7]] + 2
    energy = GaussianEnergy(2)
    theta = fit(energy, energy.init_parameters(X, rng), X)
    assert_allclose(energy.layout.views(theta)["location"], X.mean(axis=0), rtol=1e-5)
    assert_allclose(energy.precision(theta), np.linalg.inv(np.cov(X.T, ddof=0)), rtol=1e-4)


def test_a_machine_without_weights_has_the_means_of_the_data(rng):
    # With W = 0 held, the likeliest a are the logits of the means.
    X = (rng.random((200, 4)) < [0.2, 0.5, 0.7, 0.9]).astype(np.float64)
    energy = BernoulliRBMEnergy(4, 2)
    means = X.mean(axis=0)
    theta = energy.layout.pack(
        weights=0.0, visible_bias=np.log(means / (1 - means)), hidden_bias=0.3
    )
    _, gradient, _ = FlatObjective(MaximumLikelihood()).step(
        energy, theta, X, np.full(200, 1 / 200), None, rng
    )
    assert_allclose(energy.layout.views(gradient)["visible_bias"], 0, atol=1e-12)
    assert_allclose(energy.layout.views(gradient)["hidden_bias"], 0, atol=1e-12)


def test_two_hidden_units_learn_the_distribution_of_two_bits_as_it_is(rng):
    # Enough units for any distribution of two bits: the likelihood ends at minus its entropy.
    X = np.repeat([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [5, 1, 2, 4], axis=0)
    energy = BernoulliRBMEnergy(2, 2)
    theta = fit(energy, random_parameters(energy, rng, scale=0.1), X)
    probabilities = ExactDistribution(energy, theta, X).probabilities
    counts = {(0, 0): 5, (0, 1): 1, (1, 0): 2, (1, 1): 4}
    points = ExactDistribution(energy, theta, X).points
    assert_allclose(probabilities, [counts[tuple(x)] / 12 for x in points.astype(int)], rtol=1e-3)


def test_blocks_of_states_add_up(rng):
    # 2¹⁶ states in four blocks, with weights of very different size.
    energy = BernoulliRBMEnergy(16, 17)
    theta = random_parameters(energy, rng, scale=1.0)
    log_partition, gradient = energy.log_partition_and_gradient(theta)
    assert_allclose(log_partition, energy.log_partition(theta), rtol=1e-12)
    direction = rng.standard_normal(len(theta))
    ends = [energy.log_partition(theta + h * direction) for h in (-1e-4, 1e-4)]
    assert_allclose(gradient @ direction, (ends[1] - ends[0]) / 2e-4, rtol=1e-6)


@pytest.mark.parametrize("make", [BernoulliRBMEnergy, GaussianRBMEnergy])
def test_too_many_states_are_refused_with_the_limit(make, rng):
    energy = make(30, 21)
    with pytest.raises(ValueError, match=r"20 binary units.*about 2\^21.*'pcd'"):
        MaximumLikelihood().init(energy, None, None, None, rng)


def test_a_gaussian_without_a_density_has_an_infinite_value(rng):
    energy = GaussianEnergy(2)
    theta = energy.pack([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]])
    value, _, _ = FlatObjective(MaximumLikelihood()).step(
        energy, theta, np.eye(2), np.full(2, 0.5), None, rng
    )
    assert value == np.inf
