"""Block Gibbs sampling; that it leaves a model unchanged is among the checks of energies."""

import numpy as np
from numpy.testing import assert_array_equal

from sklvm.energies import BernoulliRBMEnergy
from sklvm.samplers import BlockGibbs, GibbsChains
from sklvm.testing import ExactLaw, random_parameters


def test_each_row_clamps_its_own_units_and_follows_its_own_conditional(rng, random_seed):
    energy = BernoulliRBMEnergy(4, 3)
    theta = random_parameters(energy, rng, scale=1.0)
    n = 20_000
    free = np.ones((2 * n, 4), dtype=bool)
    free[:n, 0] = False
    free[n:, [1, 3]] = False
    start = np.zeros((2 * n, 4))
    start[:n, 0], start[n:, 3] = 1, 1
    gibbs = BlockGibbs(energy, free=free)
    visible = gibbs.step(theta, gibbs.init(start, random_seed), 50).visible
    assert_array_equal(visible[~free], start[~free])
    for rows, clamped in ((slice(n), {0: 1}), (slice(n, None), {1: 0, 3: 1})):
        law = ExactLaw(energy, theta, start, clamped)
        law.assert_drawn(visible[rows])


def test_a_chain_depends_on_its_seed_alone(rng):
    energy = BernoulliRBMEnergy(5, 4)
    theta, start = random_parameters(energy, rng), np.zeros((30, 5))
    gibbs = BlockGibbs(energy)
    first, again, other = (gibbs.step(theta, gibbs.init(start, s), 9).visible for s in (1, 1, 2))
    assert_array_equal(first, again)
    assert np.any(first != other)
    assert_array_equal(start, 0)


def test_successive_sweeps_take_fresh_random_numbers():
    energy = BernoulliRBMEnergy(40, 3)
    theta = np.zeros(energy.layout.size)
    gibbs = BlockGibbs(energy)
    once = gibbs.step(theta, gibbs.init(np.zeros((50, 40)), 0))
    twice = gibbs.step(theta, once)
    assert abs(np.corrcoef(once.visible.ravel(), twice.visible.ravel())[0, 1]) < 0.1


def test_chains_for_training_draw_what_the_sampler_draws_and_keep_the_hidden_means(rng):
    energy = BernoulliRBMEnergy(6, 4)
    theta, start = random_parameters(energy, rng), (rng.random((30, 6)) < 0.5).astype(float)
    gibbs, chains = BlockGibbs(energy), GibbsChains()
    plain, state = gibbs.init(start, 3), chains.init(energy, theta, start, 3)
    for n_sweeps in (1, 3, 2):
        plain = gibbs.step(theta, plain, n_sweeps)
        state = chains.step(energy, theta, state, n_sweeps)
        assert_array_equal(state.visible, plain.visible)
        assert_array_equal(state.hidden_means, energy.posterior(theta, state.visible))
    assert state.sweep == plain.sweep == 6


def test_chains_that_are_moved_do_not_keep_the_hidden_means_of_where_they_were(rng):
    energy = BernoulliRBMEnergy(6, 4)
    theta, start = 3 * random_parameters(energy, rng), np.zeros((2000, 6))
    chains = GibbsChains()
    state = chains.step(energy, theta, chains.init(energy, theta, start, 3))
    moved = state.at(np.ones((2000, 6)))
    assert moved.hidden_means is None
    expected = energy.sample_visible(theta, energy.sample_hidden(theta, moved.visible, 3, 1), 3, 1)
    assert_array_equal(chains.step(energy, theta, moved).visible, expected)
