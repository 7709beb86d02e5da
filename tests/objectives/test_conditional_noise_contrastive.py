"""Conditional NCE: at rest at the truth, with symmetric noise of the right shape and size."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy
from sklvm.energy_based import DeepEnergyModel
from sklvm.objectives import ConditionalNoiseContrastiveEstimation
from sklvm.optimizers import LBFGS, Adam
from sklvm.testing import ExactDistribution, FlatObjective, random_parameters
from sklvm.training import Training

CNCE = ConditionalNoiseContrastiveEstimation
COVARIANCE = np.array([[1.0, 0.6], [0.6, 0.8]])


def uniform_weights(X):
    return np.full(len(X), 1 / len(X))


def gaussian():
    energy = GaussianEnergy(2)
    return energy, energy.pack([0.5, -1.0], np.linalg.inv(COVARIANCE))


def deep():
    energy = DeepEnergy(2, 3, (4,), activation="tanh", sigma=1.2)
    return energy, random_parameters(energy, np.random.default_rng(1), scale=1.0)


def rbm():
    energy = BernoulliRBMEnergy(4, 3)
    return energy, random_parameters(energy, np.random.default_rng(2), scale=1.0)


@pytest.mark.parametrize("make", [gaussian, deep, rbm])
@pytest.mark.parametrize("level", [0.1, 0.5])
def test_the_truth_is_a_fixed_point(make, level, rng):
    energy, theta = make()
    distribution = ExactDistribution(energy, theta, rng.standard_normal((10, energy.n_features)))
    objective = CNCE(n_noise=2, noise_level=level)
    gradients = []
    for _ in range(60):
        X = distribution.sample(2000, rng)
        _, state = FlatObjective(objective).init(energy, theta, X, uniform_weights(X), rng)
        gradients.append(
            FlatObjective(objective).step(energy, theta, X, uniform_weights(X), state, rng)[1]
        )
    deviation = np.std(gradients, axis=0) / np.sqrt(len(gradients))
    assert np.all(np.abs(np.mean(gradients, axis=0)) < 5 * deviation)
    # Elsewhere the gradient is not zero.
    away = theta + 0.3 * rng.standard_normal(len(theta))
    slope = FlatObjective(objective).step(energy, away, X, uniform_weights(X), state, rng)[1]
    assert np.linalg.norm(slope) > 5 * np.linalg.norm(deviation)


def test_bit_flips_recover_the_distribution_of_a_small_machine(rng):
    energy, true = rbm()
    distribution = ExactDistribution(energy, true, np.zeros((2, 4)))
    X, weights = (
        np.tile(distribution.points, (100, 1)),
        np.tile(distribution.probabilities, 100) / 100,
    )
    objective, start = CNCE(), energy.init_parameters(X, rng)
    _, state = FlatObjective(objective).init(energy, start, X, weights, rng)

    def criterion(theta):
        noise = np.random.default_rng(0)
        return FlatObjective(objective).step(
            energy, theta, X, weights, copy.deepcopy(state), noise
        )[:2]

    theta, _, _ = LBFGS().minimize(criterion, start, 500, lambda theta, value: None)
    fitted = ExactDistribution(energy, theta, X)

    def divergence(other):
        return distribution.probabilities @ np.log(distribution.probabilities / other.probabilities)

    assert divergence(fitted) < 0.01
    assert divergence(fitted) < 0.05 * divergence(ExactDistribution(energy, start, X))


@pytest.mark.parametrize("shape", ["covariance", "isotropic"])
def test_noise_comes_in_pairs_and_has_the_shape_of_the_data(shape, rng):
    energy, theta = gaussian()
    X = energy.sample(theta, 4000, rng)
    _, state = FlatObjective(CNCE(4, 0.5, shape)).init(energy, theta, X, uniform_weights(X), rng)
    steps = state.draw(X, 4, rng).reshape(4, -1, 2) - X
    assert_allclose(steps[:2], -steps[2:], atol=1e-12)
    data = np.cov(X.T, bias=True)
    expected = data if shape == "covariance" else np.trace(data) / 2 * np.eye(2)
    actual = np.cov(steps[:2].reshape(-1, 2).T, bias=True)
    assert_allclose(actual, 0.25 * expected, atol=0.02)
    assert state.draw(X, 3, rng).shape == (3 * 4000, 2)


def test_the_shape_is_that_of_the_weighted_data(rng):
    X = np.vstack([rng.standard_normal((50, 2)), 9.0 * rng.standard_normal((50, 2))])
    weights = np.r_[np.full(50, 1 / 50), np.zeros(50)]
    energy, theta = gaussian()
    factor = FlatObjective(CNCE()).init(energy, theta, X, weights, rng)[1].factor
    assert_allclose(factor @ factor.T, np.cov(X[:50].T, bias=True), rtol=1e-10)


def test_bits_are_flipped_with_the_probability_of_the_level(rng):
    energy, theta = rbm()
    X = (rng.random((5000, 4)) < 0.3).astype(np.float32)
    _, state = FlatObjective(CNCE(noise_level=0.2)).init(energy, theta, X, uniform_weights(X), rng)
    noise = state.draw(X, 2, rng)
    assert noise.dtype == np.float32
    assert set(np.unique(noise)) == {0, 1}
    share = (noise.reshape(2, -1, 4) != X).mean(axis=(0, 1))
    assert np.all(np.abs(share - 0.2) < 5 * np.sqrt(0.2 * 0.8 / 10_000))


def losses_and_levels(objective, energy, theta, X, n_steps, rng):
    _, state = FlatObjective(objective).init(energy, theta, X, uniform_weights(X), rng)
    losses, levels = [], [state.level]
    for _ in range(n_steps):
        loss, _, state = FlatObjective(objective).step(
            energy, theta, X, uniform_weights(X), state, rng
        )
        losses.append(loss)
        levels.append(state.level)
    return np.array(losses), np.array(levels)


@pytest.mark.parametrize("d", [2, 30])
def test_a_gaussian_is_told_from_the_noise_neither_at_a_glance_nor_by_chance(d, rng):
    factor = np.eye(d) + 0.5 * rng.standard_normal((d, d))
    energy = GaussianEnergy(d)
    theta = energy.pack(np.zeros(d), np.linalg.inv(factor @ factor.T))
    losses, levels = losses_and_levels(
        CNCE(), energy, theta, energy.sample(theta, 2000, rng), 9, rng
    )
    assert_array_equal(levels, 1 / np.sqrt(d))
    assert np.all((np.log(2) < losses) & (losses < 0.9 * 2 * np.log(2)))


def test_noise_that_is_told_apart_too_easily_is_halved_until_it_is_not(rng):
    # Two narrow ridges: much more can be known of a row than its covariance tells.
    energy = DeepEnergy(2, 1, (), sigma=0.05)
    theta = energy.layout.pack(visible_bias=[-400.0, 0.0], coefs_0=[[800.0, 0]], intercepts_0=0.0)
    X = ExactDistribution(energy, theta, rng.standard_normal((9, 2))).sample(2000, rng)
    losses, levels = losses_and_levels(CNCE(), energy, theta, X, 20, rng)
    assert losses[0] < np.log(2) < losses[-1]
    assert set(levels[1:] / levels[:-1]) == {0.5, 1.0}


def test_noise_grows_again_by_a_fifth_where_the_model_is_at_chance_but_not_above_the_start(rng):
    energy = GaussianEnergy(2)
    flat = energy.pack(np.zeros(2), 1e-6 * np.eye(2))
    X = rng.standard_normal((50, 2))
    _, levels = losses_and_levels(CNCE(), energy, flat, X, 5, rng)
    assert_array_equal(levels, levels[0])
    _, state = FlatObjective(CNCE()).init(energy, flat, X, uniform_weights(X), rng)
    state = replace(state, level=state.level / 2)
    _, _, after = FlatObjective(CNCE()).step(energy, flat, X, uniform_weights(X), state, rng)
    assert after.level == pytest.approx(1.2 * state.level)


def test_after_the_first_steps_and_for_a_given_level_the_noise_is_frozen(rng):
    # A ridge, which noise of the same size in all directions leaves at once.
    covariance = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-6]])
    energy = GaussianEnergy(2)
    theta = energy.pack(np.zeros(2), np.linalg.inv(covariance))
    X = rng.standard_normal((500, 2)) @ np.linalg.cholesky(covariance).T
    objective = CNCE(noise_shape="isotropic", n_adaptation_steps=3)
    losses, levels = losses_and_levels(objective, energy, theta, X, 6, rng)
    assert np.all(losses < np.log(2))
    assert_array_equal(levels, levels[0] / [1, 2, 4, 8, 8, 8, 8])
    _, levels = losses_and_levels(CNCE(4, 3.0, "isotropic"), energy, theta, X, 6, rng)
    assert_array_equal(levels, 3.0)


def test_a_stream_and_a_pickle_go_on_with_the_noise_as_it_was(rng):
    X = rng.standard_normal((300, 3)).astype(np.float32)
    energy, ones = DeepEnergy(3, 3, (4,)), np.ones(300, dtype=np.float32)
    training = Training(energy, CNCE(), Adam(), X, ones, np.random.default_rng(0))
    training.stream(X, ones, batch_size=50)
    copied = pickle.loads(pickle.dumps(training))
    for each in (training, copied):
        each.stream(X, ones, batch_size=50)
    assert_array_equal(copied.theta, training.theta)
    assert copied.objective_state.n_adaptations_left == 200 - 12


def test_annealing_supplies_the_log_partition_that_the_criterion_does_not_need(rng):
    X = rng.standard_normal((400, 2))
    model = DeepEnergyModel(
        2,
        hidden_layer_sizes=(),
        objective="cnce",
        random_state=0,
        max_iter=20,
        sigma=1.0,
        optimizer="adam",
    ).fit(X)
    model.estimate_log_partition()
    distribution = ExactDistribution(*model.fitted_energy_, X)
    assert (
        abs(model.log_partition_ - distribution.log_partition)
        < 5 * model.log_partition_std_err_ + 1e-3
    )


@pytest.mark.parametrize("objective", [CNCE(0), CNCE(noise_level=0.0), CNCE(noise_shape="round")])
def test_a_parameter_out_of_range_is_named(objective):
    with pytest.raises(ValueError, match=r"parameter of ConditionalNoise.* must be"):
        objective.validate()


def test_a_probability_of_flips_is_below_one(rng):
    energy, theta = rbm()
    X = np.eye(4)
    with pytest.raises(ValueError, match=r"noise_level .* must be in \(0, 1\), got 2\.0"):
        FlatObjective(CNCE(noise_level=2.0)).init(energy, theta, X, uniform_weights(X), rng)
