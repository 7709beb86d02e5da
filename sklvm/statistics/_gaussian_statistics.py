"""Weight, mean and scatter of data rows: all that a Gaussian model needs to know of them."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.blas import dsyr, get_blas_funcs

__all__ = ["GaussianStatistics"]

# Long enough for the matrix product to run at full speed and for the float64 sum of the products to
# be free, short enough for a centred copy of the rows to stay in the cache.
_CHUNK_ROWS = 2048


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
        statistics = cls.empty(X.shape[1])
        for start in range(0, len(X), _CHUNK_ROWS):
            rows = slice(start, start + _CHUNK_ROWS)
            weights = None if sample_weight is None else sample_weight[rows]
            statistics = _add_part(statistics, *_chunk_statistics(X[rows], weights))
        upper = np.triu(statistics.scatter)
        return replace(statistics, scatter=upper + np.triu(upper, 1).T)

    @classmethod
    def empty(cls, n_features):
        """Statistics of no rows at all: the neutral element of ``merge``."""
        scatter = np.zeros((n_features, n_features), order="F")
        return cls(0.0, np.zeros(n_features), scatter)

    def merge(self, other):
        """Statistics of the rows of both, as new statistics."""
        own = replace(self, scatter=self.scatter.copy(order="F"))
        merged = _add_part(own, other.weight, other.mean, other.scatter)
        lower = np.tril_indices(len(merged.mean), -1)
        merged.scatter[lower] = merged.scatter.T[lower]
        return merged

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


def _chunk_statistics(X, sample_weight):
    """Weight, mean and upper triangle of the scatter of a few rows, multiplied in X's precision."""
    if sample_weight is None:
        weight, mean = float(len(X)), X.mean(axis=0, dtype=np.float64)
    else:
        sample_weight = sample_weight.astype(np.float64, copy=False)
        weight = float(sample_weight.sum())
        mean = sample_weight @ X / weight if weight > 0 else np.zeros(X.shape[1])
    # Rounding the centre to X's precision moves the scatter by weight · (rounding error)², far
    # below the rounding of the product itself.
    centred = np.subtract(X, mean.astype(X.dtype), order="C")
    if sample_weight is not None:
        centred *= np.sqrt(sample_weight).astype(X.dtype)[:, np.newaxis]
    rank_k_update = get_blas_funcs("syrk", (centred,))
    return weight, mean, rank_k_update(1.0, centred.T)


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
