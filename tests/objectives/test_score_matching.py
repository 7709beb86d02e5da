"""Score matching and denoising score matching against closed forms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.energies import DeepEnergy, GaussianEnergy
from sklvm.objectives import DenoisingScoreMatching, ScoreMatching
from sklvm.optimizers import LBFGS
from sklvm.testing import FlatObjective, numerical_jacobian, random_parameters

EXACT = LBFGS(gradient_tol=1e-10, value_tol=0)


def minimum(objective, energy, X, weights, start, seed=0):
    """θ that minimises the criterion with its noise held fixed."""

    def criterion(theta):
        rng = np.random.default_rng(seed)
        return FlatObjective(objective).step(energy, theta, X, weights, None, rng)[:2]

    return EXACT.minimize(criterion, start, 1000, lambda theta, value: None)[0]


def gaussian_data(n, rng):
    """Rows of N(1, A Aᵀ) with unequal weights of sum 1."""
    factor = np.array([[1.0, 0.0, 0.0], [0.7, 0.8, 0.0], [-0.4, 0.5, 0.6]])
    weights = rng.uniform(0.5, 1.5, n)
    return 1 + rng.standard_normal((n, 3)) @ factor.T, weights / weights.sum()


@pytest.mark.parametrize("hidden_layer_sizes", [(), (5,), (5, 4), (4, 3, 3)])
def test_the_value_is_the_brute_force_sum_over_numerical_jacobians(hidden_layer_sizes, rng):
    energy = DeepEnergy(3, 4, hidden_layer_sizes, activation="tanh", sigma=0.8)
    theta = random_parameters(energy, rng)
    X = rng.standard_normal((6, 3))
    weights = np.arange(1.0, 7.0) / 21

    def log_density_slope(x):
        return -numerical_jacobian(lambda y: energy.evaluate(theta, y[np.newaxis])[0][0], x)

    expected = sum(
        w
        * (
            0.5 * (log_density_slope(x) ** 2).sum()
            + np.trace(numerical_jacobian(log_density_slope, x))
        )
        for w, x in zip(weights, X, strict=True)
    )
    value, _, _ = FlatObjective(ScoreMatching()).step(energy, theta, X, weights, None, None)
    assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("hidden_layer_sizes", [(), (5,), (4, 3)])
def test_regularization_adds_the_squares_of_the_second_derivatives(hidden_layer_sizes, rng):
    energy = DeepEnergy(3, 4, hidden_layer_sizes, activation="tanh", sigma=0.8)
    theta, X = random_parameters(energy, rng), rng.standard_normal((6, 3))
    weights = np.arange(1.0, 7.0) / 21

    def step(objective):
        return FlatObjective(objective).step(energy, theta, X, weights, None, None)[:2]

    value, gradient = step(ScoreMatching())
    squares = [
        np.sum(np.diag(numerical_jacobian(lambda y: energy.score(theta, y[None])[0][0], x)) ** 2)
        for x in X
    ]
    assert_allclose(step(ScoreMatching(0.4))[0], value + 0.2 * weights @ squares, rtol=1e-6)
    nearly, slope = step(ScoreMatching(1e-12))
    assert_allclose(nearly, value, rtol=1e-9)
    assert_allclose(slope, gradient, rtol=1e-7, atol=1e-9)


def test_regularized_the_criterion_has_a_minimum_where_it_had_none(rng):
    # The score of many units bends ever more sharply at few rows.
    X, weights = rng.standard_normal((4, 1)), np.full(4, 0.25)
    energy = DeepEnergy(1, 8, (), sigma="learn")
    start = random_parameters(energy, rng)

    def end(objective):
        theta = minimum(objective, energy, X, weights, start)
        return FlatObjective(objective).step(energy, theta, X, weights, None, None)[0]

    assert end(ScoreMatching()) < -50
    assert -0.5 / 0.1 <= end(ScoreMatching(0.1)) < 0


def test_one_layer_is_the_textbook_formula(rng):
    # E[½‖x − Wᵀs(Wx)‖² + Σ_k ‖w_k‖² s′(w_kᵀx)] − D, for σ = 1 and no biases.
    energy = DeepEnergy(4, 3, (), sigma=1.0)
    W = rng.standard_normal((3, 4))
    theta = energy.layout.pack(visible_bias=0.0, coefs_0=W, intercepts_0=0.0)
    X = rng.standard_normal((8, 4))
    s = 1 / (1 + np.exp(-X @ W.T))
    expected = 0.5 * ((X - s @ W) ** 2).sum(axis=1) + (s * (1 - s)) @ (W**2).sum(axis=1) - 4
    value, _, _ = FlatObjective(ScoreMatching()).step(
        energy, theta, X, np.full(8, 1 / 8), None, None
    )
    assert_allclose(value, expected.mean(), rtol=1e-12)


def test_a_gaussians_minimum_is_the_inverse_covariance(rng):
    X, weights = gaussian_data(200, rng)
    energy = GaussianEnergy(3)
    theta = minimum(ScoreMatching(), energy, X, weights, energy.init_parameters(X, rng))
    covariance = np.cov(X.T, aweights=weights, ddof=0)
    assert_allclose(energy.precision(theta), np.linalg.inv(covariance), rtol=1e-6)
    assert_allclose(energy.layout.views(theta)["location"], weights @ X, rtol=1e-6)


def test_a_masked_gaussians_minimum_solves_its_own_normal_equations(rng):
    # The free entries of ½(ΛC + CΛ) are those of the identity.
    X, weights = gaussian_data(200, rng)
    mask = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=bool)
    energy = GaussianEnergy(3, mask)
    theta = minimum(ScoreMatching(), energy, X, weights, energy.init_parameters(X, rng))
    precision, covariance = energy.precision(theta), np.cov(X.T, aweights=weights, ddof=0)
    product = 0.5 * (precision @ covariance + covariance @ precision)
    assert_allclose(product[mask], np.eye(3)[mask], atol=1e-7)


def test_the_true_parameters_are_a_stationary_point_in_expectation(rng):
    # Draws from a mixture of two Gaussians that the energy holds exactly.
    energy = DeepEnergy(2, 1, (), sigma=0.7)
    theta = random_parameters(energy, rng, scale=1.0)
    views = energy.layout.views(theta)
    means = 0.49 * (views["visible_bias"] + np.outer([0, 1], views["coefs_0"][0]))
    log_odds = views["intercepts_0"][0] + (means[1] @ means[1] - means[0] @ means[0]) / 0.98
    n = 100_000
    chosen = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    X = means[chosen] + 0.7 * rng.standard_normal((n, 2))
    blocks = [
        FlatObjective(ScoreMatching()).step(energy, theta, block, np.full(1000, 1e-3), None, None)[
            1
        ]
        for block in X.reshape(100, 1000, 2)
    ]
    deviation = np.std(blocks, axis=0) / np.sqrt(len(blocks))
    assert np.all(np.abs(np.mean(blocks, axis=0)) < 5 * deviation)


def test_denoising_fits_the_smoothed_density_and_not_that_of_the_data(rng):
    X, weights = gaussian_data(500, rng)
    energy, level = GaussianEnergy(3), 0.5
    covariance = np.cov(X.T, aweights=weights, ddof=0)
    smoothed = energy.pack(weights @ X, np.linalg.inv(covariance + level**2 * np.eye(3)))
    unsmoothed = energy.pack(weights @ X, np.linalg.inv(covariance))

    def mean_gradient_in_deviations(theta):
        objective = DenoisingScoreMatching(noise_level=level)
        gradients = [
            FlatObjective(objective).step(energy, theta, X, weights, None, rng)[1]
            for _ in range(400)
        ]
        return np.abs(np.mean(gradients, axis=0)) / (np.std(gradients, axis=0) / 20)

    assert np.all(mean_gradient_in_deviations(smoothed) < 5)
    assert np.max(mean_gradient_in_deviations(unsmoothed)) > 50


def test_denoising_tends_to_exact_score_matching_as_the_noise_vanishes(rng):
    energy = DeepEnergy(3, 4, (5,))
    theta = random_parameters(energy, rng)
    X = rng.standard_normal((2000, 3))
    weights = np.full(2000, 1 / 2000)
    exact, _, _ = FlatObjective(ScoreMatching()).step(energy, theta, X, weights, None, None)
    objective = DenoisingScoreMatching(noise_level=0.03)
    values = [
        FlatObjective(objective).step(energy, theta, X, weights, None, rng)[0] for _ in range(200)
    ]
    assert abs(np.mean(values) - exact) < 5 * np.std(values) / np.sqrt(200) + 0.03


def test_a_noise_level_out_of_range_is_named():
    with pytest.raises(ValueError, match="'noise_level' parameter of DenoisingScoreMatching"):
        DenoisingScoreMatching(noise_level=0.0).validate()
