"""Noise-contrastive estimation."""

import math
from numbers import Integral

import numpy as np

from sklvm._compat import HasMethods, Interval, StrOptions
from sklvm.energies import GaussianDensity, IndependentBernoulliDensity, Marginal, Score
from sklvm.kernels import sigmoid, softplus
from sklvm.objectives._base import Objective
from sklvm.parameters import ParameterLayout

__all__ = ["NoiseContrastiveEstimation"]

REFERENCES = {
    "gaussian": GaussianDensity,
    "independent_bernoulli": IndependentBernoulliDensity,
}


class NoiseContrastiveEstimation(Objective):
    """Logistic regression of data against ν times as much noise.

    ::

        J = E_data[softplus(−G)] + ν E_noise[softplus(G)],
        G(x) = log p̃(x) − c − log p_n(x) − log ν        (Gutmann & Hyvärinen, JMLR 2012, eq. 8).

    c estimates log Z and is learned with θ; it starts where G is centred. It is held as √d·γ, so
    that an optimiser with steps of a given length follows log Z, which grows with the width d of
    the data. Consistent for every ν, and tends to maximum likelihood as ν grows. Fresh noise is
    drawn for every batch.

    Parameters
    ----------
    noise_ratio : int, default=10
        ν, noise rows a data row.
    reference : {"auto", "gaussian", "independent_bernoulli"} or density, default="auto"
        The noise p_n, fitted to the training data, or a density with ``log_density(X)`` and
        ``sample(n_samples, rng)`` as it is. "auto" is the Gaussian for energies over real data,
        which have a score, and independent units for those over binary data.

    Examples
    --------
    >>> from sklvm.objectives import NoiseContrastiveEstimation
    >>> NoiseContrastiveEstimation(noise_ratio=20)
    NoiseContrastiveEstimation(noise_ratio=20)
    """

    requires = (Marginal,)
    _parameter_constraints = {
        "noise_ratio": [Interval(Integral, 1, None, closed="left")],
        "reference": [StrOptions({"auto", *REFERENCES}), HasMethods(["log_density", "sample"])],
    }

    def __init__(self, noise_ratio=10, reference="auto"):
        self.noise_ratio = noise_ratio
        self.reference = reference

    def extra_layout(self, energy):
        """γ = c/√d."""
        return ParameterLayout({"log_partition_per_root_feature": ()})

    def init(self, energy, theta, X, weights, rng):
        noise = self.reference
        if noise == "auto":
            noise = "gaussian" if isinstance(energy, Score) else "independent_bernoulli"
        if isinstance(noise, str):
            noise = REFERENCES[noise].fit(X, len(X) * weights)
        rows = X[rng.permutation(len(X))[:1000]]
        draws = noise.sample(len(rows), rng).astype(X.dtype, copy=False)
        log_ratios = [
            np.mean(-energy.evaluate(theta, Y)[0] - noise.log_density(Y)) for Y in (rows, draws)
        ]
        start = 0.5 * sum(log_ratios) - math.log(self.noise_ratio)
        return np.full(1, start / math.sqrt(X.shape[1]), dtype=theta.dtype), noise

    def step(self, energy, theta, X, weights, state, rng):
        nu, n = self.noise_ratio, len(X)
        noise = state.sample(nu * n, rng).astype(X.dtype, copy=False)
        both = np.vstack([X, noise])
        energies, pullback = energy.evaluate(theta[: energy.layout.size], both)
        root = math.sqrt(X.shape[1])
        offset = float(theta[-1]) * root + math.log(nu)
        contrast = -energies - state.log_density(both).astype(X.dtype) - X.dtype.type(offset)

        value = weights @ softplus(-contrast[:n]) + softplus(contrast[n:]).sum() / n
        # ∂J/∂G a row, and G = −E − c − …
        slope = np.empty_like(contrast)
        slope[:n] = -weights * sigmoid(-contrast[:n])
        slope[n:] = sigmoid(contrast[n:]) / n
        gradient = np.empty_like(theta)
        gradient[:-1] = pullback(-slope)
        gradient[-1] = -slope.sum() * root
        return float(value), gradient, state
