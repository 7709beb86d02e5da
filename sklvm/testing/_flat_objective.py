"""An objective as a function of one flat vector, which finite differences and minimisers want."""

import numpy as np

from sklvm.layouts import Parameters

__all__ = ["FlatObjective"]


class FlatObjective:
    """`objective` with θ and its gradient as flat vectors: the energy's part, then its own.

    Parameters
    ----------
    objective : Objective
    """

    def __init__(self, objective):
        self.objective = objective

    def init(self, energy, theta, X, weights, rng):
        """The start of the objective's own parameters, and its state.

        Parameters
        ----------
        energy : energy
        theta : ndarray
            The energy's parameters.
        X : ndarray of shape (n, d)
        weights : ndarray of shape (n,)
            Of sum 1; as counts of the rows, n times as much.
        rng : Generator
        """
        own_layout = self.objective.own_layout(energy)
        own = np.zeros(own_layout.size, dtype=theta.dtype)
        parameters = Parameters(np.concatenate([theta, own]), own_layout)
        state = self.objective.init(energy, parameters, X, len(X) * weights, rng)
        return parameters.vector[theta.size :], state

    def step(self, energy, theta, X, weights, state, rng):
        """Value, flat gradient, and state."""
        parameters = Parameters(theta, self.objective.own_layout(energy))
        value, gradient, state = self.objective.step(energy, parameters, X, weights, state, rng)
        return value, gradient.vector, state
