"""Persistent contrastive divergence."""

from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import ChainState
from sklvm.objectives._chain_likelihood import (
    PERSISTENT_INPUTS,
    ChainLikelihood,
    MovedChains,
    likelihood_gradient,
)

__all__ = ["PersistentContrastiveDivergence"]


class PersistentContrastiveDivergence(ChainLikelihood):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], chains that go on from batch to batch (Tieleman, 2008).

    Follows maximum likelihood as long as the chains keep up with θ: the learning rate has to fall.
    The number of chains is independent of the batch size. There is no value to report.

    Parameters
    ----------
    n_chains : int, default=100
    n_steps : int, default=1
        Transitions of the chains for a batch.
    sampler : {"auto", "gibbs", "hmc", "langevin"} or Chains, default="auto"
        How the chains move. "auto" is Gibbs sampling for energies that have it, else
        Hamiltonian Monte Carlo, whose step size is tuned all along.
    restart_fraction : float, default=0.0
        Share of the chains that start anew at rows of the batch before each step; Du and Mordatch
        (NeurIPS 2019) restart 0.05. It brings chains to modes of the data that they do not find
        themselves, and a bias: chains live for 1/`restart_fraction` steps on average.

    Examples
    --------
    >>> from sklvm.objectives import PersistentContrastiveDivergence
    >>> PersistentContrastiveDivergence(n_chains=500)
    PersistentContrastiveDivergence(n_chains=500)
    """

    _state_ignores = ("n_steps", "restart_fraction")
    _parameter_constraints = {
        "n_chains": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "restart_fraction": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, n_chains=100, n_steps=1, sampler="auto", restart_fraction=0.0):
        self.n_chains = n_chains
        self.n_steps = n_steps
        self.sampler = sampler
        self.restart_fraction = restart_fraction

    def conditional_obstacle(self, energy):
        return PERSISTENT_INPUTS

    def init(self, energy, theta, X, counts, rng):
        start = _draw_rows(X, counts, self.n_chains, rng)
        chains = self.chains(energy).start(energy, theta.energy, start, rng.integers(2**63))
        return MovedChains(chains, {})

    def step(self, energy, theta, X, weights, state, rng):
        chains = state.state
        if self.restart_fraction > 0:
            visible = chains.visible.copy()
            restarts = rng.random(self.n_chains) < self.restart_fraction
            visible[restarts] = _draw_rows(X, weights, np.count_nonzero(restarts), rng)
            chains = self.chains(energy).restart(energy, theta.energy, chains, visible)
        state = self._swept(energy, theta.energy, chains)
        uniform = np.full(self.n_chains, 1 / self.n_chains, dtype=X.dtype)
        data = ChainState((X,), int(rng.integers(2**63)))
        gradient = likelihood_gradient(energy, theta.energy, data, weights, state.state, uniform)
        return None, theta.like(gradient), state


def _draw_rows(X, weights, n_rows, rng):
    return X[rng.choice(len(X), n_rows, p=weights / weights.sum(dtype=np.float64))]
