"""Weight, mean and scatter of data rows: all that a Gaussian model needs to know of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import pairwise

import numpy as np
from scipy.linalg.blas import dsyr
from threadpoolctl import threadpool_limits

from sklvm.kernels import effective_n_threads

__all__ = ["GaussianStatistics"]

# Long enough for the float64 sum of the products to cost nothing beside them, short enough for the
# centred rows to stay in the cache.
_CHUNK_ROWS = 2048
_MULTIPLICATIONS_WORTH_THREADS = 2**31


@dataclass(frozen=True)
class GaussianStatistics:
    """Sufficient statistics of a Gaussian: Σᵢ wᵢ, the weighted mean, and the scatter about it.

    Statistics of parts of the data merge into those of the whole, so that one fit, successive
    partial fits and a map-reduce over workers are the same code. They are held in float64 whatever
    the data are; rows are centred on the mean of their own chunk before they are multiplied, which
    keeps the products of float32 data accurate however far the data lie from the origin.

    Parameters
    ----------
    weight : float
        Sum of the sample weights; the number of rows where there are none.
    mean : ndarray of shape (n_features,)
        Weighted mean of the rows.
    scatter : ndarray of shape (n_features, n_features)
        Σᵢ wᵢ (xᵢ − mean)(xᵢ − mean)ᵀ, symmetric.

    References
    ----------
    Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample
    variances", equation 2.1, in its matrix form.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.statistics import GaussianStatistics
    >>> X = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])
    >>> whole = GaussianStatistics.collect(X[:1]).merge(GaussianStatistics.collect(X[1:]))
    >>> location, covariance = whole.solve()
    >>> location
    array([1., 2.])
    >>> covariance
    array([[1., 0.],
           [0., 4.]])
    """

    weight: float
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def collect(cls, X, sample_weight=None):
        """Statistics of the rows of X.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32 or float64
            Data, of any memory layout.
        sample_weight : ndarray of shape (n_samples,), default=None
            Non-negative weights; None: every row counts once.

        Returns
        -------
        statistics : GaussianStatistics
        """
        n_samples, n_features = X.shape
        is_large = n_samples * n_features**2 >= _MULTIPLICATIONS_WORTH_THREADS
        n_threads = effective_n_threads() if is_large else 1
        if n_threads == 1:
            return _symmetrize(_collect_rows(X, sample_weight, slice(0, n_samples)))
        cuts = np.linspace(0, n_samples, n_threads + 1).astype(int)
        slices = [slice(start, stop) for start, stop in pairwise(cuts)]
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(n_threads) as pool:
            parts = pool.map(partial(_collect_rows, X, sample_weight), slices)
            return reduce(cls.merge, parts)

    @classmethod
    def empty(cls, n_features):
        """Statistics of no rows at all: the neutral element of ``merge``."""
        scatter = np.zeros((n_features, n_features), order="F")
        return cls(0.0, np.zeros(n_features), scatter)

    def merge(self, other):
        """Statistics of the rows of both, as new statistics."""
        own = replace(self, scatter=self.scatter.copy(order="F"))
        return _symmetrize(_add_part(own, other.weight, other.mean, other.scatter))

    def solve(self):
        """The Gaussian of greatest likelihood.

        Returns
        -------
        location : ndarray of shape (n_features,)
        covariance : ndarray of shape (n_features, n_features)
            Scatter divided by the sum of weights.

        Raises
        ------
        ValueError
            If no row has a positive weight.
        """
        if not self.weight > 0:
            raise ValueError(f"The sum of weights must be positive, got {self.weight}.")
        return self.mean, self.scatter / self.weight


def _collect_rows(X, sample_weight, rows):
    """Statistics of a slice of the rows; right in the scatter's upper triangle only."""
    statistics = GaussianStatistics.empty(X.shape[1])
    centred = np.empty((min(rows.stop - rows.start, _CHUNK_ROWS), X.shape[1]), dtype=X.dtype)
    for start in range(rows.start, rows.stop, _CHUNK_ROWS):
        chunk = slice(start, min(start + _CHUNK_ROWS, rows.stop))
        weights = None if sample_weight is None else sample_weight[chunk]
        buffer = centred[: chunk.stop - chunk.start]
        statistics = _add_chunk(statistics, X[chunk], weights, buffer)
    return statistics


def _add_chunk(statistics, X, sample_weight, centred):
    """Statistics with a few rows added, multiplied in X's precision; `centred` is a buffer."""
    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    weight = float(weights.sum())
    if weight == 0:
        return statistics
    weights = weights.astype(X.dtype)
    # The centre is the mean but for rounding in X's precision; the centred rows tell the rest.
    centre = (weights @ X) / X.dtype.type(weight)
    np.subtract(X, centre, out=centred)
    residue = (weights @ centred).astype(np.float64) / weight
    if sample_weight is not None:
        centred *= np.sqrt(weights)[:, np.newaxis]
    # numpy computes AᵀA as a symmetric product, at half the cost; its transpose is F-ordered.
    merged = _add_part(statistics, weight, centre + residue, (centred.T @ centred).T)
    dsyr(-weight, residue, a=merged.scatter, overwrite_a=1)
    return merged


def _add_part(statistics, weight, mean, scatter):
    """Statistics with a part added: the scatter in place, and right in its upper triangle only."""
    if weight == 0:
        return statistics
    total = statistics.weight + weight
    shift = mean - statistics.mean
    merged = statistics.scatter
    merged += scatter
    dsyr(statistics.weight * weight / total, shift, a=merged, overwrite_a=1)
    return GaussianStatistics(total, statistics.mean + (weight / total) * shift, merged)


def _symmetrize(statistics):
    upper = np.triu(statistics.scatter)
    return replace(statistics, scatter=upper + np.triu(upper, 1).T)
