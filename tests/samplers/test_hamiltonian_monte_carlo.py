"""Hamiltonian Monte Carlo against moments that are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.samplers import DualAveraging, HamiltonianMonteCarlo

PRECISION = np.array([[2.0, 1.2], [1.2, 1.0]])


def gaussian(X):
    pulled = X @ PRECISION.astype(X.dtype)
    return -0.5 * np.einsum("ij,ij->i", X, pulled), -pulled


def run(rng, n_chains=4000, n_steps=60, step_size=0.5, dtype=np.float64, **keywords):
    sampler = HamiltonianMonteCarlo(**keywords)
    state = sampler.init(gaussian, np.zeros((n_chains, 2), dtype))
    info = {}
    for _ in range(n_steps):
        state, info = sampler.step(gaussian, state, step_size, rng)
    return state, info


@pytest.mark.parametrize("n_leapfrog_steps", [1, 4])
def test_chains_reach_the_moments_of_a_gaussian(n_leapfrog_steps, rng):
    X = run(rng, n_leapfrog_steps=n_leapfrog_steps)[0].position
    covariance = np.linalg.inv(PRECISION)
    assert np.all(np.abs(X.mean(axis=0)) < 5 * np.sqrt(np.diag(covariance) / len(X)))
    assert_allclose(np.cov(X.T), covariance, rtol=0.12, atol=0.05)


def test_scales_change_the_way_but_not_the_target(rng):
    sampler = HamiltonianMonteCarlo(3)
    state = sampler.init(gaussian, np.zeros((4000, 2)))
    for _ in range(60):
        state, _ = sampler.step(gaussian, state, 0.5, rng, scales=np.array([0.3, 1.0]))
    assert_allclose(np.cov(state.position.T), np.linalg.inv(PRECISION), rtol=0.12, atol=0.05)


def test_the_state_has_the_value_and_the_gradient_at_its_position(rng):
    state, info = run(rng, n_chains=50, n_steps=5, step_size=1.0)
    log_density, gradient = gaussian(state.position)
    assert_allclose(state.log_density, log_density, rtol=1e-12)
    assert_allclose(state.gradient, gradient, rtol=1e-12)
    assert 0 < info["accepted"].sum() < 50


def test_chains_that_are_not_accepted_stay(rng):
    sampler = HamiltonianMonteCarlo(3)
    before, _ = run(rng, n_chains=200, n_steps=5)
    after, info = sampler.step(gaussian, before, 1.3, rng)
    moved = np.any(after.position != before.position, axis=1)
    assert_array_equal(moved, info["accepted"])


def test_short_steps_keep_the_energy_and_are_all_accepted(rng):
    assert run(rng, n_steps=3, step_size=1e-3)[1]["acceptance_rate"] > 0.999


def test_a_trajectory_that_leaves_the_finite_numbers_is_rejected(rng):
    state, info = run(rng, n_chains=20, n_steps=2, step_size=1e200)
    assert_array_equal(state.position, 0)
    assert info["acceptance_rate"] == 0


def test_float32_stays_float32(rng):
    state, _ = run(rng, n_chains=10, n_steps=2, dtype=np.float32)
    for array in (state.position, state.log_density, state.gradient):
        assert array.dtype == np.float32


@pytest.mark.parametrize("target_acceptance", [0.8, 0.9])
@pytest.mark.parametrize("first_guess", [0.01, 3.0])
def test_dual_averaging_reaches_its_target_from_any_first_guess(
    target_acceptance, first_guess, rng
):
    # Many dimensions, in which the acceptance falls gently with the step.
    precision = np.linspace(0.2, 1, 30)

    def target(X):
        return -0.5 * (X * X) @ precision, -precision * X

    sampler = HamiltonianMonteCarlo(3)
    averaging = DualAveraging(first_guess, target_acceptance)
    state = sampler.init(target, rng.standard_normal((200, 30)) / np.sqrt(precision))
    for _ in range(300):
        state, info = sampler.step(target, state, averaging.step_size, rng)
        averaging.update(info["acceptance_rate"])
    acceptances = []
    for _ in range(50):
        state, info = sampler.step(target, state, averaging.averaged_step_size, rng)
        acceptances.append(info["acceptance_rate"])
    assert abs(np.mean(acceptances) - target_acceptance) < 0.05


def test_dual_averaging_is_algorithm_5_of_hoffman_and_gelman(rng):
    first_guess, target, gamma, t0, kappa = 0.3, 0.65, 0.1, 5.0, 0.6
    averaging = DualAveraging(first_guess, target, gamma, t0, kappa)
    mean_error, log_average = 0.0, 0.0
    for t, acceptance in enumerate(rng.random(20), start=1):
        averaging.update(acceptance)
        mean_error = (1 - 1 / (t + t0)) * mean_error + (target - acceptance) / (t + t0)
        log_step = np.log(10 * first_guess) - np.sqrt(t) / gamma * mean_error
        log_average = t**-kappa * log_step + (1 - t**-kappa) * log_average
        assert_allclose(averaging.step_size, np.exp(log_step), rtol=1e-12)
        assert_allclose(averaging.averaged_step_size, np.exp(log_average), rtol=1e-12)


def test_before_the_first_update_the_averaged_step_is_the_first_guess():
    assert DualAveraging(0.3).averaged_step_size == 0.3
