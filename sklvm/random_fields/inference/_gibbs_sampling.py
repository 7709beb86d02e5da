"""Gibbs sampling of labels."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from sklvm._compat import Interval
from sklvm.kernels import uniform
from sklvm.random_fields.inference._base import Inference
from sklvm.random_fields.inference._iterated_conditional_modes import IteratedConditionalModes
from sklvm.random_fields.inference._pairwise_model import Marginals

__all__ = ["GibbsSampling"]


class GibbsSampling(Inference):
    """Each site's label drawn given its neighbours', one colour after the other.

    ``marginals`` averages the probabilities that the labels are drawn with, over all sweeps after
    the first ones: less noise than counts of labels. ``labels`` cools a chain down, its temperature
    falling from 1 to 0 in equal steps, and lets iterated conditional modes finish: simulated
    annealing.

    Parameters
    ----------
    n_sweeps : int, default=200
        Sweeps that count.
    n_burn_in : int, default=50
        Sweeps before them.
    n_chains : int, default=1
        Chains side by side, whose averages are averaged.

    Notes
    -----
    Random numbers are indexed by chain, site and sweep: results are the same bits for any number
    of threads.

    References
    ----------
    Geman and Geman, "Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of
    images", IEEE Trans. Pattern Anal. Mach. Intell. 6 (1984).

    Examples
    --------
    >>> from sklvm.random_fields.inference import GibbsSampling, PairwiseModel
    >>> model = PairwiseModel([[0, 1.5], [0, 1.5], [3, 0]], [(0, 1), (1, 2)], [[0, 2], [2, 0]])
    >>> GibbsSampling().labels(model, random_state=0)
    array([0, 0, 1])
    """

    has_log_partition = False
    _parameter_constraints = {
        "n_sweeps": [Interval(Integral, 1, None, closed="left")],
        "n_burn_in": [Interval(Integral, 0, None, closed="left")],
        "n_chains": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_sweeps=200, n_burn_in=50, n_chains=1):
        self.n_sweeps = n_sweeps
        self.n_burn_in = n_burn_in
        self.n_chains = n_chains

    def labels(self, model, random_state=None, n_threads=None):
        seed, sweeps = _seed(random_state), model.sweeps(n_threads)
        labels = _independent_labels(model, seed, 0)
        for sweep, temperature in enumerate(np.linspace(1, 0, self.n_sweeps, endpoint=False), 1):
            sweeps.gibbs(1 / temperature, _uniforms(model, seed, 0, sweep), labels, None)
        return IteratedConditionalModes().improve(model, labels, n_threads)

    def marginals(self, model, random_state=None, n_threads=None):
        seed, sweeps = _seed(random_state), model.sweeps(n_threads)
        sums = np.zeros(model.unary.shape)
        for chain in range(self.n_chains):
            labels = _independent_labels(model, seed, chain)
            for sweep in range(1, 1 + self.n_burn_in + self.n_sweeps):
                counts = sweep > self.n_burn_in
                uniforms = _uniforms(model, seed, chain, sweep)
                sweeps.gibbs(1.0, uniforms, labels, sums if counts else None)
        sites = sums / (self.n_chains * self.n_sweeps)
        return Marginals(sites, None, None, None, self.n_burn_in + self.n_sweeps)

    def sample(self, model, n_samples, random_state=None, n_threads=None):
        """Labels of `n_samples` chains after all their sweeps, of shape (n_samples, n_sites)."""
        seed, sweeps = _seed(random_state), model.sweeps(n_threads)
        draws = np.empty((n_samples, model.n_sites), dtype=np.int64)
        for chain in range(n_samples):
            labels = _independent_labels(model, seed, chain)
            for sweep in range(1, 1 + self.n_burn_in + self.n_sweeps):
                sweeps.gibbs(1.0, _uniforms(model, seed, chain, sweep), labels, None)
            draws[chain] = labels
        return draws


def _seed(random_state):
    return int(check_random_state(random_state).randint(2**31))


def _uniforms(model, seed, chain, sweep):
    return uniform((1, model.n_sites), seed, row_offset=chain, sweep=sweep)[0]


def _independent_labels(model, seed, chain):
    """Drawn as if there were no neighbours."""
    p = np.exp(model.unary.min(axis=1, keepdims=True) - model.unary)
    cumulated = np.cumsum(p, axis=1)
    thresholds = _uniforms(model, seed, chain, 0) * cumulated[:, -1]
    return (thresholds[:, np.newaxis] >= cumulated[:, :-1]).sum(axis=1).astype(np.int32)
