"""Weights, means and scatters of several components at a time: what Gaussian mixtures solve."""

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["DiagonalMoments", "FullMoments", "TiedMoments", "column_sums"]


def column_sums(shares):
    """Σᵢ r_ik over a block of rows, in float64; one product, faster than a sum that converts."""
    return (np.ones(len(shares), dtype=shares.dtype) @ shares).astype(np.float64)


@dataclass(frozen=True)
class _Moments:
    """Moments about the components' own means, in float64.

    They merge by the formula of Chan, Golub and LeVeque (1979), which subtracts nothing: data far
    from the origin lose no digits.

    Parameters
    ----------
    counts : ndarray
        Sums of the rows' shares.
    means : ndarray of shape (K, d)
        0 where there are no rows.
    scatters : ndarray
        Sums of squared deviations from the means, at the rows' shares.
    gap_entropy : float
        Of missing entries that were completed, given the others, at the rows' shares.
    """

    counts: np.ndarray
    means: np.ndarray
    scatters: np.ndarray
    gap_entropy: float = 0.0

    def merge(self, other):
        """Moments of the rows of both."""
        counts = self.counts + other.counts
        shares = other.counts / np.where(counts > 0, counts, 1)
        shift = other.means - self.means
        between = self.between(self.counts * shares, shift)
        means = self.means + self.by_feature(shares) * shift
        return type(self)(
            counts,
            means,
            self.scatters + other.scatters + between,
            self.gap_entropy + other.gap_entropy,
        )

    def scale(self, factor):
        """Moments of the same rows at `factor` times their weight."""
        return type(self)(
            factor * self.counts, self.means, factor * self.scatters, factor * self.gap_entropy
        )

    def neutral(self):
        """Moments of no rows, of the same shapes."""
        return type(self)(*map(np.zeros_like, (self.counts, self.means, self.scatters)))

    @staticmethod
    def by_feature(values):
        """Values of the components, to be multiplied with rows (K, d)."""
        return values[:, np.newaxis]


@dataclass(frozen=True)
class FullMoments(_Moments):
    """Counts (K,), means (K, d), scatters (K, d, d)."""

    @staticmethod
    def between(weights, shift):
        """What two means that differ by `shift` add to the scatters."""
        scaled = np.sqrt(weights)[:, np.newaxis] * shift
        return scaled[:, :, np.newaxis] * scaled[:, np.newaxis, :]

    def without(self, components):
        """Moments in which these components have no rows."""
        counts, means, scatters = self.counts.copy(), self.means.copy(), self.scatters.copy()
        counts[components] = means[components] = scatters[components] = 0
        return replace(self, counts=counts, means=means, scatters=scatters)


@dataclass(frozen=True)
class TiedMoments(_Moments):
    """Counts (K,), means (K, d), and one scatter (d, d) about them all."""

    @staticmethod
    def between(weights, shift):
        """What two means that differ by `shift` add to the scatter."""
        scaled = np.sqrt(weights)[:, np.newaxis] * shift
        return scaled.T @ scaled

    def without(self, components):
        """Moments in which these components have no rows; the scatter is that of all."""
        counts, means = self.counts.copy(), self.means.copy()
        counts[components] = means[components] = 0
        return replace(self, counts=counts, means=means)


@dataclass(frozen=True)
class DiagonalMoments(_Moments):
    """All of shape (K, d): a feature that is missing in some rows has counts of its own."""

    @staticmethod
    def by_feature(values):
        return values

    @staticmethod
    def between(weights, shift):
        """What two means that differ by `shift` add to the scatters."""
        return weights * shift**2

    without = FullMoments.without
