"""Hamiltonian and Langevin chains of an energy with a score, tuned while they run."""

from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import ChainState, Score
from sklvm.samplers._chains import Chains
from sklvm.samplers._hamiltonian_monte_carlo import HamiltonianMonteCarlo

__all__ = ["HamiltonianChains", "HamiltonianTuning", "langevin_chains"]


@dataclass(frozen=True)
class HamiltonianTuning:
    """The step size of Hamiltonian chains, and the scale of each feature.

    Attributes
    ----------
    step_size : float
        ε.
    squared_score : ndarray of shape (d,)
        The running mean of ψ_j².
    """

    step_size: float
    squared_score: np.ndarray


class HamiltonianChains(Chains):
    """Hamiltonian Monte Carlo that tunes itself while it runs, because the target moves with θ.

    Latent units are summed out; only the free features move.

    The step size ε follows the acceptance rate α by Robbins and Monro's recursion, over the number
    t of transitions,

    ::

        log ε ← log ε + max(t^(−½), 0.1) (α − α*).

    Feature j is scaled by 1/√E[ψ_j²], the inverse root of the diagonal of the Fisher information
    E[ψψᵀ] = E[−∇²log p], which is the preconditioner of Titsias ("Optimal preconditioning and
    Fisher adaptive Langevin sampling", NeurIPS 2023) without its off-diagonal entries. It needs no
    data, suits features of any units, and costs no product of matrices. Strong correlations are
    left to the length of the trajectories, or to a whitener before the model.

    Since gains do not fall to zero, the chains are those of an adaptive sampler: their distribution
    is the model's up to an error of the size of the gains, as it is up to the movement of θ.

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
    >>> state = chains.start(energy, theta, np.zeros((500, 2)), seed=0)
    >>> rates = []
    >>> for _ in range(200):
    ...     state, info = chains.sweep(energy, theta, state)
    ...     rates.append(info["acceptance_rate"])
    >>> np.round(state.visible.std(axis=0) / [1.0, 100.0])
    array([1., 1.])
    >>> print(f"{np.mean(rates[100:]):.1f}")
    0.8
    """

    requires = (Score,)
    _parameter_constraints = {
        "n_leapfrog_steps": [Interval(Integral, 1, None, closed="left")],
        "target_acceptance": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, n_leapfrog_steps=5, target_acceptance=0.65):
        self.n_leapfrog_steps = n_leapfrog_steps
        self.target_acceptance = target_acceptance

    def start(self, energy, theta, X, seed):
        curvature = np.full(energy.n_features, energy.curvature(theta), dtype=np.float64)
        return ChainState((X,), int(seed), tuning=HamiltonianTuning(0.5, curvature))

    def sweep(self, energy, theta, state, *, free=None, tempering=None):
        """One trajectory; of `tempering`, θ₀ is a density with ``log_density`` and ``score``."""
        target = _target(energy, theta, tempering)
        sampler = HamiltonianMonteCarlo(self.n_leapfrog_steps)
        rng = np.random.default_rng([state.seed, state.sweep + 1])
        scales = 1 / np.sqrt(state.tuning.squared_score)
        before = sampler.init(target, state.visible)
        after, info = sampler.step(target, before, state.tuning.step_size, rng, scales, free)
        gain = max((state.sweep + 1) ** -0.5, 0.1)
        change = np.exp(gain * (info["acceptance_rate"] - self.target_acceptance))
        squared = np.einsum("ij,ij->j", after.gradient, after.gradient) / len(after.position)
        tuning = HamiltonianTuning(
            float(state.tuning.step_size * change),
            state.tuning.squared_score + 0.1 * (squared - state.tuning.squared_score),
        )
        info = {"acceptance_rate": info["acceptance_rate"], "step_size": tuning.step_size}
        return replace(state.moved((after.position,)), tuning=tuning), info


def langevin_chains():
    """Trajectories of one leapfrog step: the Metropolis-adjusted Langevin algorithm."""
    return HamiltonianChains(n_leapfrog_steps=1, target_acceptance=0.574)


def _target(energy, theta, tempering):
    """Positions → log p̃ and its gradient, or those of (1 − β) log p_0 + β log p̃."""

    def target(X):
        energies, psi = energy.energy_and_score(theta, X)
        if tempering is None:
            return -energies, psi
        density, beta = tempering[0], theta.dtype.type(tempering[1])
        log_density = (1 - beta) * density.log_density(X) - beta * energies
        return log_density, (1 - beta) * density.score(X) + beta * psi

    return target
