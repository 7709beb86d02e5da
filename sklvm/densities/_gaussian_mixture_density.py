"""A mixture of Gaussians, ready to be evaluated: noise that follows data more closely than one."""

import numpy as np
from scipy.special import logsumexp

from sklvm.densities._gaussian_density import GaussianDensity

__all__ = ["GaussianMixtureDensity"]


class GaussianMixtureDensity:
    """p(x) = Σ_k π_k N(x; μ_k, Σ_k).

    Parameters
    ----------
    weights : ndarray of shape (K,)
        π_k, non-negative; only their ratios count.
    means : ndarray of shape (K, d)
    covariances : sequence of K ndarrays of shape (d, d)
    dtype : dtype, default=None
        Of the draws; None: the covariances'.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.densities import GaussianMixtureDensity
    >>> density = GaussianMixtureDensity([1, 3], np.array([[-2.0], [2.0]]), np.ones((2, 1, 1)))
    >>> draws = density.sample(1000, np.random.default_rng(0))
    >>> bool(0.7 < np.mean(draws > 0) < 0.8)
    True
    """

    def __init__(self, weights, means, covariances, *, dtype=None):
        weights = np.asarray(weights, dtype=np.float64)
        self.weights = weights / weights.sum()
        self.components = [
            GaussianDensity(mean, covariance, dtype=dtype)
            for mean, covariance in zip(means, covariances, strict=True)
        ]
        self.n_features = len(means[0])

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""
        by_component = np.stack([component.log_density(X) for component in self.components])
        log_weights = np.log(self.weights).astype(by_component.dtype)
        return logsumexp(by_component + log_weights[:, np.newaxis], axis=0)

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d), the components in random order."""
        chosen = rng.choice(len(self.weights), n_samples, p=self.weights)
        draws = np.empty((n_samples, self.n_features), dtype=self.components[0].location.dtype)
        for k, component in enumerate(self.components):
            rows = np.flatnonzero(chosen == k)
            draws[rows] = component.sample(len(rows), rng)
        return draws
