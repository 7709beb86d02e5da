"""Rows with missing entries, by what is missing, and what the observed entries say of it."""

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from sklvm.rows import slices

__all__ = ["CompletedRows", "ConditionalGaussian", "completed_rows", "has_gaps", "patterns"]

# Of the matrices over missing entries of the rows that are worked on together.
ENTRIES_AT_A_TIME = 2**18


def has_gaps(X):
    """Whether an entry of X is missing; one product looks at all."""
    return bool(np.isnan(X @ np.ones(X.shape[1], dtype=X.dtype)).any())


def patterns(X):
    """Rows that miss the same entries: pairs of indices and the mask of what is missing."""
    missing, pattern_of_row = np.unique(np.isnan(X), axis=0, return_inverse=True)
    order = np.argsort(pattern_of_row, kind="stable")
    ends = np.cumsum(np.bincount(pattern_of_row, minlength=len(missing)))
    return list(zip(np.split(order, ends[:-1]), missing, strict=True))


def completed_rows(X, mean, covariance, whitener, log_determinant):
    """Rows completed by N(μ, Σ): pairs (indices, completed), some rows at a time.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        NaN where missing.
    mean : ndarray of shape (d,)
        μ.
    covariance, whitener : ndarray of shape (d, d)
        Σ, and P with P Pᵀ = Σ⁻¹.
    log_determinant : float
        log|Σ|.

    Yields
    ------
    indices : ndarray of int
    completed : CompletedRows or CompletedPattern
        What they are made of depends on how many entries are missing: a matrix over the missing
        entries of each row, or one over the observed entries of each pattern.
    """
    n_missing = np.isnan(X).sum(axis=1)
    precision = whitener @ whitener.T
    for count in np.unique(n_missing):
        rows = np.flatnonzero(n_missing == count)
        if 2 * count > X.shape[1]:
            for some, missing in patterns(X[rows]):
                conditional = ConditionalGaussian(mean, covariance, missing)
                yield rows[some], CompletedPattern(conditional, X[rows[some]])
            continue
        for part in slices(
            len(rows), max(1, ENTRIES_AT_A_TIME // max(int(count) ** 2, X.shape[1]))
        ):
            deviations = X[rows[part]].astype(np.float64) - mean
            yield rows[part], CompletedRows(deviations, precision, whitener, log_determinant)


class CompletedRows:
    """Rows that miss the same number of entries, few of them, at their expectation.

    With Λ = Σ⁻¹ no matrix is larger than what a row misses::

        E[x_m | x_o] = μ_m − Λ_mm⁻¹ Λ_mo (x_o − μ_o),   Cov[x_m | x_o] = Λ_mm⁻¹,
        |Σ_oo| = |Σ| |Λ_mm|,

    and (x_o − μ_o)ᵀ Σ_oo⁻¹ (x_o − μ_o) is (x − μ)ᵀ Λ (x − μ) at the completed x.

    Attributes
    ----------
    deviations : ndarray of shape (n, d)
        x − μ.
    log_densities : ndarray of shape (n,)
        log N(x_o; μ_o, Σ_oo).
    entropies : ndarray of shape (n,)
        Of the missing entries given the observed ones, in nats.
    """

    def __init__(self, deviations, precision, whitener, log_determinant):
        n_rows, width = deviations.shape
        missing = np.isnan(deviations)
        self._places = places = np.nonzero(missing)[1].reshape(n_rows, -1)
        n_missing = places.shape[1]
        own = precision[places[:, :, np.newaxis], places[:, np.newaxis]]
        # Units of the features, which may differ by many orders of magnitude, go out and in again.
        scales = 1 / np.sqrt(np.einsum("nmm->nm", own))
        outer = scales[:, :, np.newaxis] * scales[:, np.newaxis]
        own *= outer
        self._covariances = np.linalg.inv(own) * outer
        log_own = np.linalg.slogdet(own)[1] - 2 * np.log(scales).sum(axis=1)
        self.deviations = np.where(missing, 0.0, deviations)
        pulls = np.take_along_axis(self.deviations @ precision, places, axis=1)
        filled = -np.einsum("nij,nj->ni", self._covariances, pulls)
        np.put_along_axis(self.deviations, places, filled, axis=1)
        whitened = self.deviations @ whitener
        constant = log_determinant + log_own + (width - n_missing) * np.log(2 * np.pi)
        self.log_densities = -0.5 * (np.einsum("ij,ij->i", whitened, whitened) + constant)
        self.entropies = 0.5 * (n_missing * np.log(2 * np.pi * np.e) - log_own)

    def add_uncertainty(self, weights, scatter):
        """Add the weighted conditional covariances of the missing entries to a scatter (d, d)."""
        if not self._places.size:
            return
        weighted = weights[:, np.newaxis, np.newaxis] * self._covariances
        width = len(scatter)
        flat = self._places[:, :, np.newaxis] * width + self._places[:, np.newaxis]
        scatter += np.bincount(flat.ravel(), weighted.ravel(), width**2).reshape(width, width)


class CompletedPattern:
    """The same of rows that miss the same entries, by a matrix over the observed ones."""

    def __init__(self, conditional, X):
        self._conditional = conditional
        X = X.astype(np.float64)
        self.log_densities = conditional.log_density(X)
        self.deviations = conditional.completed(X) - conditional.mean
        self.entropies = np.full(len(X), conditional.entropy)

    def add_uncertainty(self, weights, scatter):
        missing = self._conditional.missing
        scatter[np.ix_(missing, missing)] += weights.sum() * self._conditional.covariance


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
        self.mean = mean
        self._factor = cholesky(covariance[np.ix_(self.observed, self.observed)], lower=True)
        cross = covariance[np.ix_(self.observed, missing)]
        self._whitened_cross = solve_triangular(self._factor, cross, lower=True)
        self._own = covariance[np.ix_(missing, missing)]

    def log_density(self, X):
        """log N(x_o; μ_o, Σ_oo) of rows."""
        deviations = (X[:, self.observed] - self.mean[self.observed]).T
        whitened = solve_triangular(self._factor, deviations, lower=True)
        log_determinant = 2 * np.log(np.diag(self._factor)).sum()
        constant = log_determinant + self.observed.sum() * np.log(2 * np.pi)
        return -0.5 * (np.einsum("ji,ji->i", whitened, whitened) + constant)

    def completed(self, X):
        """Rows with their missing entries at their expectation."""
        X = X.astype(np.float64)
        deviations = (X[:, self.observed] - self.mean[self.observed]).T
        solved = cho_solve((self._factor, True), deviations)
        slope = self._factor @ self._whitened_cross
        X[:, self.missing] = self.mean[self.missing] + solved.T @ slope
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
