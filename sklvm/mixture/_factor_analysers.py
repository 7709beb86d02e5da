"""Gaussians whose covariance is that of a few factors, and noise in each feature."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklvm.mixture._covariances import Shrinkage
from sklvm.mixture._full_gaussians import LOG_2PI, _Gaussians
from sklvm.mixture._gaps import has_gaps, patterns

__all__ = ["FactorAnalysers", "FactorParameters", "FactorStatistics"]


class FactorParameters(NamedTuple):
    """Means (K, d), W of shape (K, d, q), and the diagonals of Ψ, (K, d)."""

    means: np.ndarray
    factors: np.ndarray
    noise_variances: np.ndarray

    def covariances(self):
        """WWᵀ + Ψ, shape (K, d, d)."""
        return np.array([self.covariance(k) for k in range(len(self.means))])

    def covariance(self, k):
        """That of component k."""
        return self.factors[k] @ self.factors[k].T + np.diag(self.noise_variances[k])


@dataclass(frozen=True)
class FactorStatistics:
    """Sums over rows, at their shares, of what regresses x on [z, 1].

    Rows are taken about an origin that is the same throughout a fit, so that the sums add up.
    Missing entries are left out: a feature has the sums of the rows in which it is observed.

    Parameters
    ----------
    cross : ndarray of shape (K, d, q + 1)
        Σ r x E[z, 1]ᵀ.
    second : ndarray of shape (K, 1 or d, q + 1, q + 1)
        Σ r E[(z, 1)(z, 1)ᵀ], the same for all features where none is ever missing.
    squares : ndarray of shape (K, d)
        Σ r x².
    entropy_part : float
        Σ r (E[log p(z)] + entropy of z), what the bound has beside the regression.
    """

    cross: np.ndarray
    second: np.ndarray
    squares: np.ndarray
    entropy_part: float = 0.0

    def merge(self, other):
        """Statistics of the rows of both."""
        return FactorStatistics(
            self.cross + other.cross,
            self.second + other.second,
            self.squares + other.squares,
            self.entropy_part + other.entropy_part,
        )

    def scale(self, factor):
        """Statistics of the same rows at `factor` times their weight."""
        return FactorStatistics(
            factor * self.cross,
            factor * self.second,
            factor * self.squares,
            factor * self.entropy_part,
        )

    def neutral(self):
        """Statistics of no rows, of the same shapes."""
        return self.scale(0.0)

    @property
    def counts(self):
        """Σ r over the rows in which a feature is observed, (K, d) or (K, 1)."""
        return self.second[:, :, -1, -1]


@dataclass(frozen=True)
class FactorAnalysers(_Gaussians):
    """x = μ_k + W_k z + ε with z ~ N(0, I_q) and ε ~ N(0, Ψ_k), Ψ_k diagonal.

    ::

        M = I + WᵀΨ⁻¹W,   log|Σ| = log|Ψ| + log|M|,   E[z | x] = M⁻¹WᵀΨ⁻¹(x − μ)

    Densities and statistics cost n·K·d·q operations: Σ_k is never formed.

    Attributes
    ----------
    n_components : int
    shrinkage : Shrinkage
        Its floor and prior are those of Ψ.
    n_factors : int
        q.
    origin : ndarray of shape (d,)
    """

    n_components: int
    shrinkage: Shrinkage
    n_factors: int
    origin: np.ndarray
    covariance_type = "factor"

    @staticmethod
    def covariance(theta, k):
        """Σ_k."""
        return theta.covariance(k)

    def start(self, rows, covariance):
        """θ of components about these rows, with the leading directions of all data as factors."""
        q, K = self.n_factors, self.n_components
        scale = np.sqrt(self.shrinkage.variances)
        values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
        noise = max(values[: len(values) - q].mean(), self.shrinkage.floor)
        strength = np.sqrt(np.maximum(values[len(values) - q :] - noise, 1e-2 * values[-1]))
        factors = scale[:, np.newaxis] * vectors[:, len(values) - q :] * strength
        left = np.diag(covariance) - (factors**2).sum(axis=1)
        variances = self.shrinkage.variances
        noise_variances = np.maximum(left, max(1e-3, self.shrinkage.floor) * variances)
        return FactorParameters(rows, np.array([factors] * K), np.array([noise_variances] * K))

    # -- expectation ------------------------------------------------------------------------------

    def log_densities(self, theta, X):
        joint = np.empty((len(X), self.n_components), dtype=X.dtype)
        for indices, observed in _groups(X):
            rows = X if indices is None else X[indices][:, observed]
            for k in range(self.n_components):
                analyser = _Analyser(theta, k, observed)
                values = analyser.log_density(rows)
                joint[slice(None) if indices is None else indices, k] = values
        return joint

    def collect(self, theta, X, shares):
        K, width, q = self.n_components, X.shape[1], self.n_factors
        gaps = has_gaps(X)
        cross = np.zeros((K, width, q + 1))
        second = np.zeros((K, width if gaps else 1, q + 1, q + 1))
        squares = np.zeros((K, width))
        entropy_part = 0.0
        origin = self.origin.astype(X.dtype)
        for indices, observed in _groups(X):
            rows = X if indices is None else X[indices][:, observed]
            some = shares if indices is None else shares[indices]
            centred = rows - origin[observed]
            squares[:, observed] += some.T @ (centred * centred)
            for k in range(K):
                analyser, share = _Analyser(theta, k, observed), some[:, k]
                Z = np.ones((len(rows), q + 1), dtype=X.dtype)
                Z[:, :q] = analyser.factors_of(rows)
                weighted = share[:, np.newaxis] * Z
                moment = (weighted.T @ Z).astype(np.float64)
                total = float(share.sum(dtype=np.float64))
                mean_square = np.trace(moment[:q, :q])
                moment[:q, :q] += total * analyser.uncertainty
                cross[k, observed] += centred.T @ weighted
                second[k, observed if gaps else slice(None)] += moment
                entropy_part += -0.5 * (
                    mean_square
                    + total * (np.trace(analyser.uncertainty) - q + analyser.log_determinant)
                )
        return FactorStatistics(cross, second, squares, entropy_part)

    # -- maximisation -----------------------------------------------------------------------------

    def solve(self, statistics, theta):
        q = self.n_factors
        counts = np.broadcast_to(statistics.counts, statistics.squares.shape)
        is_used = counts > 0
        # A feature's coefficients are a regression on [z, 1].
        second = statistics.second + np.where(statistics.counts > 0, 0, 1)[
            ..., None, None
        ] * np.eye(q + 1)
        coefficients = np.linalg.solve(second, statistics.cross[..., np.newaxis])[..., 0]
        residuals = statistics.squares - np.einsum("kdq,kdq->kd", coefficients, statistics.cross)
        noise = self.shrinkage.diagonal(np.maximum(residuals, 0), counts)
        return FactorParameters(
            np.where(is_used, self.origin + coefficients[..., q], theta.means),
            np.where(is_used[..., np.newaxis], coefficients[..., :q], theta.factors),
            np.where(is_used, noise, theta.noise_variances),
        )

    def penalty(self, theta):
        return self.shrinkage.penalty_diagonal(theta.noise_variances)

    def objective(self, statistics, theta):
        coefficients = np.concatenate(
            [theta.factors, (theta.means - self.origin)[..., np.newaxis]], axis=2
        )
        residuals = (
            statistics.squares
            - 2 * np.einsum("kdq,kdq->kd", coefficients, statistics.cross)
            + np.einsum("kdq,kdqr,kdr->kd", coefficients, self._second(statistics), coefficients)
        )
        noise = theta.noise_variances
        constants = statistics.counts * (np.log(noise) + LOG_2PI)
        return 0.5 * float((residuals / noise + constants).sum()) - statistics.entropy_part

    @staticmethod
    def _second(statistics):
        shape = (*statistics.squares.shape, *statistics.second.shape[2:])
        return np.broadcast_to(statistics.second, shape)

    def restart(self, theta, statistics, components, rows):
        means, factors, noise = (part.copy() for part in theta)
        counts = np.broadcast_to(statistics.counts, statistics.squares.shape)
        overall = self.origin + statistics.cross[..., -1].sum(axis=0) / counts.sum(axis=0)
        means[components] = np.where(np.isnan(rows), overall, rows)
        prior = self.shrinkage.prior_variances
        used = np.setdiff1d(np.arange(self.n_components), components)
        factors[components] = theta.factors[used].mean(axis=0) if len(used) else 0
        noise[components] = prior
        cross, second = statistics.cross.copy(), statistics.second.copy()
        squares = statistics.squares.copy()
        cross[components] = second[components] = squares[components] = 0
        return (
            FactorParameters(means, factors, noise),
            FactorStatistics(cross, second, squares, statistics.entropy_part),
        )

    def n_parameters(self, n_features):
        """Free parameters of all components: W is known up to a rotation."""
        q = self.n_factors
        return self.n_components * (n_features * (q + 2) - q * (q - 1) // 2)


class _Analyser:
    """One component, on the features that are observed."""

    def __init__(self, theta, k, observed):
        self._mean, noise = theta.means[k, observed], theta.noise_variances[k, observed]
        W = theta.factors[k, observed]
        scaled = W / noise[:, np.newaxis]
        precision = np.eye(W.shape[1]) + W.T @ scaled
        self._root = np.linalg.cholesky(precision)
        self.log_determinant = 2 * np.log(np.diag(self._root)).sum()
        self.uncertainty = np.linalg.inv(precision)
        self._whiten = 1 / np.sqrt(noise)
        # ‖L⁻¹WᵀΨ⁻¹(x − μ)‖² is what the factors explain.
        self._projection = np.linalg.solve(self._root, scaled.T).T
        self._encode = scaled @ self.uncertainty
        self._constant = np.log(noise).sum() + self.log_determinant + len(noise) * LOG_2PI

    def log_density(self, rows):
        deviations = rows - self._mean.astype(rows.dtype)
        explained = deviations @ self._projection.astype(rows.dtype)
        deviations *= self._whiten.astype(rows.dtype)
        values = np.einsum("ij,ij->i", deviations, deviations)
        values -= np.einsum("ij,ij->i", explained, explained)
        return -0.5 * (values + rows.dtype.type(self._constant))

    def factors_of(self, rows):
        """E[z | x]."""
        return (rows - self._mean.astype(rows.dtype)) @ self._encode.astype(rows.dtype)


def _groups(X):
    """Rows that miss the same entries, and the mask of what is observed; None: all rows."""
    if not has_gaps(X):
        return [(None, np.ones(X.shape[1], dtype=bool))]
    return [(indices, ~missing) for indices, missing in patterns(X)]
