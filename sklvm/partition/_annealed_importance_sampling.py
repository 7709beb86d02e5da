"""Annealed importance sampling, from the reference to the model and back."""

from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
from scipy.special import logsumexp

from sklvm._compat import Interval
from sklvm.partition._estimate import PartitionEstimate
from sklvm.samplers import DualAveraging
from sklvm.settings import Settings

__all__ = ["AnnealedImportanceSampling", "anneal"]


class AnnealedImportanceSampling(Settings):
    """The budget of annealed importance sampling (Neal, Statistics and Computing 11, 2001).

    Chains go from the reference to the model; the mean of their weights estimates Z without bias,
    and log Z from below. A pilot run places the temperatures so that each carries the same share of
    the path's thermodynamic length (Gelman & Meng, Statistical Science 13, 1998, section 4), and
    tunes the samplers' steps, which stay frozen in the run that counts.

    Chains that start at draws from the model and go back to the reference estimate 1/Z without
    bias, and log Z from above: the two make a bracket (Grosse, Ghahramani & Adams, "Sandwiching the
    marginal likelihood using bidirectional Monte Carlo", 2015). The upper bound holds as far as the
    chains do start at draws from the model. Those are independent draws where the model allows
    that; elsewhere they are the forward chains, moved on at β = 1 as often as there are
    temperatures, and a mode that those have missed is missing from the upper bound, too.

    Parameters
    ----------
    n_temperatures : int, default=None
        Distributions from the reference to the model. None: 1,000, or fewer for small data: one for
        every 20 entries of the training matrix, at least 50.
    n_chains : int, default=100
    n_leapfrog_steps : int, default=5
        Of each Hamiltonian transition; unused with Gibbs sampling.
    bracket : bool, default=False
        Whether chains go back as well, at three times the cost where they start from moved ones.

    Examples
    --------
    >>> from sklvm.partition import AnnealedImportanceSampling
    >>> AnnealedImportanceSampling(n_temperatures=10_000)
    AnnealedImportanceSampling(n_temperatures=10000)
    """

    _parameter_constraints = {
        "n_temperatures": [Interval(Integral, 2, None, closed="left"), None],
        "n_chains": [Interval(Integral, 2, None, closed="left")],
        "n_leapfrog_steps": [Interval(Integral, 1, None, closed="left")],
        "bracket": ["boolean"],
    }

    def __init__(self, n_temperatures=None, n_chains=100, n_leapfrog_steps=5, bracket=False):
        self.n_temperatures = n_temperatures
        self.n_chains = n_chains
        self.n_leapfrog_steps = n_leapfrog_steps
        self.bracket = bracket

    def for_data(self, n_entries):
        """The same budget with the number of temperatures settled for data of this many entries."""
        if self.n_temperatures is not None:
            return self
        return AnnealedImportanceSampling(
            int(np.clip(n_entries // 20, 50, 1000)),
            self.n_chains,
            self.n_leapfrog_steps,
            self.bracket,
        )

    def estimate(self, path, rng, *, method="ais", draw=None, progress=None):
        """log Z of the path's end; its sampler has this budget's ``n_leapfrog_steps``.

        Parameters
        ----------
        path : path
        rng : Generator
        method : {"ais", "reverse_ais"}, default="ais"
            Which of the two runs gives the value.
        draw : callable, default=None
            (n, rng) → independent draws from the model, where the way back starts. None: the
            forward chains are moved on.
        progress : callable, default=None
            (done, total) → None, called after each temperature of a run.

        Returns
        -------
        estimate : PartitionEstimate
            With the bracket, where both runs were made.
        """
        schedule = _tune(path, self.n_temperatures or 1000, rng)
        forward = None
        if method == "ais" or self.bracket or draw is None:
            particles = path.start(self.n_chains, rng)
            particles, log_weights = _carry(path, particles, schedule, rng, progress)
            forward = _estimate(path.log_partition_0, log_weights, "ais")
        if method == "ais" and not self.bracket:
            return forward
        if draw is None:
            particles = _move_on(path, particles, schedule, len(schedule.betas), rng)
        else:
            particles = path.at(draw(self.n_chains, rng), rng)
        _, log_weights = _carry(path, particles, schedule.reversed(), rng, progress)
        backward = _estimate(path.log_partition_0, log_weights, "reverse_ais")
        if forward is None:
            return backward
        chosen = forward if method == "ais" else backward
        return replace(chosen, bracket=(forward.value, backward.value))


def anneal(path, n_temperatures, n_chains, rng, *, n_last_moves=0, observe=None, weighted=True):
    """Chains carried from the path's start to its end.

    Parameters
    ----------
    path : path
    n_temperatures, n_chains : int
    rng : Generator
    n_last_moves : int, default=0
        Transitions at β = 1, which follow after the weights are settled.
    observe : callable, default=None
        Called with the chains after each of these.
    weighted : bool, default=True
        Whether to compute weights.

    Returns
    -------
    state : ChainState
        The chains at β = 1.
    log_weights : ndarray of shape (n_chains,), or None
        Their importance weights with respect to p̃, relative to the start's Z.
    """
    schedule = _tune(path, n_temperatures, rng)
    start = path.start(n_chains, rng)
    particles, log_weights = _carry(path, start, schedule, rng, weighted=weighted)
    return _move_on(path, particles, schedule, n_last_moves, rng, observe), log_weights


@dataclass
class _Schedule:
    """Inverse temperatures in the order they are passed, and the length of steps at each."""

    betas: np.ndarray
    step_sizes: np.ndarray

    def reversed(self):
        return _Schedule(self.betas[::-1], self.step_sizes[::-1])


def _carry(path, particles, schedule, rng, progress=None, weighted=True):
    """Chains at the schedule's end, and their log-weights with respect to its start."""
    betas, log_weights = schedule.betas, 0.0 if weighted else None
    for i in range(1, len(betas)):
        if weighted:
            log_weights += path.log_density_change(particles, betas[i - 1], betas[i])
        if i < len(betas) - 1:
            particles, _ = path.move(particles, betas[i], schedule.step_sizes[i], rng)
        if progress is not None:
            progress(i, len(betas) - 1)
    return particles, log_weights


def _move_on(path, particles, schedule, n_moves, rng, observe=None):
    """Chains after transitions at β = 1."""
    for _ in range(n_moves):
        particles, _ = path.move(particles, 1.0, schedule.step_sizes[-1], rng)
        if observe is not None:
            observe(particles)
    return particles


def _estimate(log_partition_0, log_weights, method):
    """log Z where the weights' mean is Z/Z₀ ("ais") or Z₀/Z ("reverse_ais")."""
    n_chains = len(log_weights)
    log_ratio = logsumexp(log_weights) - np.log(n_chains)
    weights = np.exp(log_weights - log_weights.max())
    size = weights.sum() ** 2 / (weights @ weights)
    # Delta method: sd(w)/(mean(w) √n), and sd²/mean² = n/ESS − 1.
    std_err = np.sqrt(max(n_chains / size - 1, 0) / (n_chains - 1))
    value = log_partition_0 + (log_ratio if method == "ais" else -log_ratio)
    return PartitionEstimate(float(value), float(std_err), float(size), method)


def _tune(path, n_temperatures, rng, n_chains=20):
    """Temperatures and step sizes, from a pilot run over evenly spaced temperatures."""
    n_pilot = int(np.clip(n_temperatures // 5, 20, 200))
    grid = np.linspace(0, 1, n_pilot)
    averaging = DualAveraging(step_size=0.5)
    particles = path.start(n_chains, rng)
    # Speed of the path at the middle of each interval: the standard deviation of d log p̃_β/dβ.
    speeds = np.empty(n_pilot - 1)
    log_steps = np.zeros(n_pilot)
    for i in range(1, n_pilot):
        change = path.log_density_change(particles, grid[i - 1], grid[i])
        speeds[i - 1] = change.std() / (grid[i] - grid[i - 1])
        particles, info = path.move(particles, grid[i], averaging.step_size, rng)
        if path.tunes_steps:
            averaging.update(info["acceptance_rate"])
        log_steps[i] = np.log(averaging.step_size)
    log_steps[0] = log_steps[1]
    log_steps = _running_mean(log_steps, 9)

    speeds = np.maximum(speeds, 1e-3 * speeds.max()) if speeds.max() > 0 else np.ones_like(speeds)
    length = np.concatenate([[0], np.cumsum(speeds)])
    betas = np.interp(np.linspace(0, length[-1], n_temperatures), length, grid)
    betas[0], betas[-1] = 0.0, 1.0
    return _Schedule(betas, np.exp(np.interp(betas, grid, log_steps)))


def _running_mean(values, width):
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")
