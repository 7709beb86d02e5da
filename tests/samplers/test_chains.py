"""Chains of every kind: clamped, restarted, with what they remember of their last sweep."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, norm

from sklvm.densities import GaussianDensity
from sklvm.energies import BernoulliRBMEnergy, GaussianEnergy
from sklvm.samplers import CHAINS, GibbsChains, HamiltonianChains
from sklvm.testing import ExactDistribution, random_parameters


def test_each_row_clamps_its_own_units_and_follows_its_own_conditional(rng, random_seed):
    energy, chains = BernoulliRBMEnergy(4, 3), GibbsChains()
    theta = random_parameters(energy, rng, scale=1.0)
    n = 20_000
    free = np.ones((2 * n, 4), dtype=bool)
    free[:n, 0] = False
    free[n:, [1, 3]] = False
    start = np.zeros((2 * n, 4))
    start[:n, 0], start[n:, 3] = 1, 1
    state = chains.start(energy, theta, start, random_seed)
    visible = chains.run(energy, theta, state, 50, free=free)[0].visible
    assert_array_equal(visible[~free], start[~free])
    for rows, clamped in ((slice(n), {0: 1}), (slice(n, None), {1: 0, 3: 1})):
        distribution = ExactDistribution(energy, theta, start, clamped)
        distribution.assert_drawn(visible[rows])


def test_gibbs_chains_know_the_hidden_means_without_a_product(rng):
    energy, chains = BernoulliRBMEnergy(6, 4), GibbsChains()
    theta, start = random_parameters(energy, rng), (rng.random((30, 6)) < 0.5).astype(float)
    state, _ = chains.run(energy, theta, chains.start(energy, theta, start, 3), 4)
    visible, means = energy.expected_blocks(theta, state)
    assert_array_equal(visible, state.visible)
    assert_allclose(means, energy.posterior(theta, visible), rtol=1e-14)
    # By the cache alone: at another θ it is that of the last sweep.
    assert_array_equal(energy.expected_blocks(0 * theta, state)[1], means)


@pytest.mark.parametrize("name", CHAINS)
def test_chains_that_start_anew_forget_where_they_were_and_nothing_else(name, rng):
    energy = BernoulliRBMEnergy(3, 2) if name == "gibbs" else GaussianEnergy(3)
    X = (rng.standard_normal((20, 3)) > 0).astype(np.float64)
    theta = energy.init_parameters(X, rng)
    chains = CHAINS[name]()
    state = chains.start(energy, theta, np.zeros((8, 3)), 5)
    state, _ = chains.run(energy, theta, state, 3)
    moved = chains.restart(energy, theta, state, np.ones((8, 3)))
    assert_array_equal(moved.visible, 1)
    assert (moved.seed, moved.sweep, moved.tuning) == (5, 3, state.tuning)
    assert_array_equal(state.visible.shape, (8, 3))
    expected, _ = chains.sweep(energy, theta, replace(moved, cache=None))
    assert_allclose(chains.sweep(energy, theta, moved)[0].visible, expected.visible)


# -- Hamiltonian chains ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hmc", "langevin"])
def test_clamped_hamiltonian_chains_follow_the_conditional(name, rng):
    # x₁ | x₀ of a Gaussian is N(μ₁ − Λ₁₀(x₀ − μ₀)/Λ₁₁, 1/Λ₁₁).
    energy, chains = GaussianEnergy(2), CHAINS[name]()
    theta = energy.pack([1.0, -1.0], [[2.0, 1.2], [1.2, 1.0]])
    start = np.zeros((4000, 2))
    start[:, 0] = np.where(np.arange(4000) < 2000, 0.5, 2.0)
    free = np.array([False, True])
    state = chains.start(energy, theta, start, 0)
    state, info = chains.run(energy, theta, state, 60, free=free)
    assert set(info) == {"acceptance_rate", "step_size"}
    assert_array_equal(state.visible[:, 0], start[:, 0])
    for rows, held in ((slice(2000), 0.5), (slice(2000, None), 2.0)):
        mean = -1.0 - 1.2 * (held - 1.0)
        assert kstest(state.visible[rows, 1], norm(mean, 1.0).cdf).pvalue > 1e-4


def test_each_row_has_its_own_mask(rng):
    energy, chains = GaussianEnergy(2), HamiltonianChains()
    theta = energy.pack([0.0, 0.0], np.eye(2))
    start, free = rng.standard_normal((50, 2)), rng.random((50, 2)) < 0.5
    state, _ = chains.run(energy, theta, chains.start(energy, theta, start, 0), 5, free=free)
    assert_array_equal(state.visible[~free], start[~free])
    assert np.mean(state.visible[free] != start[free]) > 0.9


def test_tempered_hamiltonian_chains_follow_the_geometric_mean_of_the_ends(rng):
    energy, chains = GaussianEnergy(1), HamiltonianChains()
    theta = energy.pack([2.0], [[4.0]])
    reference = GaussianDensity(np.zeros(1), np.eye(1))
    state = chains.start(energy, theta, np.zeros((4000, 1)), 0)
    for _ in range(60):
        state, _ = chains.sweep(energy, theta, state, tempering=(reference, 0.25))
    # Precisions add up: ¾ · 1 + ¼ · 4, and their means weighted by them.
    precision = 0.75 + 0.25 * 4
    distribution = norm(0.25 * 4 * 2.0 / precision, precision**-0.5)
    assert kstest(state.visible[:, 0], distribution.cdf).pvalue > 1e-4
