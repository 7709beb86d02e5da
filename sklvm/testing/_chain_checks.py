"""Chains of an energy against its exact distribution: free, clamped, and tempered."""

import unittest
from dataclasses import replace

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from sklvm.energies import (
    Bound,
    Gibbs,
    IndependentBinaryLatents,
    Joint,
    Marginal,
    PositivePhase,
    Score,
    Tempered,
)
from sklvm.testing._energy_checks import EnergyChecks, some_hidden
from sklvm.testing._exact_distribution import (
    ExactDistribution,
    binary_states,
    can_be_summed,
    marginal_energy,
)
from sklvm.testing._finite_differences import assert_is_gradient
from sklvm.testing._latent_checks import (
    N_DRAWS,
    assert_drawn_from,
    log_joint_of_all_hidden_states,
)

__all__ = ["ChainChecks"]

# A sweep over single sites mixes more slowly than one over layers.
N_SWEEPS_TO_FORGET = 100


class ChainChecks(EnergyChecks):
    """Checks of the Gibbs and tempered capabilities, by χ² against the enumerated model."""

    # -- what a sweep leaves unchanged ------------------------------------------------------------

    def test_a_sweep_leaves_the_model_unchanged(self):
        energy, theta, _, distribution = self.small_model(Gibbs)
        state = self._exact_start(energy, theta, distribution.sample(N_DRAWS, self.rng))
        for _ in range(3):
            state, _ = energy.sweep(theta, state)
            distribution.assert_drawn(state.visible)

    def test_chains_forget_where_they_started(self):
        energy, theta, X, distribution = self.small_model(Gibbs)
        state = self._swept(energy, theta, np.tile(X[:1], (N_DRAWS, 1)), N_SWEEPS_TO_FORGET)
        distribution.assert_drawn(state.visible)

    def test_clamped_units_stay_and_the_others_follow_the_conditional(self):
        energy, theta, X, _ = self.small_model(Gibbs)
        if isinstance(energy, Score):
            raise unittest.SkipTest("the visible units are not binary")
        free = np.arange(energy.n_features) >= 2
        clamped = {j: X[0, j] for j in np.flatnonzero(~free)}
        distribution = ExactDistribution(energy, theta, X, clamped)
        start = distribution.sample(N_DRAWS, self.rng)
        state = self._exact_start(energy, theta, start)
        for _ in range(2):
            state, _ = energy.sweep(theta, state, free=free)
        assert_array_equal(state.visible[:, ~free], start[:, ~free])
        assert np.any(state.visible[:, free] != start[:, free])
        distribution.assert_drawn(state.visible)

    def test_a_tempered_sweep_leaves_its_temperature_unchanged(self):
        energy, theta, X, _ = self.small_model(Gibbs, Tempered)
        theta_0 = energy.tempered_start(X)
        for beta in (0.0, 0.4, 1.0):
            distribution = ExactDistribution(energy, energy.temper(theta_0, theta, beta), X)
            tempered = energy.temper(theta_0, theta, beta)
            start = distribution.sample(N_DRAWS, self.rng)
            state = replace(self._exact_start(energy, tempered, start), cache=None)
            state, _ = energy.sweep(theta, state, tempering=(theta_0, beta))
            distribution.assert_drawn(state.visible)

    # -- states -----------------------------------------------------------------------------------

    def test_each_row_clamps_its_own_units(self):
        energy, theta, X = self.model(Gibbs)
        free = self.rng.random(X.shape) < 0.5
        for tempering in (None, self._tempering(energy, X)):
            state = energy.start(theta, X, self.seed)
            after, _ = energy.sweep(theta, state, free=free, tempering=tempering)
            assert_array_equal(after.visible[~free], X[~free])
            assert np.any(after.visible[free] != X[free])

    def test_chains_are_a_function_of_their_state(self):
        energy, theta, X = self.model(Gibbs)
        state = self._swept(energy, theta, X, 2)
        before = [block.copy() for block in state.blocks]
        first, again = (energy.sweep(theta, state)[0] for _ in range(2))
        for one, other in zip(first.blocks, again.blocks, strict=True):
            assert_array_equal(one, other)
        for block, expected in zip(state.blocks, before, strict=True):
            assert_array_equal(block, expected)
        assert (state.sweep, first.sweep) == (2, 3)
        other = self._swept(energy, theta, np.repeat(X, 20, axis=0), 3, seed=self.seed + 1)
        same = self._swept(energy, theta, np.repeat(X, 20, axis=0), 3)
        assert np.any(other.visible != same.visible)

    def test_the_cache_saves_work_and_changes_nothing(self):
        energy, theta, X = self.model(Gibbs)
        state = self._swept(energy, theta, X, 1)
        for tempering in (None, self._tempering(energy, X)):
            expected, _ = energy.sweep(theta, replace(state, cache=None), tempering=tempering)
            actual, _ = energy.sweep(theta, state, tempering=tempering)
            for block, expected_block in zip(actual.blocks, expected.blocks, strict=True):
                assert_allclose(block, expected_block, rtol=1e-12, atol=1e-12)

    def test_successive_sweeps_take_fresh_random_numbers(self):
        energy, _, X = self.model(Gibbs, Tempered)
        theta_0, start = energy.tempered_start(X), np.repeat(X, 2000 // len(X), axis=0)
        first = self._swept(energy, theta_0, start, 1)
        second, _ = energy.sweep(theta_0, first)
        pairs = zip(first.visible.T, second.visible.T, strict=True)
        correlations = [np.corrcoef(a, b)[0, 1] for a, b in pairs if a.std() > 0 < b.std()]
        assert np.all(np.abs(correlations) < 0.15)

    # -- latent blocks ----------------------------------------------------------------------------

    def test_hidden_units_are_drawn_from_their_distribution_given_the_visible_ones(self):
        energy, theta, X, _ = self.small_model(Gibbs, Joint, IndependentBinaryLatents)
        states, log_joint = log_joint_of_all_hidden_states(energy, theta, X[:1])
        nothing = np.zeros(energy.n_features, dtype=bool)
        state = self._swept(energy, theta, np.tile(X[:1], (N_DRAWS, 1)), 1, free=(nothing, None))
        assert_drawn_from(state.blocks[1], states, log_joint[0])

    def test_visible_units_are_drawn_from_their_distribution_given_the_hidden_ones(self):
        energy, theta, X, _ = self.small_model(Gibbs, Joint, IndependentBinaryLatents)
        if isinstance(energy, Score):
            raise unittest.SkipTest("the visible units are not binary")
        states = binary_states(energy.n_features)
        z = some_hidden(energy, X)[:1]
        log_joint = -energy.evaluate_joint(theta, states, np.repeat(z, len(states), axis=0))[0]
        start = energy.start(theta, np.tile(X[:1], (N_DRAWS, 1)), self.seed)
        start = replace(start, blocks=(start.visible, np.repeat(z, N_DRAWS, axis=0)))
        nothing = np.zeros(energy.n_components, dtype=bool)
        state, _ = energy.sweep(theta, start, free=(None, nothing))
        assert_drawn_from(state.visible, states, log_joint)

    def test_the_gradient_at_the_expected_blocks_is_that_of_the_marginal_energy(self):
        energy, theta, X = self.model(Gibbs, Marginal, IndependentBinaryLatents)
        state, w = self._swept(energy, theta, X, 1), self.rng.standard_normal(len(X))
        _, pullback = energy.evaluate(theta, state.visible)
        gradient = energy.joint_gradient(theta, energy.expected_blocks(theta, state), w)
        assert_allclose(gradient, pullback(w), rtol=1e-9, atol=1e-12)

    def test_what_is_inferred_for_a_row_does_not_depend_on_the_others(self):
        energy, theta, X = self.model(PositivePhase)
        together = energy.infer(theta, X)
        for i in range(len(X)):
            alone = energy.infer(theta, X[i : i + 1])
            for block, rows in zip(alone, together, strict=True):
                assert_allclose(block[0], rows[i], rtol=1e-10, atol=1e-12)

    def test_the_joint_gradient_is_the_slope_of_the_joint_energy_at_fixed_blocks(self):
        energy, theta, X = self.model(PositivePhase, Joint)
        blocks, w = energy.infer(theta, X), self.rng.standard_normal(len(X))
        latent = np.hstack(blocks[1:])
        assert_is_gradient(
            energy.joint_gradient(theta, blocks, w),
            lambda t: w @ energy.evaluate_joint(t, X, latent)[0],
            theta,
            energy.layout,
        )

    def test_the_gradient_at_mean_field_means_is_that_of_the_bound(self):
        energy, theta, X = self.model(PositivePhase, Bound)
        w = self.rng.standard_normal(len(X))
        pulled = energy.bound(theta, X)[1](w)
        gradient = energy.joint_gradient(theta, energy.infer(theta, X), w)
        assert_allclose(gradient, pulled, rtol=1e-6, atol=1e-6 * np.abs(pulled).max())

    # -- the tempered path ------------------------------------------------------------------------

    def test_the_tempered_path_leads_from_a_tractable_start_to_the_model(self):
        energy, theta, X, _ = self.small_model(Tempered)
        theta_0 = energy.tempered_start(X)
        assert_array_equal(energy.temper(theta_0, theta, 0.0), theta_0)
        assert_array_equal(energy.temper(theta_0, theta, 1.0), theta)
        distribution_0 = ExactDistribution(energy, theta_0, X)
        assert_allclose(
            energy.start_log_partition(theta_0), distribution_0.log_partition, rtol=1e-9
        )
        distribution_0.assert_drawn(energy.sample_start(theta_0, N_DRAWS, self.seed))

    def test_tempered_energies_are_those_of_the_tempered_parameters(self):
        energy, theta, X = self.model(Tempered, Gibbs, Marginal)
        theta_0, betas = energy.tempered_start(X), np.array([0.0, 0.3, 1.0])
        start = energy.start(theta, X, self.seed)
        for state in (start, replace(start, cache=None)):
            energies = energy.tempered_energies(theta_0, theta, betas, state)
            for beta, actual in zip(betas, energies, strict=True):
                expected, _ = energy.evaluate(energy.temper(theta_0, theta, beta), X)
                assert_allclose(actual, expected, rtol=1e-9)

    def test_held_units_change_the_start_of_the_path_by_their_energy(self):
        energy, _, X = self.model(Tempered)
        if not can_be_summed(energy):
            raise unittest.SkipTest("its marginal energy is not known")
        theta_0 = energy.tempered_start(X)
        whole = energy.start_log_partition(theta_0)
        everything, nothing = (np.full(energy.n_features, value) for value in (True, False))
        assert_allclose(
            energy.start_log_partition(theta_0, X, everything), np.full(len(X), whole), rtol=1e-9
        )
        expected = -marginal_energy(energy, theta_0, X)
        assert_allclose(energy.start_log_partition(theta_0, X, nothing), expected, rtol=1e-9)
        # Units are independent, so that their shares of log Z add up.
        masks = np.random.default_rng(0).random(X.shape) < 0.5
        halves = [energy.start_log_partition(theta_0, X, mask) for mask in (masks, ~masks)]
        assert_allclose(halves[0] + halves[1], whole + expected, rtol=1e-9)

    def _exact_start(self, energy, theta, X):
        """Chains at the rows of X, latent units that a sweep looks at drawn from p(z | x)."""
        state = energy.start(theta, X, self.seed)
        if len(state.blocks) == 1 or isinstance(energy, IndependentBinaryLatents):
            return state
        rows, which = np.unique(X, axis=0, return_inverse=True)
        states, log_joint = log_joint_of_all_hidden_states(energy, theta, rows)
        p = np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))
        latent = np.empty((len(X), states.shape[1]))
        for row in range(len(rows)):
            members = np.flatnonzero(which.ravel() == row)
            latent[members] = states[self.rng.choice(len(states), len(members), p=p[row])]
        widths = np.cumsum([block.shape[1] for block in state.blocks[1:]])
        return replace(state, blocks=(X, *np.split(latent, widths[:-1], axis=1)), cache=None)

    def _swept(self, energy, theta, X, n_sweeps, *, free=None, seed=None):
        state = energy.start(theta, X, self.seed if seed is None else seed)
        for _ in range(n_sweeps):
            state, _ = energy.sweep(theta, state, free=free)
        return state

    def _tempering(self, energy, X):
        return (energy.tempered_start(X), 0.4) if isinstance(energy, Tempered) else None
