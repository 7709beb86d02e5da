"""A fitted Gaussian, ready to be evaluated: noise for criteria, a start for annealing."""

import numpy as np
from scipy.linalg import eigh

from sklvm.kernels import standard_normal
from sklvm.statistics import GaussianStatistics

__all__ = ["GaussianDensity"]

# Correlations that a Gaussian may as well do without.
NEGLIGIBLE_CORRELATION = 0.01


class GaussianDensity:
    """N(μ, Σ) held by the eigendecomposition Σ = U diag(λ) Uᵀ.

    The rotated and scaled coordinates y = diag(λ)^(−½) Uᵀ (x − μ) are standard normal; samplers
    move in them. Where Σ is diagonal U is the identity, and no product with it is made.

    Parameters
    ----------
    location : ndarray of shape (d,)
        μ.
    covariance : ndarray of shape (d, d)
        Σ, symmetric and positive semi-definite. A diagonal matrix is added to it where the
        correlations are so nearly singular that their least eigenvalue is below `relative_floor`,
        which it then is; and a feature without variance gets that part of the mean variance. So the
        density exists on all of space, and whether it is touched does not depend on units.
    dtype : dtype, default=None
        Of the factors and the draws; None: the covariance's.
    relative_floor : float, default=1e-6

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.densities import GaussianDensity
    >>> density = GaussianDensity(np.zeros(2), np.eye(2))
    >>> float(round(density.log_density(np.zeros((1, 2)))[0], 6))
    -1.837877
    """

    def __init__(self, location, covariance, *, dtype=None, relative_floor=1e-6):
        dtype = np.dtype(covariance.dtype if dtype is None else dtype)
        variances, directions = np.diag(covariance).astype(np.float64), np.eye(len(location))
        mean_variance = variances.mean() if variances.any() else 1.0
        floor = relative_floor * mean_variance
        variances = np.where(variances > 0, variances, floor)
        self._is_rotated = np.count_nonzero(covariance - np.diag(np.diag(covariance))) > 0
        if self._is_rotated:
            variances, directions = eigh(_raised(covariance, variances, relative_floor))
            # The least of them may be rounding of the largest.
            variances = np.maximum(variances, np.finfo(np.float64).eps * variances[-1])
            # Which of ±u an eigenvector is hangs on the last bit of Σ; draws must not.
            largest = np.argmax(np.abs(directions), axis=0)
            directions *= np.sign(np.take_along_axis(directions, largest[np.newaxis], axis=0))
        self.n_features = len(location)
        self.location = np.asarray(location, dtype=dtype)
        self.variances = variances
        self.directions = directions.astype(dtype)
        self.scales = np.sqrt(variances).astype(dtype)
        self.log_normalizer = -0.5 * (self.n_features * np.log(2 * np.pi) + np.log(variances).sum())

    @classmethod
    def fit(cls, X, sample_weight=None, *, correlations="all"):
        """Maximum likelihood on the rows of X (covariance divided by the sum of weights).

        Parameters
        ----------
        X : ndarray of shape (n, d)
        sample_weight : ndarray of shape (n,), default=None
        correlations : {"all", "none", "auto"}, default="all"
            Which covariances are kept. "auto" keeps none where no correlation exceeds 0.01, as of
            whitened data: draws then need no product of matrices.
        """
        location, covariance = GaussianStatistics.collect(X, sample_weight).solve()
        if correlations == "none" or (correlations == "auto" and _is_nearly_diagonal(covariance)):
            covariance = np.diag(np.diag(covariance))
        return cls(location, covariance, dtype=X.dtype)

    def independent(self):
        """The density with the same mean and variances, and no correlations."""
        variances = (self.directions.astype(np.float64) ** 2) @ self.variances
        return GaussianDensity(
            self.location, np.diag(variances), dtype=self.location.dtype, relative_floor=0.0
        )

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""
        y = self._to_axes(X - self.location) / self.scales
        return y.dtype.type(self.log_normalizer) - 0.5 * np.einsum("ij,ij->i", y, y)

    def score(self, X):
        """∇ₓ log p(x) = −Σ⁻¹(x − μ), shape (n, d)."""
        return -self._from_axes(self._to_axes(X - self.location) / self.scales**2)

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        return self.sample_with_log_density(n_samples, rng)[0]

    def sample_with_log_density(self, n_samples, rng):
        """Draws and their log-densities, from the one set of normal numbers."""
        shape, seed = (n_samples, self.n_features), int(rng.integers(2**63))
        y = standard_normal(shape, seed, dtype=self.location.dtype)
        log_density = y.dtype.type(self.log_normalizer) - 0.5 * np.einsum("ij,ij->i", y, y)
        y *= self.scales
        x = self._from_axes(y)
        x += self.location
        return x, log_density

    def _to_axes(self, X):
        return X @ self.directions if self._is_rotated else X

    def _from_axes(self, Y):
        return Y @ self.directions.T if self._is_rotated else Y


def _is_nearly_diagonal(covariance):
    variances = np.diag(covariance)
    others = np.abs(covariance - np.diag(variances))
    # Rounding may leave the variance of a constant feature below 0.
    products = np.maximum(np.outer(variances, variances), 0)
    return np.all(others <= NEGLIGIBLE_CORRELATION * np.sqrt(products))


def _raised(covariance, variances, relative_floor):
    """Σ with these variances, and more of them where correlations are nearly singular."""
    scale = np.sqrt(variances)
    correlation = np.asarray(covariance, dtype=np.float64) / scale / scale[:, np.newaxis]
    np.einsum("ii->i", correlation)[...] = 1
    least = eigh(correlation, eigvals_only=True, subset_by_index=[0, 0])[0]
    if least < relative_floor:
        np.einsum("ii->i", correlation)[...] += relative_floor - least
    return correlation * scale * scale[:, np.newaxis]
