"""A fitted Gaussian, ready to be evaluated: noise for criteria, a start for annealing."""

from functools import cached_property

import numpy as np
from scipy.linalg import eigh

from sklvm.kernels import standard_normal
from sklvm.rows import slices
from sklvm.statistics import GaussianStatistics, column_moments

__all__ = ["GaussianDensity"]

# Correlations that a Gaussian may as well do without.
NEGLIGIBLE_CORRELATION = 0.01
# Of the draws that one pass makes.
ENTRIES_AT_A_TIME = 2**17


class GaussianDensity:
    """N(μ, Σ) held by the eigendecomposition Σ = U diag(λ) Uᵀ.

    The rotated and scaled coordinates y = diag(λ)^(−½) Uᵀ (x − μ) are standard normal; samplers
    move in them. Where Σ is diagonal U is the identity, and no product with it is made.

    Parameters
    ----------
    location : ndarray of shape (d,)
        μ.
    covariance : ndarray of shape (d, d) or (d,)
        Σ, symmetric and positive semi-definite, or its diagonal where it has no more. A diagonal
        matrix is added to it where the correlations are so nearly singular that their least
        eigenvalue is below `relative_floor`, which it then is; and a feature without variance gets
        that part of the mean variance. So the density exists on all of space, and whether it is
        touched does not depend on units.
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
        self.n_features = len(location)
        self.location = np.asarray(location, dtype=covariance.dtype if dtype is None else dtype)
        if covariance.ndim == 2 and not np.any(covariance - np.diag(np.diag(covariance))):
            covariance = np.diag(covariance).copy()
        self._covariance, self._relative_floor = covariance, relative_floor
        self._is_rotated = covariance.ndim == 2

    # An eigendecomposition takes as long as an epoch of training: it is made when first needed.

    @cached_property
    def _eigenpairs(self):
        covariance = self._covariance.astype(np.float64)
        variances = np.diag(covariance) if self._is_rotated else covariance
        mean_variance = variances.mean() if variances.any() else 1.0
        variances = np.where(variances > 0, variances, self._relative_floor * mean_variance)
        if not self._is_rotated:
            return variances, None
        variances, directions = eigh(_raised(covariance, variances, self._relative_floor))
        # The least of them may be rounding of the largest.
        variances = np.maximum(variances, np.finfo(np.float64).eps * variances[-1])
        # Which of ±u an eigenvector is hangs on the last bit of Σ; draws must not.
        largest = np.argmax(np.abs(directions), axis=0)
        directions *= np.sign(np.take_along_axis(directions, largest[np.newaxis], axis=0))
        return variances, directions.astype(self.location.dtype)

    @property
    def variances(self):
        """λ, shape (d,)."""
        return self._eigenpairs[0]

    @property
    def directions(self):
        """U, shape (d, d)."""
        directions = self._eigenpairs[1]
        return (
            np.eye(self.n_features, dtype=self.location.dtype) if directions is None else directions
        )

    @cached_property
    def scales(self):
        """√λ, shape (d,)."""
        return np.sqrt(self.variances).astype(self.location.dtype)

    @cached_property
    def log_normalizer(self):
        """The log-density at μ, in nats."""
        return -0.5 * (self.n_features * np.log(2 * np.pi) + np.log(self.variances).sum())

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
        if correlations == "none":
            return cls(*column_moments(X, sample_weight), dtype=X.dtype)
        location, covariance = GaussianStatistics.collect(X, sample_weight).solve()
        if correlations == "auto" and _is_nearly_diagonal(covariance):
            covariance = np.diag(covariance)
        return cls(location, covariance, dtype=X.dtype)

    def independent(self):
        """The density with the same mean and variances, and no correlations."""
        variances = self.variances
        if self._is_rotated:
            variances = (self.directions.astype(np.float64) ** 2) @ variances
        return GaussianDensity(
            self.location, variances, dtype=self.location.dtype, relative_floor=0.0
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
        x = np.empty((n_samples, self.n_features), self.location.dtype)
        return x, self.draw_into(x, rng)

    def draw_into(self, out, rng):
        """Fill `out`, shape (n, d), with draws; their log-densities, shape (n,)."""
        seed, dtype, scales = int(rng.integers(2**63)), self.location.dtype, self.scales
        squares = np.empty(len(out), dtype)
        # Passes over a few rows at a time find them in the cache.
        for rows in slices(len(out), max(1, ENTRIES_AT_A_TIME // self.n_features)):
            y = out[rows] if out.dtype == dtype else np.empty(out[rows].shape, dtype)
            standard_normal(y.shape, seed, row_offset=rows.start, dtype=dtype, out=y)
            np.einsum("ij,ij->i", y, y, out=squares[rows])
            y *= scales
            np.add(self._from_axes(y), self.location, out=out[rows])
        return dtype.type(self.log_normalizer) - 0.5 * squares

    def _to_axes(self, X):
        return X @ self.directions if self._is_rotated else X

    def _from_axes(self, Y):
        return Y @ self.directions.T if self._is_rotated else Y

    def __getstate__(self):
        cached = ("_eigenpairs", "scales", "log_normalizer")
        return {name: value for name, value in vars(self).items() if name not in cached}


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
