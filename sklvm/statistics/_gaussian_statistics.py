"""Weight, mean and scatter of data rows: all that a Gaussian model needs to know of them."""

import numpy as np

from sklvm.statistics._centring import is_constant, rough_mean

__all__ = ["GaussianStatistics"]

# Long enough for the sum of the products to cost little beside them, short enough for the centred
# rows to take no memory worth the name.
_CHUNK_ENTRIES = 2**21
_MIN_CHUNK_ROWS = 512
_SPARE_PRECISION = 1e-13
_EPSILON = float(np.finfo(np.float64).eps)


class GaussianStatistics:
    """Sufficient statistics of a Gaussian: Σᵢ wᵢ, the weighted mean, and the scatter about it.

    Statistics of parts of the data merge into those of the whole, so that one fit, successive
    partial fits and a map-reduce over workers are the same code. They are held, and summed, in
    float64 whatever the data are; rows are centred near their mean before they are multiplied where
    products about the origin would cost accuracy. Of fewer rows than features the centred rows are
    kept instead of the scatter, and memory and work grow with the width and not with its square.

    Parameters
    ----------
    weight : float
        Sum of the sample weights; the number of rows where there are none.
    mean : ndarray of shape (n_features,)
        Weighted mean of the rows.
    scatter : ndarray of shape (n_features, n_features), default=None
        Σᵢ wᵢ (xᵢ − mean)(xᵢ − mean)ᵀ, symmetric; None: by `rows`.
    rows : ndarray of shape (m, n_features), default=None
        R with RᵀR = scatter; None: by `scatter`.
    epsilon : float, default=2**-52
        Spacing of the data's floating-point numbers at 1, the coarsest that there was.

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

    def __init__(self, weight, mean, scatter=None, *, rows=None, epsilon=_EPSILON):
        self.weight, self.mean, self.rows, self.epsilon = weight, mean, rows, epsilon
        self._scatter = scatter

    @property
    def scatter(self):
        """Σᵢ wᵢ (xᵢ − mean)(xᵢ − mean)ᵀ, shape (n_features, n_features)."""
        return self.rows.T @ self.rows if self._scatter is None else self._scatter

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
        weight, epsilon = float(weights.sum(dtype=np.float64)), float(np.finfo(X.dtype).eps)
        if not weight > 0:
            return cls.empty(n_features)
        centre = _choose_centre(X, weights)
        if n_samples < n_features:
            mean, rows = _centred_rows(X, weights, centre)
            return cls(weight, mean, rows=rows, epsilon=epsilon)
        deviation, scatter = _sums(X, weights, centre)
        deviation /= weight
        scatter -= _outer_square(weight, deviation)
        return cls(weight, centre + deviation, scatter, epsilon=epsilon)

    @classmethod
    def empty(cls, n_features):
        """Statistics of no rows at all: the neutral element of ``merge``."""
        return cls(0.0, np.zeros(n_features), rows=np.zeros((0, n_features)))

    def merge(self, other):
        """Statistics of the rows of both, as new statistics."""
        weight = self.weight + other.weight
        share = other.weight / weight if weight > 0 else 0.0
        shift = other.mean - self.mean
        mean, epsilon = self.mean + share * shift, max(self.epsilon, other.epsilon)
        between = np.sqrt(self.weight * share) * shift
        if self.rows is not None and other.rows is not None:
            parts = [part for part in (self.rows, other.rows, between[np.newaxis]) if part.any()]
            if sum(map(len, parts)) < len(mean):
                rows = np.vstack(parts) if parts else self.rows[:0]
                return GaussianStatistics(weight, mean, rows=rows, epsilon=epsilon)
        scatter = self.scatter + other.scatter + np.outer(between, between)
        return GaussianStatistics(weight, mean, scatter, epsilon=epsilon)

    def scale(self, factor):
        """Statistics of the same rows at `factor` times their weight."""
        root = np.sqrt(factor)
        return GaussianStatistics(
            factor * self.weight,
            self.mean,
            None if self._scatter is None else factor * self._scatter,
            rows=None if self.rows is None else root * self.rows,
            epsilon=self.epsilon,
        )

    def neutral(self):
        """Statistics of no rows, of the same shapes."""
        return GaussianStatistics.empty(len(self.mean))

    def variances(self):
        """Variance of each feature; exactly zero where rounding leaves some of none.

        Returns
        -------
        variances : ndarray of shape (n_features,)

        Raises
        ------
        ValueError
            If no row has a positive weight.
        """
        if not self.weight > 0:
            raise ValueError(f"The sum of weights must be positive, got {self.weight}.")
        if self.rows is None:
            squares = np.diag(self._scatter).copy()
        else:
            squares = np.einsum("ij,ij->j", self.rows, self.rows)
        variances = np.maximum(squares / self.weight, 0)
        variances[is_constant(variances, self.mean, self.epsilon)] = 0
        return variances

    def solve(self):
        """The Gaussian of greatest likelihood.

        Returns
        -------
        location : ndarray of shape (n_features,)
        covariance : ndarray of shape (n_features, n_features)
            Scatter divided by the sum of weights; exactly zero for constant features.

        Raises
        ------
        ValueError
            If no row has a positive weight.
        """
        constant = self.variances() == 0
        covariance = self.scatter / self.weight
        if constant.any():
            covariance[constant] = 0
            covariance[:, constant] = 0
        return self.mean, covariance


def _choose_centre(X, weights):
    """What the rows are to be centred on: near their mean, or zero where that is as good.

    Products of rows of mean m and variance v about zero lose m²/v of their precision, which float64
    can nearly always spare. Float32 rows are copied anyway, and lose nothing by being centred.
    """
    mean, variance = rough_mean(X, weights)
    is_spare = X.dtype == np.float64 and np.all(_EPSILON * mean**2 <= _SPARE_PRECISION * variance)
    return np.zeros_like(mean) if is_spare else mean


def _centred_rows(X, weights, centre):
    """The mean, and the rows about it times the roots of their weights."""
    rows = X - centre
    shares = weights.astype(np.float64)
    deviation = shares @ rows / shares.sum()
    rows -= deviation
    rows *= np.sqrt(shares)[:, np.newaxis]
    return centre + deviation, rows


def _sums(X, weights, centre):
    """Σᵢ wᵢ (xᵢ − centre) and Σᵢ wᵢ (xᵢ − centre)(xᵢ − centre)ᵀ, a few rows at a time."""
    n_samples, n_features = X.shape
    is_weighted = np.ptp(weights) > 0 or weights[0] != 1
    is_copied = centre.any() or is_weighted or X.dtype != np.float64
    n_rows = min(n_samples, max(_MIN_CHUNK_ROWS, _CHUNK_ENTRIES // n_features))
    if X.flags.forc and not is_copied:
        n_rows = n_samples  # nothing to be gained by chunks
    buffer = np.empty((n_rows if is_copied else 0, n_features))
    product = np.empty((n_features, n_features))
    sums, scatter = np.zeros(n_features), np.zeros((n_features, n_features))
    for start in range(0, n_samples, n_rows):
        stop = min(start + n_rows, n_samples)
        rows, shares = X[start:stop], weights[start:stop].astype(np.float64)
        if is_copied:
            rows = np.subtract(rows, centre, out=buffer[: stop - start])
        sums += shares @ rows
        if is_weighted:
            rows *= np.sqrt(shares)[:, np.newaxis]
        # A symmetric product, at half the cost of any other.
        scatter += np.matmul(rows.T, rows, out=product)
    return sums, scatter


def _outer_square(weight, v):
    """w vvᵀ, symmetric to the last bit."""
    scaled = np.sqrt(weight) * v
    return np.outer(scaled, scaled)
