import numpy as np
import pytest

from sklvm.objectives import Objective
from sklvm.testing import binary_states
from sklvm.training import Training


class ExactLikelihood(Objective):
    """Minus the mean log-likelihood, by the sum over all states of the visible units."""

    def step(self, energy, theta, X, weights, state, rng):
        states = binary_states(energy.n_features)
        energies, pullback = energy.evaluate(theta.energy, states)
        log_z = np.logaddexp.reduce(-energies)
        data_energies, data_pullback = energy.evaluate(theta.energy, X)
        value = weights @ data_energies + log_z
        gradient = data_pullback(weights) - pullback(np.exp(-energies - log_z))
        return float(value), theta.like(gradient), state


@pytest.fixture
def exact_likelihood():
    return ExactLikelihood()


@pytest.fixture
def path_of():
    """The energy's parameters after each epoch of four batches, from given ones."""

    def path_of(energy, objective, optimizer, X, theta, links=(), n_epochs=40):
        weights = np.ones(len(X))
        training = Training(
            energy, objective, optimizer, X, weights, np.random.default_rng(0), links=links
        )
        training.theta[: len(theta)] = theta
        training.links = type(training.links)(links, training.theta, X, weights)
        path = []
        for _ in range(n_epochs):
            for rows in np.array_split(np.arange(len(X)), 4):
                training.step(X[rows], weights[rows])
            path.append(training.energy_theta.copy())
        return np.array(path)

    return path_of
