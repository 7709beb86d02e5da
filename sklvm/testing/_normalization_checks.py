"""Normalisers and samplers of an energy against sums over all of space."""

import unittest

import numpy as np
from numpy.testing import assert_allclose

from sklvm.energies import (
    ClampedPartition,
    ExactPartition,
    Gibbs,
    Marginal,
    Score,
    Tempered,
)
from sklvm.partition import AnnealedImportanceSampling, fit_reference, log_partition
from sklvm.samplers import HamiltonianMonteCarlo
from sklvm.testing._energy_checks import EnergyChecks
from sklvm.testing._exact_distribution import ExactDistribution
from sklvm.testing._latent_checks import N_DRAWS

__all__ = ["NormalizationChecks"]


class NormalizationChecks(EnergyChecks):
    """Checks of exact and clamped log Z, of HMC, and of AIS."""

    # The budget and the largest standard error of the check of annealing, in nats.
    annealing = AnnealedImportanceSampling(n_temperatures=200, n_chains=200)
    largest_std_err = 0.1

    def test_the_exact_log_partition_is_the_sum_over_all_of_space(self):
        energy, theta, _, distribution = self.small_model(ExactPartition)
        assert energy.n_terms >= 1
        assert_allclose(energy.log_partition(theta), distribution.log_partition, rtol=1e-7)

    def test_exact_draws_follow_the_model(self):
        energy, theta, _, distribution = self.small_model(ExactPartition)
        distribution.assert_drawn(energy.sample(theta, N_DRAWS, self.rng))

    def test_with_all_units_free_the_clamped_log_partition_is_the_whole_one(self):
        energy, theta, X, distribution = self.small_model(ClampedPartition)
        values = energy.log_clamped_partition(theta, X, np.ones(energy.n_features, dtype=bool))
        assert_allclose(values, np.full(len(X), distribution.log_partition), rtol=1e-7)

    def test_with_no_unit_free_the_clamped_log_partition_is_minus_the_energy(self):
        energy, theta, X = self.model(ClampedPartition)
        values = energy.log_clamped_partition(theta, X, np.zeros(energy.n_features, dtype=bool))
        assert_allclose(values, -energy.evaluate(theta, X)[0], rtol=1e-9)

    def test_the_clamped_log_partition_sums_over_the_free_units(self):
        energy, theta, X, distribution = self.small_model(ClampedPartition)
        if isinstance(energy, Score):
            raise unittest.SkipTest("the visible units are not binary")
        free = np.arange(energy.n_features) >= 2
        values = energy.log_clamped_partition(theta, X[:3], free)
        assert energy.n_clamped_terms(free) <= energy.n_clamped_terms(np.ones_like(free))
        for x, value in zip(X, values, strict=False):
            clamped = {j: x[j] for j in np.flatnonzero(~free)}
            distribution = ExactDistribution(energy, theta, X, clamped)
            assert_allclose(value, distribution.log_partition, rtol=1e-9)

    def test_the_gradient_of_log_partition_is_minus_the_mean_slope_of_the_energy(self):
        energy, theta, _, distribution = self.small_model(ExactPartition, Marginal)
        log_partition, gradient = energy.log_partition_and_gradient(theta)
        assert_allclose(log_partition, distribution.log_partition, rtol=1e-7)
        _, pullback = energy.evaluate(theta, distribution.points)
        expected = -pullback(distribution.probabilities)
        assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)

    def test_hamiltonian_transitions_leave_the_model_unchanged(self):
        energy, theta, _, distribution = self.small_model(Score)
        sampler = HamiltonianMonteCarlo(n_leapfrog_steps=3)

        def target(X):
            value, psi = energy.energy_and_score(theta, X)
            return -value, psi

        step_size = _longest_step(sampler, target, distribution.sample(500, self.rng), self.rng)
        state = sampler.init(target, distribution.sample(N_DRAWS, self.rng))
        for _ in range(3):
            state, _ = sampler.step(target, state, step_size, self.rng)
        distribution.assert_drawn(state.position)

    def test_annealing_finds_log_partition(self):
        energy, theta, X, distribution = self.small_model()
        if not isinstance(energy, Score) and not (
            isinstance(energy, Tempered) and isinstance(energy, Gibbs)
        ):
            raise unittest.SkipTest(f"there is no path to anneal {type(energy).__name__} along")
        estimate = log_partition(
            energy,
            theta,
            fit_reference(energy, X),
            method="ais",
            budget=self.annealing,
            rng=self.rng,
        )
        assert estimate.method == "ais"
        assert 1 <= estimate.effective_sample_size <= self.annealing.n_chains
        assert estimate.std_err <= self.largest_std_err, estimate
        error = abs(estimate.value - distribution.log_partition)
        assert error <= 4 * estimate.std_err + 1e-6, (
            f"{estimate}, where {distribution.log_partition} is right"
        )


def _longest_step(sampler, target, start, rng):
    """A step so long that a third of the proposals fail: a wrong acceptance test would show."""
    for step_size in np.geomspace(10, 0.01, 30):
        state, acceptances = sampler.init(target, start), []
        for _ in range(10):
            state, info = sampler.step(target, state, step_size, rng)
            acceptances.append(info["acceptance_rate"])
        if np.mean(acceptances) > 0.6:
            return step_size
    raise AssertionError("Even steps of 0.01 are rejected: the score is not that of the energy.")
