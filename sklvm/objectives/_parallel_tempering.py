"""Parallel tempering."""

import math
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
from scipy.special import ndtri

from sklvm._compat import Interval
from sklvm.energies import ChainState, Gibbs, Marginal, PositivePhase, Tempered
from sklvm.objectives._base import Objective
from sklvm.objectives._chain_likelihood import PERSISTENT_INPUTS, likelihood_gradient
from sklvm.partition import annealing_path, fit_reference

__all__ = ["ParallelTempering"]

# Rates of accepted swaps that are left alone, the one aimed at, and sweeps from look to look.
LOWEST_RATE, HIGHEST_RATE, IDEAL_RATE = 0.2, 0.4, 0.3
SWEEPS_A_WINDOW = 20


class ParallelTempering(Objective):
    """∇ ≈ E_data[∂E/∂θ] − E_chains[∂E/∂θ], persistent chains helped by flatter ones [1]_, [2]_.

    Beside the chains of the model, replicas run along the energy's tempered path, down to a
    reference whose draws are independent. After each sweep, neighbours x and y at β < γ swap their
    states with probability min(1, p_γ(x) p_β(y) / (p_β(x) p_γ(y))), which leaves every p_β as it
    is: chains reach modes that no chain of sweeps at β = 1 would find. Only the chains at β = 1
    enter the gradient.

    The ladder of temperatures adapts, in number and in place, so that 20–40% of the swaps between
    neighbours succeed: near the start, where the model is all but the reference, β = 0 and 1
    suffice. There is no value to report.

    Parameters
    ----------
    n_chains : int, default=100
        Chains at each temperature.
    n_steps : int, default=1
        Sweeps of the chains for a batch.
    max_temperatures : int, default=50
        The greatest number of temperatures. Where it does not suffice, swaps become rarer.

    References
    ----------
    .. [1] Desjardins, Courville, Bengio, Vincent, Delalleau, "Tempered Markov chain Monte Carlo for
       training of restricted Boltzmann machines", AISTATS 2010.
    .. [2] Cho, Raiko, Ilin, "Parallel tempering is efficient for learning restricted Boltzmann
       machines", IJCNN 2010.

    Examples
    --------
    >>> from sklvm.objectives import ParallelTempering
    >>> ParallelTempering(n_chains=50)
    ParallelTempering(n_chains=50)
    """

    requires = ((Marginal, PositivePhase), Gibbs, Tempered)
    has_value = False
    _state_ignores = ("n_steps", "max_temperatures")
    _parameter_constraints = {
        "n_chains": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "max_temperatures": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(self, n_chains=100, n_steps=1, max_temperatures=50):
        self.n_chains = n_chains
        self.n_steps = n_steps
        self.max_temperatures = max_temperatures

    def conditional_obstacle(self, energy):
        return PERSISTENT_INPUTS

    def init(self, energy, theta, X, counts, rng):
        reference = fit_reference(energy, X, counts)
        rows = rng.choice(len(X), self.n_chains, p=counts / counts.sum(dtype=np.float64))
        start = energy.start(theta.energy, X[rows], int(rng.integers(2**63)))
        replicas = tuple(np.stack([block, block]) for block in start.blocks)
        return _Replicas(reference, np.array([0.0, 1.0]), replicas, np.zeros(1), np.zeros(1))

    def step(self, energy, theta, X, weights, state, rng):
        path = annealing_path(energy, theta.energy, state.reference)
        for _ in range(self.n_steps):
            state = _swapped(path, state, _swept(path, state, rng), rng)
            if state.n_sweeps % SWEEPS_A_WINDOW == 0:
                state = _adapted(state, self.max_temperatures)
        uniform = np.full(self.n_chains, 1 / self.n_chains, dtype=X.dtype)
        data = ChainState((X,), int(rng.integers(2**63)))
        chains = ChainState(state.at(-1), 0)
        gradient = likelihood_gradient(energy, theta.energy, data, weights, chains, uniform)
        return None, theta.like(gradient), state

    def diagnostics(self, state):
        """``swap_rate``: the mean rate of accepted swaps; ``n_temperatures``."""
        rates = state.rates()
        known = rates[~np.isnan(rates)]
        swap_rate = float(known.mean()) if len(known) else state.last_rate
        return {"swap_rate": swap_rate, "n_temperatures": len(state.betas)}


@dataclass
class _Replicas:
    """Chains at every temperature of a ladder, and how often neighbours swapped of late."""

    reference: np.ndarray
    betas: np.ndarray
    blocks: tuple  # arrays of shape (n_temperatures, n_chains, width)
    acceptance: np.ndarray  # sums over the window, one for each pair of neighbours
    attempts: np.ndarray
    n_sweeps: int = 0
    last_rate: float = float("nan")

    @property
    def visible(self):
        """The visible units at all temperatures."""
        return self.blocks[0]

    def at(self, temperature):
        """The blocks of the chains at one of the temperatures."""
        return tuple(block[temperature] for block in self.blocks)

    def rates(self):
        """Mean acceptance of the swaps of each pair; NaN where none was tried."""
        rates = np.full_like(self.acceptance, np.nan)
        return np.divide(self.acceptance, self.attempts, out=rates, where=self.attempts > 0)


def _swept(path, state, rng):
    """``ChainState`` after a sweep at each temperature; those of the reference are drawn anew."""
    states = [path.start(state.blocks[0].shape[1], rng)]
    for temperature, beta in enumerate(state.betas[1:], start=1):
        chains = ChainState(state.at(temperature), int(rng.integers(2**63)))
        states.append(path.move(chains, beta, None, rng)[0])
    return states


def _swapped(path, state, chains, rng):
    """The state after swaps between neighbours, of the even and of the odd pairs in turns."""
    betas, n_sweeps = state.betas, state.n_sweeps + 1
    blocks = tuple(np.stack(group) for group in zip(*(c.blocks for c in chains), strict=True))
    acceptance, attempts = (
        np.zeros(len(betas) - 1) + s for s in (state.acceptance, state.attempts)
    )
    first = n_sweeps % 2 if len(betas) > 2 else 0
    for i in range(first, len(betas) - 1, 2):
        pair = betas[i], betas[i + 1]
        log_ratio = path.log_density_change(chains[i], *pair)
        log_ratio += path.log_density_change(chains[i + 1], *pair[::-1])
        swap = np.log(rng.random(len(log_ratio))) < log_ratio
        for block in blocks:
            block[i, swap], block[i + 1, swap] = block[i + 1, swap], block[i, swap]
        acceptance[i] += np.exp(np.minimum(log_ratio, 0)).mean()
        attempts[i] += 1
    return replace(
        state, blocks=blocks, n_sweeps=n_sweeps, acceptance=acceptance, attempts=attempts
    )


def _adapted(state, max_temperatures):
    """Replicas on a better ladder, each started from that at the nearest temperature."""
    rates = state.rates()
    betas = _respaced(state.betas, rates, max_temperatures)
    nearest = np.abs(betas[:, np.newaxis] - state.betas).argmin(axis=1)
    return replace(
        state,
        betas=betas,
        blocks=tuple(block[nearest] for block in state.blocks),
        acceptance=np.zeros(len(betas) - 1),
        attempts=np.zeros(len(betas) - 1),
        last_rate=float(rates.mean()),
    )


def _respaced(betas, rates, max_temperatures):
    """A ladder of equal rates near the ideal one.

    Where d log p̃_β/dβ is normal of standard deviation σ, swaps over a gap Δβ succeed at the rate
    2Φ(−ℓ/√2) with ℓ = σΔβ, its length. Lengths add up, and are shared out evenly.
    """
    if np.all((rates >= LOWEST_RATE) & ((rates <= HIGHEST_RATE) | (len(betas) == 2))):
        return betas
    places = np.concatenate([[0], np.cumsum(_length_of_gap(rates))])
    n_gaps = max(
        round(places[-1] / _length_of_gap(IDEAL_RATE)),
        math.ceil(places[-1] / _length_of_gap(LOWEST_RATE)),
        1,
    )
    n_gaps = min(n_gaps, max_temperatures - 1)
    betas = np.interp(np.linspace(0, places[-1], n_gaps + 1), places, betas)
    betas[0], betas[-1] = 0.0, 1.0
    return betas


def _length_of_gap(rate):
    # Swaps that never or always succeed tell no more than that.
    return -math.sqrt(2) * ndtri(np.clip(rate, 1e-3, 1 - 1e-6) / 2)
