"""Covariances with a floor and a prior, and what whitens by them."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh, solve_triangular

from sklvm.exceptions import DivergenceError

__all__ = ["Shrinkage", "whitener"]


@dataclass(frozen=True)
class Shrinkage:
    """What keeps covariances from collapsing.

    The prior is that of ν rows of the covariance V₀, −½ν (log|Σ| + tr Σ⁻¹V₀), and Σ ⪰ r V. Both
    maximisations have closed forms, so that EM never lowers its bound.

    Attributes
    ----------
    variances : ndarray of shape (d,)
        V: the features' variances over all data, 1 for constant ones.
    n_components : int
    strength : float
        ν.
    floor : float
        r.
    """

    variances: np.ndarray
    n_components: int
    strength: float
    floor: float

    @property
    def prior_variances(self):
        """V₀ = V / K^(2/d): K components fill the space of the data (Fraley and Raftery, 2007)."""
        return self.variances / self.n_components ** (2 / len(self.variances))

    def full(self, scatter, count):
        """Σ of greatest posterior density, given a scatter (d, d)."""
        covariance = scatter.copy()
        covariance[np.diag_indices_from(covariance)] += self.strength * self.prior_variances
        covariance /= max(count + self.strength, np.finfo(np.float64).tiny)
        if self.floor == 0:
            return covariance
        excess = covariance - np.diag(self.floor * self.variances)
        try:
            cholesky(excess, check_finite=False)
        except LinAlgError:
            scale = np.sqrt(self.variances)
            values, vectors = eigh(covariance / np.outer(scale, scale))
            vectors *= scale[:, np.newaxis]
            covariance = (vectors * np.maximum(values, self.floor)) @ vectors.T
            covariance = (covariance + covariance.T) / 2
        return covariance

    def diagonal(self, scatters, counts):
        """Variances of greatest posterior density, given scatters (K, d)."""
        counts = np.maximum(counts + self.strength, np.finfo(np.float64).tiny)
        variances = (scatters + self.strength * self.prior_variances) / counts
        return np.maximum(variances, self.floor * self.variances)

    def spherical(self, scatters, counts):
        """The same where all features of a component share a variance, shape (K,)."""
        total = scatters.sum(axis=1) + self.strength * self.prior_variances.sum()
        counts = counts.sum(axis=1) + self.strength * len(self.variances)
        variances = total / np.maximum(counts, np.finfo(np.float64).tiny)
        return np.maximum(variances, self.floor * self.variances.mean())

    def penalty_full(self, covariances):
        """½ν Σ_k (log|Σ_k| + tr Σ_k⁻¹ V₀)."""
        if self.strength == 0:
            return 0.0
        total = 0.0
        for covariance in covariances:
            inverse = np.linalg.inv(covariance)
            total += np.linalg.slogdet(covariance)[1] + np.diag(inverse) @ self.prior_variances
        return 0.5 * self.strength * float(total)

    def penalty_diagonal(self, variances):
        """The same of variances (K, d)."""
        if self.strength == 0:
            return 0.0
        return (
            0.5
            * self.strength
            * float((np.log(variances) + self.prior_variances / variances).sum())
        )


def whitener(covariance, k):
    """Upper triangular P with P Pᵀ = Σ⁻¹, and log|Σ|.

    Raises
    ------
    DivergenceError
        Where Σ is singular.
    """
    try:
        factor = cholesky(covariance, lower=True, check_finite=False)
    except LinAlgError:
        factor = np.zeros((1, 1))
    if not np.all(np.diag(factor) > 0) or not np.isfinite(factor).all():
        raise DivergenceError(
            f"The covariance of component {k} is singular: it has too few rows, or they do not "
            "vary in some direction. Give it a regularization, got 0 or too little, some "
            "prior_strength, fewer components, or another covariance_type."
        ) from None
    identity = np.eye(len(factor))
    return solve_triangular(factor, identity, lower=True).T, 2 * np.log(np.diag(factor)).sum()
