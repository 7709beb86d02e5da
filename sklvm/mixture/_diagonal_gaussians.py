"""Gaussians with independent features: a variance for each, or one for all of a component."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sklvm.mixture._covariances import Shrinkage
from sklvm.mixture._moments import DiagonalMoments, column_sums

__all__ = ["DiagonalGaussians", "DiagonalParameters"]

LOG_2PI = np.log(2 * np.pi)

# Entries of the rows that are worked with at a time, to stay in the cache.
CHUNK_ENTRIES = 2**15


class DiagonalParameters(NamedTuple):
    """Means (K, d) and variances (K, d); equal in a row of them where they are spherical."""

    means: np.ndarray
    variances: np.ndarray


@dataclass(frozen=True)
class DiagonalGaussians:
    """Π_j N(x_j; μ_kj, σ²_kj), over the observed entries.

    Squares are expanded about the middle of the components, and two products give all distances.
    A missing entry is independent of the others given the component, and says nothing: there is
    nothing to be completed.

    Attributes
    ----------
    n_components : int
    shrinkage : Shrinkage
    is_spherical : bool
        Whether a component has one variance.
    """

    n_components: int
    shrinkage: Shrinkage
    is_spherical: bool

    @property
    def covariance_type(self):
        return "spherical" if self.is_spherical else "diag"

    def start(self, rows, covariance):
        """θ of components about these rows, as wide as all data."""
        variances = np.diag(covariance)[np.newaxis]
        ones = np.ones_like(variances)
        return DiagonalParameters(rows, np.repeat(self._variances(variances, ones), len(rows), 0))

    def _variances(self, scatters, counts):
        if not self.is_spherical:
            return self.shrinkage.diagonal(scatters, counts)
        shared = self.shrinkage.spherical(scatters, counts)
        return np.repeat(shared[:, np.newaxis], scatters.shape[1], axis=1)

    def log_densities(self, theta, X):
        centre = theta.means.mean(axis=0).astype(X.dtype)
        precisions, means = 1 / theta.variances, theta.means - centre
        slopes = np.hstack([precisions * means, -0.5 * precisions]).T.astype(X.dtype)
        constants = 0.5 * (means**2 * precisions + np.log(theta.variances) + LOG_2PI)
        offsets = constants.T.astype(X.dtype)
        joint = np.empty((len(X), self.n_components), dtype=X.dtype)
        for rows, powers in _powers(X, centre):
            part = np.matmul(powers, slopes, out=joint[rows])
            if np.isnan(part[:, 0]).any():  # a gap leaves no number in its row
                observed = _fill(powers)
                np.matmul(powers, slopes, out=part)
                part -= observed @ offsets
            else:
                part -= offsets.sum(axis=0)
        return joint

    def collect(self, theta, X, shares):
        width = X.shape[1]
        centre = theta.means.mean(axis=0).astype(X.dtype)
        sums, counts = (
            np.zeros((self.n_components, 2 * width)),
            np.zeros((self.n_components, width)),
        )
        for rows, powers in _powers(X, centre):
            some = shares[rows]
            part = some.T @ powers
            if np.isnan(part).any():
                counts += some.T @ _fill(powers)
                part = some.T @ powers
            else:
                counts += column_sums(some)[:, np.newaxis]
            sums += part
        shifts = sums[:, :width] / np.where(counts > 0, counts, 1)
        scatters = np.maximum(sums[:, width:] - counts * shifts**2, 0)
        return DiagonalMoments(counts, np.where(counts > 0, centre + shifts, 0), scatters)

    def solve(self, statistics, theta):
        is_used = statistics.counts > 0
        means = np.where(is_used, statistics.means, theta.means)
        variances = self._variances(statistics.scatters, statistics.counts)
        unknown = ~is_used.any(axis=1, keepdims=True) if self.is_spherical else ~is_used
        return DiagonalParameters(means, np.where(unknown, theta.variances, variances))

    def penalty(self, theta):
        return self.shrinkage.penalty_diagonal(theta.variances)

    def objective(self, statistics, theta):
        scatters = statistics.scatters + statistics.counts * (statistics.means - theta.means) ** 2
        constants = statistics.counts * (np.log(theta.variances) + LOG_2PI)
        return 0.5 * float((scatters / theta.variances + constants).sum())

    def restart(self, theta, statistics, components, rows):
        means, variances = theta.means.copy(), theta.variances.copy()
        overall = (statistics.counts * statistics.means).sum(axis=0)
        overall /= np.maximum(statistics.counts.sum(axis=0), 1e-300)
        means[components] = np.where(np.isnan(rows), overall, rows)
        prior = self.shrinkage.prior_variances
        variances[components] = prior.mean() if self.is_spherical else prior
        return DiagonalParameters(means, variances), statistics.without(components)

    @staticmethod
    def means(theta):
        """E[x | k], shape (K, d)."""
        return theta.means

    # -- draws and gaps ---------------------------------------------------------------------------

    @staticmethod
    def sample(theta, labels, rng):
        """A row of each component in `labels`."""
        noise = rng.standard_normal((len(labels), theta.means.shape[1]))
        return theta.means[labels] + np.sqrt(theta.variances[labels]) * noise

    @staticmethod
    def completed(theta, X, k):
        """E[x | observed entries, component k] of rows with gaps."""
        return np.where(np.isnan(X), theta.means[k], X)

    @classmethod
    def drawn(cls, theta, X, labels, rng):
        """Rows with gaps that are drawn given the others and the components."""
        return np.where(np.isnan(X), cls.sample(theta, labels, rng), X)

    def n_parameters(self, n_features):
        """Free parameters of all components."""
        return self.n_components * (n_features + (1 if self.is_spherical else n_features))


def _powers(X, centre):
    """Rows about a centre beside their squares, (m, 2d), as many at a time as the cache holds."""
    width = X.shape[1]
    step = max(1, CHUNK_ENTRIES // width)
    room = np.empty((min(step, len(X)), 2 * width), dtype=X.dtype)
    for start in range(0, len(X), step):
        rows = slice(start, min(start + step, len(X)))
        powers = room[: rows.stop - rows.start]
        deviations = np.subtract(X[rows], centre, out=powers[:, :width])
        np.multiply(deviations, deviations, out=powers[:, width:])
        yield rows, powers


def _fill(powers):
    """Zeros in the place of gaps; the mask of what is observed, of shape (m, d)."""
    missing = np.isnan(powers)
    powers[missing] = 0
    return (~missing[:, : powers.shape[1] // 2]).astype(powers.dtype)
