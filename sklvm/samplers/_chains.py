"""Markov chains for training: one face for every sampler, of a model whose θ moves."""

from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import BlockGibbs as BlockGibbsCapability
from sklvm.energies import IndependentBinaryLatents, Score
from sklvm.samplers._block_gibbs import BlockGibbs, GibbsState
from sklvm.samplers._hamiltonian_monte_carlo import HamiltonianMonteCarlo
from sklvm.settings import Settings

__all__ = ["CHAINS", "Chains", "GibbsChains", "HamiltonianChains", "HamiltonianChainsState"]


class Chains(Settings):
    """A way to move chains at whatever θ training has reached.

    A state has the chains in ``visible``, shape (n_chains, d), in ``hidden_means`` E[z | x] there
    or None, and ``diagnostics()``, floats by name that tell of the last transitions. ``at(visible,
    hidden_means)`` moves the chains elsewhere and keeps what the sampler has learned on the way.

    Attributes
    ----------
    requires : tuple of protocols
        The capabilities that it asks of an energy.
    """

    requires: tuple = ()

    def init(self, energy, theta, visible, seed):
        """The state of chains at `visible`; `seed` keys all their draws."""
        raise NotImplementedError

    def step(self, energy, theta, state, n_steps=1):
        """The state after `n_steps` transitions at θ."""
        raise NotImplementedError


class GibbsChains(Chains):
    """Chains of block Gibbs sampling: nothing to tune.

    Where the energy has ``IndependentBinaryLatents``, a step ends with their means, for the
    gradient as for the next step's first draw of z. One product in six is saved so; that draw is
    from p(z | x) at the θ of the gradient, and lags behind by half a sweep.

    Examples
    --------
    >>> from sklvm.objectives import PersistentContrastiveDivergence
    >>> from sklvm.samplers import GibbsChains
    >>> objective = PersistentContrastiveDivergence(sampler=GibbsChains())
    """

    requires = (BlockGibbsCapability,)

    def init(self, energy, theta, visible, seed):
        return BlockGibbs(energy).init(visible, seed)

    def step(self, energy, theta, state, n_steps=1):
        if not isinstance(energy, IndependentBinaryLatents):
            return BlockGibbs(energy).step(theta, state, n_steps)
        visible, means = state.visible, state.hidden_means
        for sweep in range(state.sweep, state.sweep + n_steps):
            if means is None:
                hidden = energy.sample_hidden(theta, visible, state.seed, sweep)
            else:
                hidden = energy.draw_hidden(means, state.seed, sweep)
            visible = energy.sample_visible(theta, hidden, state.seed, sweep)
            means = None
        means = energy.posterior(theta, visible)
        return GibbsState(visible, state.seed, state.sweep + n_steps, means)


@dataclass
class HamiltonianChainsState:
    """Chains, one a row, with all that is learned about how far they may step.

    ``squared_score`` is the running mean of ψ_j², shape (d,); ``acceptance`` is that of the last
    call's transitions.
    """

    visible: np.ndarray
    seed: int
    step_size: float
    squared_score: np.ndarray
    n_transitions: int = 0
    acceptance: float = float("nan")

    # They are not on the way of a trajectory.
    hidden_means = None

    def at(self, visible, hidden_means=None):
        """The state with its chains elsewhere."""
        return replace(self, visible=visible)

    def diagnostics(self):
        """The mean acceptance probability, and the step size as it is now."""
        return {"acceptance_rate": self.acceptance, "step_size": self.step_size}


class HamiltonianChains(Chains):
    """Hamiltonian Monte Carlo that tunes itself all along, for the target moves with θ.

    The step size ε follows the acceptance rate α by Robbins and Monro's recursion, over the number
    t of transitions,

    ::

        log ε ← log ε + max(t^(−½), 0.1) (α − α*).

    Feature j is scaled by 1/√E[ψ_j²], the inverse root of the diagonal of the Fisher information
    E[ψψᵀ] = E[−∇²log p], which is the preconditioner of Titsias ("Optimal preconditioning and
    Fisher adaptive Langevin sampling", NeurIPS 2023) without its off-diagonal entries. It needs no
    data, suits features of any units, and costs no product of matrices. Strong correlations are
    left to the length of the trajectories, or to a whitener before the model.

    Since gains do not fall to zero, the chains are those of an adaptive sampler: their law is the
    model's up to an error of the size of the gains, as it is up to the movement of θ.

    One leapfrog step is the Metropolis-adjusted Langevin algorithm, for which Roberts and Rosenthal
    (1998) find α* = 0.574; longer trajectories have 0.651 (Beskos et al., Bernoulli 19, 2013).

    Parameters
    ----------
    n_leapfrog_steps : int, default=5
        Evaluations of the energy and its score for a transition.
    target_acceptance : float, default=0.65
        α*, in (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.energies import GaussianEnergy
    >>> from sklvm.samplers import HamiltonianChains
    >>> energy = GaussianEnergy(n_features=2)
    >>> theta = energy.pack(np.zeros(2), np.diag([1.0, 1e-4]))
    >>> chains = HamiltonianChains(target_acceptance=0.8)
    >>> state = chains.init(energy, theta, np.zeros((500, 2)), seed=0)
    >>> state = chains.step(energy, theta, state, n_steps=200)
    >>> np.round(state.visible.std(axis=0) / [1.0, 100.0])
    array([1., 1.])
    >>> bool(abs(state.acceptance - 0.8) < 0.1)
    True
    """

    requires = (Score,)
    _parameter_constraints = {
        "n_leapfrog_steps": [Interval(Integral, 1, None, closed="left")],
        "target_acceptance": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, n_leapfrog_steps=5, target_acceptance=0.65):
        self.n_leapfrog_steps = n_leapfrog_steps
        self.target_acceptance = target_acceptance

    def init(self, energy, theta, visible, seed):
        curvature = np.full(energy.n_features, energy.curvature(theta), dtype=np.float64)
        return HamiltonianChainsState(visible, int(seed), 0.5, curvature)

    def step(self, energy, theta, state, n_steps=1):
        def target(position):
            energies, psi = energy.energy_and_score(theta, position)
            return -energies, psi

        sampler = HamiltonianMonteCarlo(self.n_leapfrog_steps)
        chains = sampler.init(target, state.visible)
        step_size, squared_score, total = state.step_size, state.squared_score, 0.0
        for t in range(state.n_transitions + 1, state.n_transitions + n_steps + 1):
            rng = np.random.default_rng([state.seed, t])
            scales = 1 / np.sqrt(squared_score)
            chains = sampler.step(target, chains, step_size, rng, scales)
            total += chains.acceptance
            gain = max(t**-0.5, 0.1)
            step_size *= np.exp(gain * (chains.acceptance - self.target_acceptance))
            squared = np.einsum("ij,ij->j", chains.gradient, chains.gradient) / len(state.visible)
            squared_score = squared_score + 0.1 * (squared - squared_score)
        return replace(
            state,
            visible=chains.position,
            step_size=float(step_size),
            squared_score=squared_score,
            n_transitions=state.n_transitions + n_steps,
            acceptance=total / n_steps,
        )


def _langevin_chains():
    return HamiltonianChains(n_leapfrog_steps=1, target_acceptance=0.574)


CHAINS = {
    "block_gibbs": GibbsChains,
    "hmc": HamiltonianChains,
    "langevin": _langevin_chains,
}
