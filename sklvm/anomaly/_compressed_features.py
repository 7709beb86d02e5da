"""Features on one scale, whatever their units, gaps and tails."""

import numpy as np

__all__ = ["CompressedFeatures"]

# Where logarithms take over from proportions, in robust standard deviations.
KNEE = 3.0
# A quartile distance of less than this part of the standard deviation says nothing of the scale.
LEAST_ROBUST_PART = 1e-6
# Differences of a constant feature by less, relative to its size, are rounding.
ROUNDING = 1e-9


class CompressedFeatures:
    """Median 0, robust scale 1, far values by their logarithm; then mean 0 and variance 1.

    z = 3 asinh((x − median)/(3 s)), s being the distance of the quartiles over 1.349, or the
    standard deviation where the quartiles (nearly) coincide, as those of rare bits do. A feature
    that was constant is 0, and √n where it differs from that: what a bit that is set in one of n
    rows comes to. Missing entries stand at the median.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        The rows that the scales are those of; NaN: missing.
    """

    def __init__(self, X):
        X = X.astype(np.float64)
        n = len(X)
        gaps = np.isnan(X)
        filled = np.where(gaps.all(axis=0), 0.0, X)
        self.median = np.nanmedian(filled, axis=0)
        centred = np.where(gaps, 0.0, filled - self.median)
        deviations = centred.std(axis=0)
        low, high = np.quantile(centred, [0.25, 0.75], axis=0)
        robust = (high - low) / 1.349
        self.slack = ROUNDING * np.maximum(np.abs(self.median), np.finfo(np.float64).tiny)
        self.is_constant = np.abs(centred).max(axis=0) <= self.slack
        scales = np.where(robust > LEAST_ROBUST_PART * deviations, robust, deviations)
        self.scales = np.where(self.is_constant, 1.0, scales)
        self.surprise = np.sqrt(n)
        self.mean, self.deviation = 0.0, 1.0
        Z = self._compressed(centred)
        self.mean = np.where(self.is_constant, 0.0, Z.mean(axis=0))
        self.deviation = np.where(self.is_constant, 1.0, Z.std(axis=0))

    def transform(self, X):
        """z of each row, shape (n, d), in double precision."""
        X = X.astype(np.float64)
        Z = self._compressed(np.where(np.isnan(X), 0.0, X - self.median))
        return (Z - self.mean) / self.deviation

    def _compressed(self, centred):
        Z = KNEE * np.arcsinh(centred / (KNEE * self.scales))
        return np.where(
            self.is_constant, np.where(np.abs(centred) > self.slack, self.surprise, 0.0), Z
        )
