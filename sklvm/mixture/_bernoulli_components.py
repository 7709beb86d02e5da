"""Independent bits, a mean for each component and feature."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import xlogy

from sklvm.mixture._moments import column_sums

__all__ = ["BernoulliComponents", "BernoulliStatistics"]

# A component starts at its row moved so far to the mean of all data.
SHRINKAGE = 0.75


@dataclass(frozen=True)
class BernoulliStatistics:
    """Σᵢ wᵢ q_ik x_ij, and Σᵢ wᵢ q_ik over the rows in which feature j is observed.

    Sums are of shape (K, d); counts too, or (K, 1) where nothing is missing.
    """

    sums: np.ndarray
    counts: np.ndarray

    def merge(self, other):
        """Statistics of the rows of both."""
        return BernoulliStatistics(self.sums + other.sums, self.counts + other.counts)

    def scale(self, factor):
        """Statistics of the same rows at `factor` times their weight."""
        return BernoulliStatistics(factor * self.sums, factor * self.counts)

    def neutral(self):
        """Statistics of no rows, of the same shapes."""
        return BernoulliStatistics(np.zeros_like(self.sums), np.zeros_like(self.counts))


@dataclass(frozen=True)
class BernoulliComponents:
    """log p(x | k) = Σ_j x_j log μ_kj + (1 − x_j) log(1 − μ_kj), over observed entries; θ is μ.

    Entries may be probabilities: the expected log-probability of bits drawn from them.

    Attributes
    ----------
    n_components : int
    prior_strength : float
        a: the prior of each μ_kj is Beta(1 + a, 1 + a), as of 2a rows seen before, half of them on.

    """

    n_components: int
    prior_strength: float

    def log_densities(self, means, X):
        with np.errstate(divide="ignore"):
            on, off = np.log(means), np.log1p(-means)
        # What is certain must not occur as 0 · ∞ in a product.
        never, always = means == 0, means == 1
        on[never | always] = off[never | always] = 0
        slopes, offsets = (on - off).T.astype(X.dtype), off.astype(X.dtype)
        joint, missing = X @ slopes, None
        if np.isnan(joint[:, 0]).any():  # a gap leaves no number in its row
            X, missing = _split(X)
            joint = X @ slopes - missing @ offsets.T
        joint += offsets.sum(axis=1)
        if never.any() or always.any():
            joint[self._is_impossible(X, missing, never, always)] = -np.inf
        return joint

    @staticmethod
    def _is_impossible(X, missing, never, always):
        never, always = never.astype(X.dtype).T, always.astype(X.dtype).T
        # An observed entry of less than 1 where 1 is certain, or more than 0 where 0 is.
        lacking = always.sum(axis=0) - X @ always
        if missing is not None:
            lacking -= missing @ always
        rounding = 4 * X.shape[1] * np.finfo(X.dtype).eps
        return (X @ never > 0) | (lacking > rounding)

    def collect(self, means, X, shares):
        sums, missing = _product(shares, X), None
        if np.isnan(sums).any():
            X, missing = _split(X)
            sums = _product(shares, X)
        counts = column_sums(shares)[:, np.newaxis]
        if missing is not None:
            counts = np.maximum(counts - (missing.T @ shares).T, 0)
        return BernoulliStatistics(sums, counts)

    def solve(self, statistics, means):
        a = self.prior_strength
        sums, counts = statistics.sums + a, statistics.counts + 2 * a
        known = counts > 0
        solved = np.where(known, sums / np.where(known, counts, 1), means)
        return np.clip(solved, 0, 1, out=solved)

    def penalty(self, means):
        if self.prior_strength == 0:
            return 0.0
        return -self.prior_strength * float(np.sum(np.log(means) + np.log1p(-means)))

    def objective(self, statistics, means):
        on, off = statistics.sums, statistics.counts - statistics.sums
        return -float(np.sum(xlogy(on, means) + xlogy(np.maximum(off, 0), 1 - means)))

    def restart(self, means, statistics, components, rows):
        overall = statistics.sums.sum(axis=0) + 0.5
        overall /= statistics.counts.sum(axis=0) + 1
        overall = np.broadcast_to(overall, means.shape[1:])
        means, sums, counts = means.copy(), statistics.sums.copy(), statistics.counts.copy()
        means[components] = self.around(rows, overall)
        sums[components] = counts[components] = 0
        return means, BernoulliStatistics(sums, counts)

    @staticmethod
    def around(rows, overall):
        """Means of components that start at these rows; NaN is the mean of all data there."""
        rows = np.where(np.isnan(rows), overall, rows)
        return overall + (1 - SHRINKAGE) * (rows - overall)

    @staticmethod
    def means(theta):
        """E[x | k], shape (K, d)."""
        return theta

    # -- draws and gaps ---------------------------------------------------------------------------

    @staticmethod
    def sample(means, labels, rng):
        """A row of each component in `labels`."""
        return (rng.random((len(labels), means.shape[1])) < means[labels]).astype(np.float64)

    @staticmethod
    def completed(means, X, k):
        """E[x | observed entries, component k] of rows with gaps."""
        return np.where(np.isnan(X), means[k], X)

    @staticmethod
    def drawn(means, X, labels, rng):
        """Rows with gaps that are drawn given the others and the components."""
        return np.where(np.isnan(X), rng.random(X.shape) < means[labels], X)

    def n_parameters(self, n_features):
        """Free parameters of all components."""
        return self.n_components * n_features


def _product(shares, X):
    """RᵀX, in float64."""
    product = (X.T @ shares).T if sparse.issparse(X) else shares.T @ X
    return product.astype(np.float64)


def _split(X):
    """X with 0 in the place of NaN, and where NaN is: a matrix of 0 and 1."""
    if not sparse.issparse(X):
        missing = np.isnan(X)
        return np.where(missing, 0, X), missing.astype(X.dtype)
    missing = sparse.csr_array(X, copy=True)
    missing.data = np.isnan(X.data).astype(X.dtype)
    missing.eliminate_zeros()
    X = sparse.csr_array(X, copy=True)
    X.data = np.nan_to_num(X.data)
    return X, missing
