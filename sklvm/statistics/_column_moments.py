"""Mean and variance of each column, without a copy of the data."""

import numpy as np

from sklvm.statistics._centring import is_constant, rough_mean

__all__ = ["column_moments"]

_CHUNK_ENTRIES = 2**19


def column_moments(X, sample_weight=None):
    """Mean and variance (over the sum of weights) of each column of X, in float64.

    Rows are taken a few at a time and shifted by the mean of some of them, so that a large mean
    costs no digits. What rounding leaves of no variance is zero.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights, not all zero; None: every row counts once.

    Returns
    -------
    mean, variance : ndarray of shape (n_features,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.statistics import column_moments
    >>> column_moments(np.array([[1.0, 0.0], [3.0, 0.0]]))
    (array([2., 0.]), array([1., 0.]))
    """
    n_samples, n_features = X.shape
    n_rows = max(1, _CHUNK_ENTRIES // n_features)
    weights = np.ones(n_samples) if sample_weight is None else sample_weight
    origin, _ = rough_mean(X, weights)
    sums, squares = np.zeros(n_features), np.zeros(n_features)
    for start in range(0, n_samples, n_rows):
        rows = slice(start, start + n_rows)
        shares = weights[rows].astype(np.float64)
        shifted = X[rows] - origin
        sums += shares @ shifted
        squares += shares @ np.square(shifted, out=shifted)
    total = np.sum(weights, dtype=np.float64)
    shift = sums / total
    mean, variance = origin + shift, np.maximum(squares / total - shift**2, 0)
    epsilon = float(np.finfo(X.dtype).eps)
    return mean, np.where(is_constant(variance, mean, epsilon), 0.0, variance)
