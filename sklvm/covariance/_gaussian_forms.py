"""A centred Gaussian, in the form in which least is to be stored and computed.

Each form has ``log_det`` (of the precision), ``squared_distances(X)``, ``draw(n_samples, rng)``,
``precision()`` and ``covariance()``, the last two as dense matrices.
"""

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

__all__ = ["DenseForm", "DiagonalForm", "RowsForm"]


class DenseForm:
    """By the Cholesky factor of any precision matrix Λ = LLᵀ."""

    def __init__(self, precision):
        self._precision = precision
        self._factor = cholesky(precision, lower=True)
        covariance = cho_solve((self._factor, True), np.eye(len(precision)))
        self._covariance = (covariance + covariance.T) / 2
        self.log_det = 2 * float(np.log(np.diag(self._factor)).sum())

    def squared_distances(self, X):
        """xᵀΛx of each row of X, shape (n,)."""
        whitened = X @ self._factor.astype(X.dtype)
        return np.einsum("ij,ij->i", whitened, whitened)

    def draw(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        noise = rng.standard_normal((n_samples, len(self._factor)))
        return solve_triangular(self._factor, noise.T, lower=True, trans="T").T

    def precision(self):
        return self._precision

    def covariance(self):
        return self._covariance


class DiagonalForm:
    """By the diagonal of Λ: everything is linear in the number of features."""

    def __init__(self, precisions):
        self._precisions = precisions
        self.log_det = float(np.log(precisions).sum())

    def squared_distances(self, X):
        """xᵀΛx of each row of X, shape (n,)."""
        scaled = X * np.sqrt(self._precisions).astype(X.dtype)
        return np.einsum("ij,ij->i", scaled, scaled)

    def draw(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        noise = rng.standard_normal((n_samples, len(self._precisions)))
        return noise / np.sqrt(self._precisions)

    def precision(self):
        return np.diag(self._precisions)

    def covariance(self):
        return np.diag(1 / self._precisions)


class RowsForm:
    """By m < d rows R and a ridge: the covariance is RᵀR + diag(ridge).

    In units S of each feature's ridge that is S(I + ZᵀZ)S, Z = RS⁻¹. With the Cholesky factor
    LLᵀ = I + ZZᵀ of m rows, (I + ZᵀZ)⁻¹ = I − ZᵀL⁻ᵀL⁻¹Z (Woodbury), and det(I + ZᵀZ) = det LLᵀ.

    Parameters
    ----------
    rows : ndarray of shape (m, d)
    ridge : ndarray of shape (d,)
        Positive.
    """

    def __init__(self, rows, ridge):
        self._scale = np.sqrt(ridge)
        self._rows = rows / self._scale
        factor = cholesky(np.eye(len(rows)) + self._rows @ self._rows.T, lower=True)
        self._whitened = solve_triangular(factor, self._rows, lower=True)
        self.log_det = -2 * float(np.log(np.diag(factor)).sum() + np.log(self._scale).sum())

    def squared_distances(self, X):
        """xᵀΛx of each row of X, shape (n,)."""
        scaled = X.astype(np.float64) / self._scale
        explained = scaled @ self._whitened.T
        squares = np.einsum("ij,ij->i", scaled, scaled)
        squares -= np.einsum("ij,ij->i", explained, explained)
        return np.maximum(squares, 0).astype(X.dtype, copy=False)

    def draw(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        drawn = rng.standard_normal((n_samples, len(self._scale)))
        drawn += rng.standard_normal((n_samples, len(self._rows))) @ self._rows
        return drawn * self._scale

    def precision(self):
        precision = -(self._whitened.T @ self._whitened)
        np.einsum("ii->i", precision)[...] += 1
        return precision / self._scale / self._scale[:, np.newaxis]

    def covariance(self):
        covariance = self._rows.T @ self._rows
        np.einsum("ii->i", covariance)[...] += 1
        return covariance * self._scale * self._scale[:, np.newaxis]
