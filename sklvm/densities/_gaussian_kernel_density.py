"""A Gaussian around every row: kernel density estimation with a kernel of any covariance."""

import numpy as np
from scipy.special import logsumexp

from sklvm.rows import slices

__all__ = ["GaussianKernelDensity", "silverman_bandwidth"]

# Distances that one pass holds.
ENTRIES_AT_A_TIME = 2**20


def silverman_bandwidth(n_rows, n_features):
    """(n (d + 2)/4)^(−1/(d + 4)): the bandwidth that suits Gaussian data of unit covariance.

    Silverman (1986), "Density Estimation for Statistics and Data Analysis", equation 4.14.
    """
    return (n_rows * (n_features + 2) / 4) ** (-1 / (n_features + 4))


class GaussianKernelDensity:
    """p(x) = Σ_i π_i N(x; c_i, H): Gaussians of one covariance H around the centres c_i.

    H is held by a whitening map that is a multiple of the identity but for some directions, H^(−½)
    = V diag(s) Vᵀ + r (I − V Vᵀ), so that neither many features nor few rows need a d × d matrix.

    Parameters
    ----------
    centres : ndarray of shape (n, d)
        c_i.
    rest : float
        r, one over the kernel's width in all but the given directions.
    directions : ndarray of shape (d, m), default=None
        V, orthonormal columns; None: there are none, and H = I/r².
    scales : ndarray of shape (m,), default=None
        s, one over the kernel's width in each of them.
    sample_weight : ndarray of shape (n,), default=None
        In proportion to π_i; rows of weight 0 are no centres.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.densities import GaussianKernelDensity
    >>> density = GaussianKernelDensity(np.array([[0.0], [2.0]]), rest=2.0)
    >>> float(density.log_density(np.array([[1.0]]))[0].round(6))  # N(1; 0, 1/4)
    -2.225791
    """

    def __init__(self, centres, rest, directions=None, scales=None, *, sample_weight=None):
        weights = np.ones(len(centres)) if sample_weight is None else np.asarray(sample_weight)
        self.centres, self.rest = centres[weights > 0], float(rest)
        self.n_features = centres.shape[1]
        self.directions = np.zeros((self.n_features, 0)) if directions is None else directions
        self.scales = np.zeros(0) if scales is None else np.asarray(scales, dtype=np.float64)
        weights = weights[weights > 0].astype(np.float64)
        self.log_shares = np.log(weights / weights.sum())
        self._white = self.whiten(self.centres)
        self._norms = np.einsum("ij,ij->i", self._white, self._white)
        n_rest = self.n_features - len(self.scales)
        log_det = np.log(self.scales).sum() + n_rest * np.log(self.rest)
        self._log_normalizer = log_det - 0.5 * self.n_features * np.log(2 * np.pi)

    @classmethod
    def fit(cls, X, sample_weight=None, *, shrinkage=0.1, width=1.0):
        """A kernel of the shape of the data: H = (width · h)² (C + ρ v I)/(1 + ρ).

        C is the covariance of the rows, v the mean of its diagonal, ρ the shrinkage and h
        Silverman's bandwidth.

        Parameters
        ----------
        X : ndarray of shape (n, d)
        sample_weight : ndarray of shape (n,), default=None
            A weight of 2 is two rows.
        shrinkage : float, default=0.1
            Greater is rounder; infinity is a round kernel.
        width : float, default=1.0

        Raises
        ------
        ValueError
            Where all rows are equal.
        """
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
        h = width * silverman_bandwidth(weights.sum(), X.shape[1])
        share = (weights / weights.sum())[:, np.newaxis]
        centred = X.astype(np.float64) - (share * X).sum(axis=0)
        variance = (share * centred**2).sum() / X.shape[1]
        if not variance > 0:
            raise ValueError("All rows of X are equal, which leaves a kernel density no width.")
        if np.isinf(shrinkage):
            return cls(X, 1 / (h * np.sqrt(variance)), sample_weight=sample_weight)
        directions, roots = np.linalg.svd(np.sqrt(share) * centred, full_matrices=False)[:0:-1]
        floor = shrinkage * variance
        spread = (1 + shrinkage) / h**2
        scales = np.sqrt(spread / (roots**2 + floor))
        return cls(X, np.sqrt(spread / floor), directions.T, scales, sample_weight=sample_weight)

    def whiten(self, X):
        """H^(−½) x of each row, shape (n, d), in double precision."""
        X = X.astype(np.float64)
        return self.rest * X + ((X @ self.directions) * (self.scales - self.rest)) @ (
            self.directions.T
        )

    def distances(self, X, own=None):
        """Squared distances (x − c_i)ᵀ H⁻¹ (x − c_i), some rows at a time.

        Parameters
        ----------
        X : ndarray of shape (m, d)
        own : ndarray of int of shape (m,), default=None
            Which centre each row is, −1 for none: its distance is infinite, which leaves it out.

        Yields
        ------
        rows : slice
        distances : ndarray of shape (some, n)
        """
        for rows in slices(len(X), max(1, ENTRIES_AT_A_TIME // len(self.centres))):
            Y = self.whiten(X[rows])
            distances = Y @ self._white.T
            distances *= -2
            distances += np.einsum("ij,ij->i", Y, Y)[:, np.newaxis] + self._norms
            np.maximum(distances, 0, out=distances)
            if own is not None:
                places = np.flatnonzero(own[rows] >= 0)
                distances[places, own[rows][places]] = np.inf
            yield rows, distances

    def log_density_at(self, distances, width=1.0):
        """log p from ``distances``, of a kernel so many times as wide, without its constant."""
        nearest = distances.min(axis=1, keepdims=True)
        terms = np.exp((distances - nearest) / (-2 * width**2))
        return np.log(terms @ np.exp(self.log_shares)) - nearest[:, 0] / (2 * width**2)

    def log_density(self, X):
        """log p(x) in nats, shape (n,)."""
        values = np.empty(len(X))
        for rows, distances in self.distances(X):
            values[rows] = self.log_density_at(distances)
        return (values + self._log_normalizer).astype(self.centres.dtype)

    def left_out_log_density(self):
        """log p of each centre under the density of the others, shape (n,)."""
        values = np.empty(len(self.centres))
        for rows, distances in self.distances(self.centres, np.arange(len(values))):
            values[rows] = self.log_density_at(distances)
        lost = np.log1p(-np.exp(self.log_shares))
        return (values + self._log_normalizer - lost).astype(self.centres.dtype)

    def log_conditionals(self, X):
        """log p(x_j | all other features) of each feature, shape (n, d), in nats.

        Exact: with P = H⁻¹, the kernel without feature j has the distances D_i − g_ij²/P_jj, g_i =
        P (x − c_i), and P_jj/2π is the square of what its constant lacks.
        """
        curvature = self.scales**2 - self.rest**2
        P = self.directions * curvature
        diagonal = self.rest**2 + np.einsum("jk,jk->j", P, self.directions)
        products = [
            (A.astype(np.float64) @ self.directions) @ P.T + self.rest**2 * A
            for A in (X, self.centres)
        ]
        result = np.empty(X.shape)
        for rows, distances in self.distances(X):
            joint = self.log_density_at(distances)
            for i, row_distances, log_joint in zip(
                range(len(X))[rows], distances, joint, strict=True
            ):
                exponents = (products[0][i] - products[1]) ** 2
                exponents /= 2 * diagonal
                exponents += (self.log_shares - 0.5 * row_distances)[:, np.newaxis]
                result[i] = log_joint - logsumexp(exponents, axis=0)
        result += 0.5 * np.log(diagonal / (2 * np.pi))
        return result.astype(self.centres.dtype)

    def sample(self, n_samples, rng):
        """Independent draws, shape (n_samples, d)."""
        chosen = rng.choice(len(self.centres), n_samples, p=np.exp(self.log_shares))
        noise = rng.standard_normal((n_samples, self.n_features))
        along = (noise @ self.directions) * (1 / self.scales - 1 / self.rest)
        moved = self.centres[chosen] + noise / self.rest + along @ self.directions.T
        return moved.astype(self.centres.dtype)
