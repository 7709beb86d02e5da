"""Independent binary units: the simplest noise for criteria on binary data."""

import numpy as np

__all__ = ["IndependentBernoulliDensity"]


class IndependentBernoulliDensity:
    """p(x) = Π_j p_j^{x_j} (1 − p_j)^{1−x_j} on {0, 1}^d.

    Parameters
    ----------
    means : ndarray of shape (d,)
        p_j, strictly between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.densities import IndependentBernoulliDensity
    >>> density = IndependentBernoulliDensity(np.array([0.5, 0.5]))
    >>> float(round(density.log_density(np.array([[0.0, 1.0]]))[0], 6))
    -1.386294
    """

    def __init__(self, means):
        self.means = means
        self.n_features = len(means)
        self._logits = np.log(means) - np.log1p(-means)
        self._log_all_off = np.log1p(-means).sum()

    @classmethod
    def fit(cls, X, sample_weight=None):
        """The weighted means, smoothed by half a count of either kind."""
        weight = np.ones(len(X), dtype=X.dtype) if sample_weight is None else sample_weight
        return cls(((weight @ X + 0.5) / (weight.sum() + 1)).astype(X.dtype))

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""
        return X @ self._logits + self._log_all_off

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        uniform = rng.random((n_samples, self.n_features), dtype=self.means.dtype)
        return (uniform < self.means).astype(self.means.dtype)

    def sample_with_log_density(self, n_samples, rng):
        """Draws and their log-densities."""
        X = self.sample(n_samples, rng)
        return X, self.log_density(X)
