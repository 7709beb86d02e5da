"""Persistent contrastive divergence."""

from numbers import Integral

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import BlockGibbs as BlockGibbsCapability
from sklvm.energies import Marginal
from sklvm.objectives._base import Objective
from sklvm.objectives._contrastive_divergence import likelihood_gradient
from sklvm.samplers import BlockGibbs

__all__ = ["PersistentContrastiveDivergence"]


class PersistentContrastiveDivergence(Objective):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], chains that go on from batch to batch (Tieleman, 2008).

    Follows maximum likelihood as long as the chains keep up with θ: the learning rate has to fall.
    The number of chains is independent of the batch size. There is no value to report.

    Parameters
    ----------
    n_chains : int, default=100
    n_steps : int, default=1
        Sweeps of the chains for a batch.

    Examples
    --------
    >>> from sklvm.objectives import PersistentContrastiveDivergence
    >>> PersistentContrastiveDivergence(n_chains=500)
    PersistentContrastiveDivergence(n_chains=500)
    """

    requires = (Marginal, BlockGibbsCapability)
    has_value = False
    _parameter_constraints = {
        "n_chains": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_chains=100, n_steps=1):
        self.n_chains = n_chains
        self.n_steps = n_steps

    def init(self, energy, theta, X, weights, rng):
        start = X[rng.choice(len(X), self.n_chains, p=weights / weights.sum(dtype=np.float64))]
        chains = BlockGibbs(energy).init(start, rng.integers(2**63))
        return np.empty(0, dtype=theta.dtype), chains

    def step(self, energy, theta, X, weights, state, rng):
        chains = BlockGibbs(energy).step(theta, state, self.n_steps)
        uniform = np.full(self.n_chains, 1 / self.n_chains, dtype=X.dtype)
        gradient = likelihood_gradient(energy, theta, X, weights, chains.visible, uniform)
        return None, gradient, chains
