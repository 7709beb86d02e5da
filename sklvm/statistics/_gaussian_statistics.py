"""Weight, mean and scatter of data rows: all that a Gaussian model needs to know of them."""

from dataclasses import dataclass

import numpy as np

__all__ = ["GaussianStatistics"]

# Long enough for the float64 sum of the products to cost nothing beside them, short enough for the
# centred rows to stay in the cache.
_CHUNK_ENTRIES = 6_000_000
_MIN_CHUNK_ROWS = 4096
_ROUGH_MEAN_ROWS = 1024
_SPARE_PRECISION = 1e-13


@dataclass(frozen=True)
class GaussianStatistics:
    """Sufficient statistics of a Gaussian: Σᵢ wᵢ, the weighted mean, and the scatter about it.

    Statistics of parts of the data merge into those of the whole, so that one fit, successive
    partial fits and a map-reduce over workers are the same code. They are held in float64 whatever
    the data are; rows are centred near their mean before they are multiplied where products about
    the origin would cost accuracy.

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
    >>> covariance.round(12)
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
        weights = np.ones(n_samples) if sample_weight is None else sample_weight
        centre = _choose_centre(X, weights)
        is_centred = centre.any()
        is_copied = is_centred or sample_weight is not None
        n_rows = min(n_samples, max(_MIN_CHUNK_ROWS, _CHUNK_ENTRIES // n_features))
        if X.dtype == np.float64 and X.flags.forc and not is_copied:
            n_rows = n_samples  # nothing to be gained by chunks
        buffer = np.empty((n_rows if is_copied else 0, n_features), dtype=X.dtype)
        product = np.empty((n_features, n_features), dtype=X.dtype)
        deviation = np.zeros(n_features)
        scatter = np.zeros((n_features, n_features))
        for start in range(0, n_samples, n_rows):
            stop = min(start + n_rows, n_samples)
            rows, room = X[start:stop], buffer[: stop - start]
            chunk_weights = weights[start:stop].astype(X.dtype)
            if is_centred:
                rows = np.subtract(rows, centre, out=room)
            deviation += chunk_weights @ rows
            if sample_weight is not None:
                rows = np.multiply(rows, np.sqrt(chunk_weights)[:, np.newaxis], out=room)
            # A symmetric product, at half the cost of any other.
            scatter += np.matmul(rows.T, rows, out=product)
        weight = float(weights.sum())
        if weight > 0:
            deviation /= weight
        scatter -= _outer_square(weight, deviation)
        return cls(weight, centre + deviation, scatter)

    @classmethod
    def empty(cls, n_features):
        """Statistics of no rows at all: the neutral element of ``merge``."""
        return cls(0.0, np.zeros(n_features), np.zeros((n_features, n_features)))

    def merge(self, other):
        """Statistics of the rows of both, as new statistics."""
        weight = self.weight + other.weight
        share = other.weight / weight if weight > 0 else 0.0
        shift = other.mean - self.mean
        between = _outer_square(self.weight * share, shift)
        return GaussianStatistics(
            weight, self.mean + share * shift, self.scatter + other.scatter + between
        )

    def scale(self, factor):
        """Statistics of the same rows at `factor` times their weight."""
        return GaussianStatistics(factor * self.weight, self.mean, factor * self.scatter)

    def neutral(self):
        """Statistics of no rows, of the same shapes."""
        return GaussianStatistics.empty(len(self.mean))

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


def _choose_centre(X, weights):
    """What the rows are to be centred on: near their mean, or zero where that is as good.

    Products of rows of mean m and variance v about zero lose m²/v of their precision. Float64 can
    nearly always spare that; float32 cannot. A thousand or two of the rows tell m and v.
    """
    step = max(1, len(X) // _ROUGH_MEAN_ROWS)
    some, shares = X[::step], weights[::step].astype(X.dtype)
    if not shares.any():
        return X[np.argmax(weights > 0)]
    shares /= shares.sum()
    mean = shares @ some
    variance = shares @ (some - mean) ** 2
    if np.all(np.finfo(X.dtype).eps * mean**2 <= _SPARE_PRECISION * variance):
        return np.zeros_like(mean)
    return mean


def _outer_square(weight, v):
    """w vvᵀ, symmetric to the last bit."""
    scaled = np.sqrt(weight) * v
    return np.outer(scaled, scaled)
