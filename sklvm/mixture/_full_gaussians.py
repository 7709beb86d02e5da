"""Gaussians with covariances of their own, or with one that all share."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklvm.mixture._covariances import Shrinkage, whitener
from sklvm.mixture._gaps import ConditionalGaussian, completed_rows, patterns
from sklvm.mixture._moments import FullMoments, TiedMoments, column_sums

__all__ = ["FullGaussians", "FullParameters", "TiedGaussians"]

LOG_2PI = np.log(2 * np.pi)

# Entries of the rows that are whitened at a time: half a megabyte, to stay in the cache.
CHUNK_ENTRIES = 2**16


class FullParameters(NamedTuple):
    """Means (K, d), covariances, P with P Pᵀ = Σ⁻¹, and log|Σ|."""

    means: np.ndarray
    covariances: np.ndarray
    whiteners: np.ndarray
    log_determinants: np.ndarray


class _Gaussians:
    """What Gaussians of all kinds share, by ``covariance(theta, k)``."""

    @staticmethod
    def means(theta):
        """E[x | k], shape (K, d)."""
        return theta.means

    def gaussian(self, theta, k):
        """μ_k, Σ_k, P_k and log|Σ_k|."""
        covariance = self.covariance(theta, k)
        return theta.means[k], covariance, *whitener(covariance, k)

    def completed(self, theta, X, k):
        """E[x | observed entries, component k] of rows with gaps."""
        rows = np.empty(X.shape)
        for indices, completed in completed_rows(X, *self.gaussian(theta, k)):
            rows[indices] = completed.deviations + theta.means[k]
        return rows

    def drawn(self, theta, X, labels, rng):
        """Rows with gaps that are drawn given the others and the components."""
        rows = X.astype(np.float64)
        incomplete = np.isnan(X).any(axis=1)
        for k in np.unique(labels[incomplete]):
            some = np.flatnonzero((labels == k) & incomplete)
            for indices, missing in patterns(X[some]):
                conditional = ConditionalGaussian(
                    theta.means[k], self.covariance(theta, k), missing
                )
                rows[some[indices]] = conditional.drawn(X[some[indices]], rng)
        return rows

    def sample(self, theta, labels, rng):
        """A row of each component in `labels`."""
        noise = rng.standard_normal((len(labels), theta.means.shape[1]))
        for k in np.unique(labels):
            factor = np.linalg.cholesky(self.covariance(theta, k))
            noise[labels == k] = noise[labels == k] @ factor.T
        return theta.means[labels] + noise


@dataclass(frozen=True)
class FullGaussians(_Gaussians):
    """N(x; μ_k, Σ_k).

    Attributes
    ----------
    n_components : int
    shrinkage : Shrinkage
    """

    n_components: int
    shrinkage: Shrinkage
    covariance_type = "full"

    @staticmethod
    def covariance(theta, k):
        """Σ_k."""
        return theta.covariances[k]

    @staticmethod
    def gaussian(theta, k):
        """μ_k, Σ_k, P_k and log|Σ_k|."""
        return tuple(parameter[k] for parameter in theta)

    def parameters(self, means, covariances):
        """θ of means (K, d) and covariances (K, d, d)."""
        factors = [whitener(covariance, k) for k, covariance in enumerate(covariances)]
        whiteners, log_determinants = map(np.array, zip(*factors, strict=True))
        return FullParameters(means, np.asarray(covariances), whiteners, log_determinants)

    def start(self, rows, covariance):
        """θ of components about these rows, as wide as all data."""
        covariance = self.shrinkage.full(covariance, 1.0)
        return self.parameters(rows, np.array([covariance] * self.n_components))

    def log_densities(self, theta, X):
        dtype, (n_rows, width) = X.dtype, X.shape
        means, whiteners = theta.means.astype(dtype), theta.whiteners.astype(dtype)
        joint = np.empty((n_rows, self.n_components), dtype=dtype)
        for rows in _chunks(n_rows, width):
            chunk = X[rows]
            deviations, whitened = np.empty_like(chunk), np.empty_like(chunk)
            for k in range(self.n_components):
                np.subtract(chunk, means[k], out=deviations)
                np.matmul(deviations, whiteners[k], out=whitened)
                np.einsum("ij,ij->i", whitened, whitened, out=joint[rows, k])
        if np.isnan(joint[:, 0]).any():  # a gap leaves no number in its row
            return _with_gaps(self, theta, X)
        joint *= dtype.type(-0.5)
        joint -= (0.5 * (theta.log_determinants + width * LOG_2PI)).astype(dtype)
        return joint

    def collect(self, theta, X, shares):
        dtype, (n_rows, width) = X.dtype, X.shape
        centres = theta.means.astype(dtype)
        scatters = np.zeros((self.n_components, width, width))
        sums = np.zeros((self.n_components, width))
        product = np.empty((width, width), dtype=dtype)
        roots = np.sqrt(shares)
        for rows in _chunks(n_rows, width):
            chunk = X[rows]
            deviations = np.empty_like(chunk)
            for k in range(self.n_components):
                root = np.ascontiguousarray(roots[rows, k])
                if not root.any():
                    continue
                np.subtract(chunk, centres[k], out=deviations)
                deviations *= root[:, np.newaxis]
                sums[k] += root @ deviations
                # A symmetric product, at half the cost of any other.
                scatters[k] += np.matmul(deviations.T, deviations, out=product)
        if np.isnan(sums).any():
            return _moments_with_gaps(self, theta, X, shares)
        counts = column_sums(shares)
        shifts = sums / np.where(counts > 0, counts, 1)[:, np.newaxis]
        scatters -= FullMoments.between(counts, shifts)
        means = np.where(counts[:, np.newaxis] > 0, centres + shifts, 0)
        return FullMoments(counts, means, scatters)

    def solve(self, statistics, theta):
        is_used = statistics.counts > 0
        means = np.where(is_used[:, np.newaxis], statistics.means, theta.means)
        covariances = [
            self.shrinkage.full(scatter, count) if used else old
            for scatter, count, used, old in zip(
                statistics.scatters, statistics.counts, is_used, theta.covariances, strict=True
            )
        ]
        return self.parameters(means, covariances)

    def penalty(self, theta):
        return self.shrinkage.penalty_full(theta.covariances)

    def objective(self, statistics, theta):
        shift = statistics.means - theta.means
        scatters = statistics.scatters + FullMoments.between(statistics.counts, shift)
        inverses = theta.whiteners @ theta.whiteners.transpose(0, 2, 1)
        distances = np.einsum("kij,kij->k", inverses, scatters)
        width = theta.means.shape[1]
        constants = statistics.counts * (theta.log_determinants + width * LOG_2PI)
        return 0.5 * float((distances + constants).sum()) - statistics.gap_entropy

    def restart(self, theta, statistics, components, rows):
        means, covariances = theta.means.copy(), theta.covariances.copy()
        overall = statistics.counts @ statistics.means / statistics.counts.sum()
        means[components] = np.where(np.isnan(rows), overall, rows)
        covariances[components] = np.diag(self.shrinkage.prior_variances)
        return self.parameters(means, covariances), statistics.without(components)

    def n_parameters(self, n_features):
        """Free parameters of all components."""
        return self.n_components * (n_features + n_features * (n_features + 1) // 2)


@dataclass(frozen=True)
class TiedGaussians(_Gaussians):
    """N(x; μ_k, Σ). Rows are whitened once, and one product gives all distances."""

    n_components: int
    shrinkage: Shrinkage
    covariance_type = "tied"

    @staticmethod
    def covariance(theta, k):
        """Σ."""
        return theta.covariances

    @staticmethod
    def gaussian(theta, k):
        """μ_k, Σ, P and log|Σ|."""
        return theta.means[k], *theta[1:]

    def parameters(self, means, covariance):
        """θ of means (K, d) and a covariance (d, d)."""
        return FullParameters(means, covariance, *whitener(covariance, "all"))

    def start(self, rows, covariance):
        """θ of components about these rows, as wide as all data."""
        return self.parameters(rows, self.shrinkage.full(covariance, 1.0))

    def log_densities(self, theta, X):
        dtype = X.dtype
        # About the middle of the components squares are as small as they can be.
        centre = theta.means.mean(axis=0).astype(dtype)
        whitened = (X - centre) @ theta.whiteners.astype(dtype)
        means = ((theta.means - centre) @ theta.whiteners).astype(dtype)
        joint = whitened @ means.T
        if np.isnan(joint[:, 0]).any():
            return _with_gaps(self, theta, X)
        joint -= 0.5 * np.einsum("kj,kj->k", means, means)
        joint -= 0.5 * np.einsum("ij,ij->i", whitened, whitened)[:, np.newaxis]
        joint -= dtype.type(0.5 * (theta.log_determinants + X.shape[1] * LOG_2PI))
        return joint

    def collect(self, theta, X, shares):
        centre = theta.means.mean(axis=0).astype(X.dtype)
        deviations = X - centre
        counts = column_sums(shares)
        sums = (shares.T @ deviations).astype(np.float64)
        if np.isnan(sums).any():
            full = _moments_with_gaps(self, theta, X, shares)
            scatter = full.scatters.sum(axis=0)
            return TiedMoments(full.counts, full.means, scatter, full.gap_entropy)
        shifts = sums / np.where(counts > 0, counts, 1)[:, np.newaxis]
        deviations *= np.sqrt(shares.sum(axis=1))[:, np.newaxis]
        scatter = (deviations.T @ deviations).astype(np.float64)
        scatter -= TiedMoments.between(counts, shifts)
        means = np.where(counts[:, np.newaxis] > 0, centre + shifts, 0)
        return TiedMoments(counts, means, scatter)

    def solve(self, statistics, theta):
        is_used = statistics.counts[:, np.newaxis] > 0
        means = np.where(is_used, statistics.means, theta.means)
        covariance = self.shrinkage.full(statistics.scatters, statistics.counts.sum())
        return self.parameters(means, covariance)

    def penalty(self, theta):
        return self.shrinkage.penalty_full([theta.covariances])

    def objective(self, statistics, theta):
        shift = statistics.means - theta.means
        scatter = statistics.scatters + TiedMoments.between(statistics.counts, shift)
        distance = np.vdot(theta.whiteners @ theta.whiteners.T, scatter)
        width = theta.means.shape[1]
        constant = statistics.counts.sum() * (theta.log_determinants + width * LOG_2PI)
        return 0.5 * float(distance + constant) - statistics.gap_entropy

    def restart(self, theta, statistics, components, rows):
        means = theta.means.copy()
        overall = statistics.counts @ statistics.means / statistics.counts.sum()
        means[components] = np.where(np.isnan(rows), overall, rows)
        return theta._replace(means=means), statistics.without(components)

    def n_parameters(self, n_features):
        """Free parameters of all components."""
        return self.n_components * n_features + n_features * (n_features + 1) // 2


# -- rows with gaps -------------------------------------------------------------------------------


def _with_gaps(components, theta, X):
    joint = np.empty((len(X), components.n_components), dtype=X.dtype)
    for k in range(components.n_components):
        for indices, completed in completed_rows(X, *components.gaussian(theta, k)):
            joint[indices, k] = completed.log_densities
    return joint


def _moments_with_gaps(components, theta, X, shares):
    """Moments of rows completed by expectation, and of what is uncertain of them.

    Without the conditional covariance of the missing entries the scatter would shrink.
    """
    width, K = X.shape[1], components.n_components
    sums, scatters, gap_entropy = np.zeros((K, width)), np.zeros((K, width, width)), 0.0
    for k in range(K):
        for indices, completed in completed_rows(X, *components.gaussian(theta, k)):
            weights, deviations = shares[indices, k].astype(np.float64), completed.deviations
            sums[k] += weights @ deviations
            scatters[k] += (weights[:, np.newaxis] * deviations).T @ deviations
            completed.add_uncertainty(weights, scatters[k])
            gap_entropy += float(weights @ completed.entropies)
    counts = column_sums(shares)
    shifts = sums / np.where(counts > 0, counts, 1)[:, np.newaxis]
    scatters -= FullMoments.between(counts, shifts)
    means = np.where(counts[:, np.newaxis] > 0, theta.means + shifts, 0)
    return FullMoments(counts, means, scatters, gap_entropy)


def _chunks(n_rows, width):
    step = max(1, CHUNK_ENTRIES // width)
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
