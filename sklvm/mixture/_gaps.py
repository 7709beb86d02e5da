"""Rows with missing entries, by what is missing, and what the observed entries say of it."""

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

__all__ = ["ConditionalGaussian", "has_gaps", "patterns"]


def has_gaps(X):
    """Whether an entry of X is missing; one product looks at all."""
    return bool(np.isnan(X @ np.ones(X.shape[1], dtype=X.dtype)).any())


def patterns(X):
    """Rows that miss the same entries: pairs of indices and the mask of what is missing."""
    missing, pattern_of_row = np.unique(np.isnan(X), axis=0, return_inverse=True)
    order = np.argsort(pattern_of_row, kind="stable")
    ends = np.cumsum(np.bincount(pattern_of_row, minlength=len(missing)))
    return list(zip(np.split(order, ends[:-1]), missing, strict=True))


class ConditionalGaussian:
    """N(x; μ, Σ) where some entries m are missing and the others o observed.

    ::

        E[x_m | x_o] = μ_m + Σ_mo Σ_oo⁻¹ (x_o − μ_o),   Cov[x_m | x_o] = Σ_mm − Σ_mo Σ_oo⁻¹ Σ_om

    Parameters
    ----------
    mean, covariance : ndarray of shape (d,), ndarray of shape (d, d)
    missing : ndarray of bool of shape (d,)
    """

    def __init__(self, mean, covariance, missing):
        self.missing, self.observed = missing, ~missing
        self._mean = mean
        self._factor = cholesky(covariance[np.ix_(self.observed, self.observed)], lower=True)
        cross = covariance[np.ix_(self.observed, missing)]
        self._whitened_cross = solve_triangular(self._factor, cross, lower=True)
        self._own = covariance[np.ix_(missing, missing)]

    def log_density(self, X):
        """log N(x_o; μ_o, Σ_oo) of rows."""
        deviations = (X[:, self.observed] - self._mean[self.observed]).T
        whitened = solve_triangular(self._factor, deviations, lower=True)
        log_determinant = 2 * np.log(np.diag(self._factor)).sum()
        constant = log_determinant + self.observed.sum() * np.log(2 * np.pi)
        return -0.5 * (np.einsum("ji,ji->i", whitened, whitened) + constant)

    def completed(self, X):
        """Rows with their missing entries at their expectation."""
        X = X.astype(np.float64)
        deviations = (X[:, self.observed] - self._mean[self.observed]).T
        solved = cho_solve((self._factor, True), deviations)
        slope = self._factor @ self._whitened_cross
        X[:, self.missing] = self._mean[self.missing] + solved.T @ slope
        return X

    @property
    def covariance(self):
        """Of the missing entries given the observed ones."""
        return self._own - self._whitened_cross.T @ self._whitened_cross

    @property
    def entropy(self):
        """Of the missing entries given the observed ones, in nats."""
        n_missing = int(self.missing.sum())
        return 0.5 * (np.linalg.slogdet(self.covariance)[1] + n_missing * np.log(2 * np.pi * np.e))

    def drawn(self, X, rng):
        """Rows with their missing entries drawn."""
        X = self.completed(X)
        factor = cholesky(self.covariance, lower=True)
        X[:, self.missing] += rng.standard_normal((len(X), len(factor))) @ factor.T
        return X
