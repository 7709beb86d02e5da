"""Missing entries, drawn from the model given the observed ones."""

import numpy as np

from sklvm.samplers import chains_for
from sklvm.training.links._base import Link

__all__ = ["CompletedGaps"]

N_SWEEPS = 10


class CompletedGaps(Link):
    """Draws the missing entries (NaN) of a batch from p(x_missing | x_observed; θ).

    The draws are the ends of chains with the observed units clamped, started at the means of the
    data: of Gibbs sampling, or of Hamiltonian Monte Carlo where the energy has only a score. With
    them a likelihood's gradient is, in expectation, that of the observed entries' likelihood
    (Fisher's identity); the entries have to be missing at random.

    Parameters
    ----------
    energy : energy
        With ``Gibbs`` or ``Score``.
    """

    asked_by = "missing entries (NaN)"
    deterministic = False

    def __init__(self, energy):
        self.energy = energy

    def init(self, theta, X, weights):
        return (weights / weights.sum()) @ X

    def draw(self, theta, X, state, rng):
        missing = np.isnan(X)
        if not missing.any():
            return X
        incomplete = missing.any(axis=1)
        free = missing[incomplete]
        theta, chains = theta[: self.energy.layout.size], chains_for(self.energy)
        start = np.where(free, state, X[incomplete])
        moving = chains.start(self.energy, theta, start, int(rng.integers(2**63)))
        moving, _ = chains.run(self.energy, theta, moving, N_SWEEPS, free=free)
        X = X.copy()
        X[incomplete] = moving.visible
        return X
