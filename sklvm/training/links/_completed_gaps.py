"""Missing entries, drawn from the model given the observed ones."""

import numpy as np

from sklvm.samplers import BlockGibbs
from sklvm.training.links._base import Link

__all__ = ["CompletedGaps"]

N_SWEEPS = 10


class CompletedGaps(Link):
    """Draws the missing entries (NaN) of a batch from p(x_missing | x_observed; θ).

    The draws are those of block Gibbs sampling with the observed units clamped, started at the
    means of the data. With them a likelihood's gradient is, in expectation, that of the observed
    entries' likelihood (Fisher's identity); the entries have to be missing at random.

    Parameters
    ----------
    energy : BlockGibbs
        It need not be ``Centred``.
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
        gibbs = BlockGibbs(self.energy, free)
        start = np.where(free, state, X[incomplete])
        chains = gibbs.init(start, int(rng.integers(2**63)))
        X = X.copy()
        X[incomplete] = gibbs.step(theta[: self.energy.layout.size], chains, N_SWEEPS).visible
        return X
