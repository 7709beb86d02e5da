"""Noise-contrastive estimation."""

import math

import numpy as np

from sklvm.energies import Marginal
from sklvm.kernels import sigmoid, softplus
from sklvm.objectives._base import ONE_LOG_PARTITION, Objective
from sklvm.objectives._noise import NOISE_CONSTRAINTS, FreshNoise, LearnedLogPartition
from sklvm.objectives._reference_densities import reference_density

__all__ = ["NoiseContrastiveEstimation"]


class NoiseContrastiveEstimation(Objective):
    """Logistic regression of data against ν times as much noise.

    ::

        J = E_data[softplus(−G)] + ν E_noise[softplus(G)],
        G(x) = log p̃(x) − c − log p_n(x) − log ν        (Gutmann & Hyvärinen, JMLR 2012, eq. 8).

    c estimates log Z and is learned with θ; it starts between the mean log-ratios log p̃ − log p_n
    of data and noise. It is parametrised as √d·γ, so that an optimiser whose steps have a given
    length can follow log Z, which grows with the width d of the data. It is consistent for every ν,
    and tends to maximum likelihood as ν grows.

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
    _parameter_constraints = NOISE_CONSTRAINTS

    def __init__(self, noise_ratio=10, reference="auto", frozen_noise=False):
        self.noise_ratio = noise_ratio
        self.reference = reference
        self.frozen_noise = frozen_noise

    @property
    def deterministic(self):
        return self.frozen_noise

    def own_layout(self, energy):
        """γ = c/√d."""
        return LearnedLogPartition.layout

    def conditional_obstacle(self, energy):
        return ONE_LOG_PARTITION

    def init(self, energy, theta, X, counts, rng):
        def log_model(rows):
            return -energy.evaluate(theta.energy, rows)[0]

        noise = FreshNoise(reference_density(self.reference, energy, X, counts, rng))
        log_partition = LearnedLogPartition(X.shape[1])
        log_partition.start(theta, log_model, noise.density, X, counts, rng)
        if self.frozen_noise:
            noise = noise.frozen(self.noise_ratio * len(X), rng, X.dtype)
        return noise

    def step(self, energy, theta, X, weights, state, rng):
        nu, n = self.noise_ratio, len(X)
        rows, log_reference, state = state.beside(X, nu, rng)
        log_partition = LearnedLogPartition(X.shape[1])
        energies, pullback = energy.evaluate(theta.energy, rows)
        offset = X.dtype.type(log_partition.value(theta) + math.log(nu))
        contrast = -energies - log_reference - offset

        # A batch has the share of the noise that it has of the data's weight.
        noise_weight = weights.sum() / n
        value = weights @ softplus(-contrast[:n]) + noise_weight * softplus(contrast[n:]).sum()
        # ∂J/∂G a row, and G = −E − c − …
        slope = np.empty_like(contrast)
        slope[:n] = -weights * sigmoid(-contrast[:n])
        slope[n:] = noise_weight * sigmoid(contrast[n:])
        gradient = theta.empty_like()
        gradient.energy[...] = pullback(-slope)
        log_partition.pull(gradient, -slope.sum())
        return float(value), gradient, state
