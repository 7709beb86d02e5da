"""Contrastive divergence."""

from numbers import Integral

from sklvm._compat import Interval
from sklvm.objectives._chain_likelihood import (
    ChainLikelihood,
    MovedChains,
    likelihood_gradient,
)

__all__ = ["ContrastiveDivergence"]


class ContrastiveDivergence(ChainLikelihood):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], chains started at the data (Hinton, 2002, eq. 6).

    Hidden units that are independent given x are summed out in both phases. k transitions do not
    reach the model's distribution, so the fixed point is biased, unless the data are the model's
    own, which no transition changes; the bias falls with k. There is no value to report.

    Parameters
    ----------
    n_steps : int, default=1
        k, transitions of the chains for a batch.
    sampler : {"auto", "gibbs", "hmc", "langevin"} or Chains, default="auto"
        How the chains move. "auto" is Gibbs sampling for energies that have it, else
        Hamiltonian Monte Carlo, whose step size is tuned from batch to batch.

    Examples
    --------
    >>> from sklvm.objectives import ContrastiveDivergence
    >>> ContrastiveDivergence(n_steps=5)
    ContrastiveDivergence(n_steps=5)
    """

    _state_ignores = ("n_steps",)
    _parameter_constraints = {
        "n_steps": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_steps=1, sampler="auto"):
        self.n_steps = n_steps
        self.sampler = sampler

    def init(self, energy, theta, X, counts, rng):
        start = self.chains(energy).start(energy, theta.energy, X[:1], rng.integers(2**63))
        return MovedChains(start, {})

    def step(self, energy, theta, X, weights, state, rng):
        data = self.chains(energy).restart(energy, theta.energy, state.state, X)
        state = self._swept(energy, theta.energy, data)
        gradient = likelihood_gradient(energy, theta.energy, data, weights, state.state, weights)
        return None, theta.like(gradient), state
