"""Noise-contrastive estimation."""

import math
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from sklvm._compat import HasMethods, Interval, StrOptions
from sklvm.energies import Marginal
from sklvm.kernels import sigmoid, softplus
from sklvm.layouts import ParameterLayout
from sklvm.objectives._base import Objective
from sklvm.objectives._reference_densities import REFERENCES, reference_density

__all__ = ["NoiseContrastiveEstimation"]


class NoiseContrastiveEstimation(Objective):
    """Logistic regression of data against ν times as much noise.

    ::

        J = E_data[softplus(−G)] + ν E_noise[softplus(G)],
        G(x) = log p̃(x) − c − log p_n(x) − log ν        (Gutmann & Hyvärinen, JMLR 2012, eq. 8).

    c estimates log Z and is learned with θ; it starts between the mean log-ratios log p̃ − log p_n
    of data and noise. It is held as √d·γ, so that an optimiser with steps of a given length follows
    log Z, which grows with the width d of the data. Consistent for every ν, and tends to maximum
    likelihood as ν grows.

    Parameters
    ----------
    noise_ratio : int, default=10
        ν, noise rows a data row.
    reference : {"auto", "gaussian", "independent_gaussian", "independent_bernoulli", "chow_liu"}, \
density or estimator, default="auto"
        The noise p_n. A name is that of a density to be fitted to the training data: "auto" is
        independent units for binary data, and for real data, of which the energy has a score, the
        Gaussian with all covariances, or with none where no correlation exceeds 0.01, as of
        whitened data. "chow_liu", for binary data, is the tree of pairwise dependences closest
        to them. A density with ``log_density(X)`` and ``sample(n_samples, rng)`` is taken as
        it is. An estimator with ``score_samples`` and ``sample``, such as ``ConstrainedGaussian``
        or scikit-learn's ``GaussianMixture`` and ``KernelDensity``, is cloned and fitted to the
        training data; in a ``FrozenEstimator`` it stays as it is.
    frozen_noise : bool, default=False
        Whether to draw the noise once for the whole fit, which makes the criterion deterministic,
        so that L-BFGS may minimise it, as in the paper. False draws anew for every batch. Frozen
        noise takes ν n (d + 1) numbers of memory, n being the rows of the training data (or of the
        first chunk of a stream), and pickles with the model: 10 × 50,000 rows of 784 float32 are
        1.6 GB. Batches take their shares of it in turn.

    Examples
    --------
    >>> from sklvm.objectives import NoiseContrastiveEstimation
    >>> NoiseContrastiveEstimation(noise_ratio=20)
    NoiseContrastiveEstimation(noise_ratio=20)
    """

    requires = (Marginal,)
    _parameter_constraints = {
        "noise_ratio": [Interval(Integral, 1, None, closed="left")],
        "reference": [
            StrOptions({"auto", *REFERENCES}),
            HasMethods(["log_density", "sample"]),
            HasMethods(["score_samples", "sample"]),
        ],
        "frozen_noise": ["boolean"],
    }

    def __init__(self, noise_ratio=10, reference="auto", frozen_noise=False):
        self.noise_ratio = noise_ratio
        self.reference = reference
        self.frozen_noise = frozen_noise

    @property
    def deterministic(self):
        return self.frozen_noise

    def extra_layout(self, energy):
        """γ = c/√d."""
        return ParameterLayout({"log_partition_per_root_feature": ()})

    def init(self, energy, theta, X, weights, rng):
        return self._start(energy, lambda Y: -energy.evaluate(theta, Y)[0], X, weights, rng)

    def _start(self, energy, log_model, X, weights, rng):
        """γ, for the function log p̃ of rows, and the noise."""
        noise = reference_density(self.reference, energy, X, weights, rng)
        # Rows drawn by weight stand for the weighted data.
        p = weights / weights.sum(dtype=np.float64)
        rows = X[rng.choice(len(X), min(len(X), 1000), p=p)]
        draws, log_noise = _draw(noise, len(rows), rng, X.dtype)
        log_ratios = [
            np.mean(log_model(Y) - log_density)
            for Y, log_density in ((rows, noise.log_density(rows)), (draws, log_noise))
        ]
        start = 0.5 * sum(log_ratios)
        if self.frozen_noise:
            noise = FrozenNoise(noise, *_draw(noise, self.noise_ratio * len(X), rng, X.dtype))
        return np.full(1, start / math.sqrt(X.shape[1]), dtype=X.dtype), noise

    def _take_noise(self, state, n, rng, dtype):
        """n rows of noise, their log-densities, and the state that is left."""
        if self.frozen_noise:
            return state.take(n)
        return *_draw(state, n, rng, dtype), state

    def step(self, energy, theta, X, weights, state, rng):
        nu, n = self.noise_ratio, len(X)
        noise, log_noise, state = self._take_noise(state, nu * n, rng, X.dtype)
        log_reference = np.concatenate([state.log_density(X).astype(X.dtype), log_noise])
        energies, pullback = energy.evaluate(theta[: energy.layout.size], np.vstack([X, noise]))
        root = math.sqrt(X.shape[1])
        offset = float(theta[-1]) * root + math.log(nu)
        contrast = -energies - log_reference - X.dtype.type(offset)

        # A batch has the share of the noise that it has of the data's weight.
        noise_weight = weights.sum() / n
        value = weights @ softplus(-contrast[:n]) + noise_weight * softplus(contrast[n:]).sum()
        # ∂J/∂G a row, and G = −E − c − …
        slope = np.empty_like(contrast)
        slope[:n] = -weights * sigmoid(-contrast[:n])
        slope[n:] = noise_weight * sigmoid(contrast[n:])
        gradient = np.empty_like(theta)
        gradient[:-1] = pullback(-slope)
        gradient[-1] = -slope.sum() * root
        return float(value), gradient, state


@dataclass(frozen=True)
class FrozenNoise:
    """Noise that is drawn already, and which of its rows comes next."""

    density: object
    rows: np.ndarray
    row_log_densities: np.ndarray
    start: int = 0

    def __deepcopy__(self, memo):
        # Nothing is ever written to it, and the rows are many.
        return self

    def take(self, n):
        """The next n rows, from the first again after the last; their log-densities; the rest."""
        chosen = np.arange(self.start, self.start + n) % len(self.rows)
        rest = replace(self, start=(self.start + n) % len(self.rows))
        return self.rows[chosen], self.row_log_densities[chosen], rest

    def log_density(self, X):
        return self.density.log_density(X)


def _draw(density, n, rng, dtype):
    """Noise and its log-densities, from one pass where the density has that."""
    if hasattr(density, "sample_with_log_density"):
        draws, log_density = density.sample_with_log_density(n, rng)
    else:
        draws = density.sample(n, rng)
        log_density = density.log_density(draws)
    return draws.astype(dtype, copy=False), log_density.astype(dtype, copy=False)
