"""Contrastive divergence."""

from numbers import Integral

from sklvm._compat import Interval
from sklvm.objectives._chain_likelihood import ChainLikelihood, goes_by_means

__all__ = ["ContrastiveDivergence"]


class ContrastiveDivergence(ChainLikelihood):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], chains started at the data (Hinton, 2002, eq. 6).

    Hidden units are summed out in both phases. k transitions do not reach the model's distribution,
    so the fixed point is biased, unless the data are the model's own, which no transition changes;
    the bias falls with k. There is no value to report.

    Parameters
    ----------
    n_steps : int, default=1
        k, transitions of the chains for a batch.
    sampler : {"auto", "block_gibbs", "hmc", "langevin"} or Chains, default="auto"
        How the chains move. "auto" is block Gibbs sampling for energies that have it, else
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
        return self.chains(energy).init(energy, theta.energy, X[:1], rng.integers(2**63))

    def step(self, energy, theta, X, weights, state, rng):
        means = None
        if goes_by_means(energy):
            means = energy.posterior(theta.energy, X)
        state = self.chains(energy).step(energy, theta.energy, state.at(X, means), self.n_steps)
        gradient = self.gradient(
            energy,
            theta.energy,
            X,
            weights,
            state.visible,
            weights,
            data_means=means,
            chain_means=state.hidden_means,
        )
        return None, theta.like(gradient), state
