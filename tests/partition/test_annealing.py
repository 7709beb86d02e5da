"""Annealed importance sampling against log Z that is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklvm.densities import GaussianDensity
from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy
from sklvm.partition import (
    AnnealedImportanceSampling,
    anneal,
    annealing_path,
    fit_reference,
    log_partition,
)
from sklvm.testing import ExactDistribution, random_parameters


def estimate(energy, theta, reference, rng, n_temperatures=300, n_chains=100):
    budget = AnnealedImportanceSampling(n_temperatures, n_chains)
    return log_partition(energy, theta, reference, method="ais", budget=budget, rng=rng)


def a_deep_energy(hidden_layer_sizes, seed=0):
    """With two features, several bumps, and data of a smaller scale than the model's."""
    rng = np.random.default_rng(seed)
    energy = DeepEnergy(2, 6, hidden_layer_sizes, activation="tanh", sigma=1.0)
    return energy, random_parameters(energy, rng, scale=0.8), 0.5 * rng.standard_normal((100, 2))


def an_rbm(n_features=12, n_components=10, scale=0.8):
    rng = np.random.default_rng(1)
    energy = BernoulliRBMEnergy(n_features, n_components)
    X = (rng.random((100, n_features)) < 0.3).astype(np.float64)
    return energy, random_parameters(energy, rng, scale), X


@pytest.mark.parametrize("hidden_layer_sizes", [(), (8,), (8, 6), (6, 5, 4)])
def test_deep_energies_in_the_plane_within_two_hundredths_of_a_nat(hidden_layer_sizes, rng):
    energy, theta, X = a_deep_energy(hidden_layer_sizes)
    result = estimate(energy, theta, fit_reference(energy, X), rng, 300, 2000)
    assert abs(result.value - ExactDistribution(energy, theta, X).log_partition) < 0.02
    assert result.std_err < 0.02


def test_gaussians_of_many_dimensions_and_scales(rng):
    d = 10
    factor = np.linalg.qr(rng.standard_normal((d, d)))[0] * np.geomspace(0.3, 3, d)
    covariance = factor @ factor.T
    energy = GaussianEnergy(d)
    theta = energy.pack(factor @ rng.standard_normal(d), np.linalg.inv(covariance))
    result = estimate(energy, theta, GaussianDensity(np.zeros(d), 2 * covariance), rng)
    assert abs(result.value - energy.log_partition(theta)) < 4 * result.std_err
    assert result.std_err < 0.1


@pytest.mark.parametrize("shape", [(12, 10), (9, 13)])
def test_binary_machines(shape, rng):
    energy, theta, X = an_rbm(*shape)
    result = estimate(energy, theta, fit_reference(energy, X), rng)
    assert abs(result.value - energy.log_partition(theta)) < 4 * result.std_err
    assert 0 < result.std_err < 0.2


def test_float32_agrees_with_float64(rng):
    for energy, theta, X in (an_rbm(), a_deep_energy((8,))):
        X = X.astype(np.float32)
        exact = ExactDistribution(energy, theta, X).log_partition
        result = estimate(energy, theta.astype(np.float32), fit_reference(energy, X), rng)
        assert abs(result.value - exact) < 4 * result.std_err + 1e-3


def test_a_path_from_the_model_to_itself_has_no_error(rng):
    energy = GaussianEnergy(4)
    covariance = np.diag([1.0, 2.0, 3.0, 4.0])
    theta = energy.pack(np.ones(4), np.linalg.inv(covariance))
    result = estimate(energy, theta, GaussianDensity(np.ones(4), covariance), rng, 20, 50)
    assert_allclose(result.value, energy.log_partition(theta), rtol=1e-12)
    assert result.std_err < 1e-6
    assert_allclose(result.effective_sample_size, 50)

    rbm, _, X = an_rbm()
    theta_0 = rbm.tempered_start(X)
    result = estimate(rbm, theta_0, theta_0, rng, 20, 50)
    assert_allclose(result.value, rbm.start_log_partition(theta_0), rtol=1e-12)


def test_the_effective_sample_size_lies_between_one_and_the_number_of_chains(rng):
    energy, theta, X = an_rbm(scale=2.0)
    reference = fit_reference(energy, X)
    sizes = [
        estimate(energy, theta, reference, rng, n_temperatures).effective_sample_size
        for n_temperatures in (2, 30, 1000)
    ]
    assert 1 <= sizes[0] < sizes[1] < sizes[2] <= 100


def test_the_mean_of_the_weights_is_unbiased_even_on_a_coarse_path(rng):
    # E[w] = Z/Z₀ whatever the temperatures and the transitions (Neal, 2001, section 2).
    energy, theta, X = an_rbm(6, 4, scale=0.7)
    path = annealing_path(energy, theta, fit_reference(energy, X))
    _, log_weights = anneal(path, 5, 20_000, rng)
    log_ratio = energy.log_partition(theta) - path.log_partition_0
    weights = np.exp(log_weights - log_ratio)
    assert abs(weights.mean() - 1) < 5 * weights.std() / np.sqrt(len(weights))
    assert weights.std() > 0.1


@pytest.mark.parametrize("make", [an_rbm, lambda: a_deep_energy((8,))], ids=["binary", "real"])
def test_annealed_chains_that_move_on_follow_the_model(make, rng):
    energy, theta, X = make()
    path = annealing_path(energy, theta, fit_reference(energy, X))
    particles, log_weights = anneal(path, 50, 2000, rng, n_last_moves=20)
    draws = path.positions(particles)
    assert draws.shape == (2000, energy.n_features)
    assert log_weights.shape == (2000,)
    ExactDistribution(energy, theta, X).assert_drawn(draws)


def test_the_standard_error_is_about_the_spread_of_repeated_runs(rng):
    energy, theta, X = an_rbm(6, 4)
    reference, exact = fit_reference(energy, X), energy.log_partition(theta)
    results = [estimate(energy, theta, reference, rng, 20, 50) for _ in range(80)]
    scores = [(result.value - exact) / result.std_err for result in results]
    assert 0.7 < np.std(scores) < 1.4


@pytest.mark.slow
@pytest.mark.parametrize("make", [an_rbm, lambda: a_deep_energy((8,))], ids=["binary", "real"])
def test_the_standard_error_is_the_spread_of_repeated_runs(make):
    energy, theta, X = make()
    reference, exact = fit_reference(energy, X), ExactDistribution(energy, theta, X).log_partition
    scores = []
    for seed in range(150):
        result = estimate(energy, theta, reference, np.random.default_rng(seed), 100, 100)
        scores.append((result.value - exact) / result.std_err)
    assert 0.8 < np.std(scores) < 1.3
    # log Z from below, by about half the variance.
    assert abs(np.mean(scores)) < 0.5
