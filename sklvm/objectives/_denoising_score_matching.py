"""Denoising score matching."""

from numbers import Real

import numpy as np

from sklvm._compat import Interval
from sklvm.energies import Score, free_entries
from sklvm.kernels import standard_normal
from sklvm.objectives._base import Objective

__all__ = ["DenoisingScoreMatching"]


class DenoisingScoreMatching(Objective):
    """J(θ) = E_{x, ε}[½‖ψ(x + sε) + ε/s‖² − ½‖ε/s‖²],  ε ~ N(0, I) (Vincent, 2011, eq. 11).

    The subtracted term is free of θ; with it, J tends to the value of exact score matching as s →
    0.

    **What is fitted is the density of the noisy data**, p_data ∗ N(0, s²I), not that of the data:
    at a fixed s the parameters' error stops falling with n. A small s has less bias and a gradient
    of greater variance, about d/s² a row.

    Parameters
    ----------
    noise_level : float, default=0.3
        s, the standard deviation of the noise, in the units of x. The default suits standardised
        features.

    Examples
    --------
    >>> from sklvm.objectives import DenoisingScoreMatching
    >>> DenoisingScoreMatching(noise_level=0.1)
    DenoisingScoreMatching(noise_level=0.1)
    """

    requires = (Score,)
    _parameter_constraints = {"noise_level": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, noise_level=0.3):
        self.noise_level = noise_level

    def step(self, energy, theta, X, weights, state, rng):
        noise = standard_normal(X.shape, int(rng.integers(2**63)), dtype=X.dtype)
        if (free := free_entries(energy)) is not None:
            noise *= free
        level = X.dtype.type(self.noise_level)
        psi, pullback = energy.score(theta.energy, X + level * noise)
        noise /= level
        per_row = 0.5 * np.einsum("ij,ij->i", psi, psi) + np.einsum("ij,ij->i", psi, noise)
        gradient = pullback(weights[:, np.newaxis] * (psi + noise))
        return float(weights @ per_row), theta.like(gradient), state
