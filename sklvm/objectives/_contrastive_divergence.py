"""Contrastive divergence."""

from numbers import Integral

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import BlockGibbs as BlockGibbsCapability
from sklvm.energies import Marginal
from sklvm.objectives._base import Objective
from sklvm.samplers import BlockGibbs

__all__ = ["ContrastiveDivergence", "likelihood_gradient"]


class ContrastiveDivergence(Objective):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], chains started at the data (Hinton, 2002, eq. 6).

    The hidden units are summed out in both phases. k steps of block Gibbs sampling do not reach the
    model's distribution, so the fixed point is biased; the bias falls with k. There is no value to
    report.

    Parameters
    ----------
    n_steps : int, default=1
        k, sweeps of the chains for a batch.

    Examples
    --------
    >>> from sklvm.objectives import ContrastiveDivergence
    >>> ContrastiveDivergence(n_steps=5)
    ContrastiveDivergence(n_steps=5)
    """

    requires = (Marginal, BlockGibbsCapability)
    has_value = False
    _parameter_constraints = {"n_steps": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, n_steps=1):
        self.n_steps = n_steps

    def step(self, energy, theta, X, weights, state, rng):
        gibbs = BlockGibbs(energy)
        chains = gibbs.step(theta, gibbs.init(X, rng.integers(2**63)), self.n_steps).visible
        return None, likelihood_gradient(energy, theta, X, weights, chains, weights), state


def likelihood_gradient(energy, theta, X, weights, chains, chain_weights):
    """Σ wᵢ ∂E(xᵢ)/∂θ − Σ vⱼ ∂E(yⱼ)/∂θ: minus the log-likelihood's gradient where yⱼ ~ p(·; θ)."""
    _, pullback = energy.evaluate(theta, np.vstack([X, chains]))
    return pullback(np.concatenate([weights, -chain_weights]))
