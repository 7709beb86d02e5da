"""Annealing with some entries clamped, against normalisers that are known exactly."""

import numpy as np
import pytest

from sklvm.energies import BernoulliRBMEnergy, DeepEnergy, GaussianEnergy, GaussianRBMEnergy
from sklvm.partition import (
    AnnealedImportanceSampling,
    anneal,
    annealing_path,
    fit_reference,
)
from sklvm.testing import ExactDistribution, random_parameters

BUDGET = AnnealedImportanceSampling(n_temperatures=100, n_chains=200)


def binary(rng):
    energy = BernoulliRBMEnergy(6, 5)
    X = (rng.random((40, 6)) < 0.4).astype(np.float64)
    return energy, random_parameters(energy, rng, scale=1.0), X


def real(rng):
    energy = GaussianRBMEnergy(4, 3, "learn_diagonal")
    return energy, random_parameters(energy, rng, scale=0.7), rng.standard_normal((40, 4))


def deep(rng):
    energy = DeepEnergy(2, 4, (5,), activation="tanh", sigma=0.8)
    return energy, random_parameters(energy, rng), rng.standard_normal((40, 2))


def annealed(energy, theta, X, free, reference, method="ais"):
    """log Z over the free entries and its standard error, for each row."""
    estimates = []
    for row in X:
        path = annealing_path(energy, theta, reference, free=free, current=row[np.newaxis])
        estimates.append(BUDGET.estimate(path, np.random.default_rng(0), method=method))
    assert {estimate.method for estimate in estimates} == {method}
    return np.array([[estimate.value, estimate.std_err] for estimate in estimates]).T


@pytest.mark.parametrize("make", [binary, real], ids=["binary", "real"])
@pytest.mark.parametrize("method", ["ais", "reverse_ais"])
def test_annealing_of_clamped_chains_finds_the_sum_of_each_row(make, method, rng):
    energy, theta, X = make(rng)
    free = np.arange(energy.n_features) % 2 == 0
    exact = energy.log_clamped_partition(theta, X[:5], free)
    value, std_err = annealed(energy, theta, X[:5], free, fit_reference(energy, X), method)
    assert np.all(np.abs(value - exact) <= 5 * std_err + 1e-6)
    assert np.all(std_err < 0.1)
    assert np.ptp(exact) > 0.1


def test_hamiltonian_chains_find_the_conditional_normaliser_of_a_gaussian(rng):
    energy = GaussianEnergy(3)
    factor = np.eye(3) + 0.5 * rng.standard_normal((3, 3))
    precision, location = factor @ factor.T, rng.standard_normal(3)
    theta, X = energy.pack(location, precision), rng.standard_normal((30, 3))
    free = np.array([True, False, True])
    # ∫ exp(−½ (x − μ)ᵀΛ(x − μ)) dx_F is Gaussian in x_V, with Schur's complement for a precision.
    inner = precision[np.ix_(free, free)]
    cross = precision[np.ix_(~free, free)]
    schur = precision[np.ix_(~free, ~free)] - cross @ np.linalg.solve(inner, cross.T)
    held = (X[:4] - location)[:, ~free]
    exact = 0.5 * (2 * np.log(2 * np.pi) - np.linalg.slogdet(inner)[1])
    exact = exact - 0.5 * np.einsum("ij,jk,ik->i", held, schur, held)
    value, std_err = annealed(energy, theta, X[:4], free, fit_reference(energy, X))
    assert np.all(np.abs(value - exact) <= 5 * std_err)
    assert np.all(std_err < 0.1)


def test_hamiltonian_chains_find_the_conditional_normaliser_of_a_deep_energy(rng):
    energy, theta, X = deep(rng)
    places = np.linspace(-12, 12, 4001)
    points = np.column_stack([np.full_like(places, X[0, 0]), places])
    density = np.exp(-energy.evaluate(theta, points)[0])
    exact = np.log(np.trapezoid(density, places))
    free = np.array([False, True])
    value, std_err = annealed(energy, theta, X[:1], free, fit_reference(energy, X))
    assert abs(value[0] - exact) <= 5 * std_err[0]
    assert std_err[0] < 0.1


def test_annealed_chains_follow_the_conditional_of_their_own_row(rng):
    energy, theta, X = binary(rng)
    free = np.ones((2, 6), dtype=bool)
    free[0, [0, 4]] = free[1, [2, 3]] = False
    path = annealing_path(energy, theta, fit_reference(energy, X), free=free, current=X[:2])
    state, log_weights = anneal(path, 30, 20_000, rng, n_last_moves=10)
    for row in range(2):
        clamped = {j: X[row, j] for j in np.flatnonzero(~free[row])}
        ExactDistribution(energy, theta, X, clamped).assert_drawn(state.visible[row::2])
        # E[w] = Z/Z₀ of the row, whatever the temperatures.
        exact = energy.log_clamped_partition(theta, X[row : row + 1], free[row])[0]
        weights = np.exp(log_weights[row::2] - (exact - path.log_partition_0[row]))
        assert abs(weights.mean() - 1) < 5 * weights.std() / np.sqrt(len(weights))
