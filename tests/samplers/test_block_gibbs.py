"""Block Gibbs sampling; that it leaves a model unchanged is among the checks of energies."""

import numpy as np
from numpy.testing import assert_array_equal

from sklvm.energies import BernoulliRBMEnergy
from sklvm.samplers import BlockGibbs
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
