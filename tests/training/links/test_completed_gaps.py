"""Rows with missing entries."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklvm.energies import BernoulliRBMEnergy
from sklvm.objectives import Objective
from sklvm.optimizers import SGD
from sklvm.training import Training
from sklvm.training.links import CompletedGaps


class Keeper(Objective):
    def step(self, energy, theta, X, weights, state, rng):
        self.seen = X
        return None, theta.like(np.zeros_like(theta.energy)), state


class OnlyGibbs:
    """The machine without what centring needs."""

    def __init__(self, energy):
        self.n_features, self.layout = energy.n_features, energy.layout
        self._energy = energy

    def init_parameters(self, X, rng, sample_weight=None):
        return self._energy.init_parameters(X, rng, sample_weight)

    def start(self, theta, X, seed):
        return self._energy.start(theta, X, seed)

    def sweep(self, theta, state, *, free=None, tempering=None):
        return self._energy.sweep(theta, state, free=free, tempering=tempering)

    def expected_blocks(self, theta, state):
        return self._energy.expected_blocks(theta, state)


@pytest.mark.parametrize("wrap", [lambda energy: energy, OnlyGibbs], ids=["whole", "only Gibbs"])
def test_missing_entries_are_drawn_given_the_others(rng, wrap):
    # The gradient is that of the observed entries' likelihood, in expectation.
    energy = BernoulliRBMEnergy(3, 2)
    theta = rng.standard_normal(energy.layout.size)
    x = np.tile([[1.0, np.nan, 0.0]], (4000, 1))
    objective = Keeper()
    training = Training(
        wrap(energy),
        objective,
        SGD(),
        np.eye(3),
        np.ones(3),
        np.random.default_rng(0),
        links=[CompletedGaps(wrap(energy))],
    )
    training.theta[:] = theta
    training.step(x, np.ones(4000))
    assert np.isnan(x[:, 1]).all()
    assert_array_equal(objective.seen[:, [0, 2]], x[:, [0, 2]])
    energies = energy.evaluate(theta, np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))[0]
    expected = 1 / (1 + np.exp(energies[1] - energies[0]))
    assert objective.seen[:, 1].mean() == pytest.approx(expected, abs=0.04)


def test_chains_start_at_the_weighted_mean_of_the_data():
    X, weights = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([3.0, 1.0])
    link = CompletedGaps(BernoulliRBMEnergy(2, 2))
    assert_allclose(link.init(np.zeros(8), X, weights), [0.25, 1.0])


def test_complete_rows_pass_as_they_are(rng):
    X = rng.random((5, 2))
    assert CompletedGaps(None).draw(None, X, None, rng) is X
