"""Where rows are centred before their squares are summed, and which columns do not vary."""

import numpy as np

__all__ = ["is_constant", "rough_mean"]

_ROUGH_MEAN_ROWS = 1024
_ROUGH_MEAN_ENTRIES = 2**19
# The mean of equal values is off by some units in the last place, and so are these by one.
_ROUNDING = 16


def rough_mean(X, weights):
    """Weighted mean and variance of a thousand or two of the rows, in float64.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,)
        Non-negative, not all zero.

    Returns
    -------
    mean, variance : ndarray of shape (d,)
    """
    n_rows = max(1, min(_ROUGH_MEAN_ROWS, _ROUGH_MEAN_ENTRIES // X.shape[1]))
    step = max(1, len(X) // n_rows)
    shares = weights[::step].astype(np.float64)
    if not shares.any():
        row = X[np.argmax(weights > 0)].astype(np.float64)
        return row, np.zeros_like(row)
    some = X[::step].astype(np.float64)
    shares /= shares.sum()
    mean = shares @ some
    some -= mean
    return mean, shares @ np.square(some, out=some)


def is_constant(variance, mean, epsilon):
    """Whether a variance is what rounding leaves of none.

    Equal values v, such as 7.3, whose mean is not exactly 7.3, have a variance of about (ε v)².

    Parameters
    ----------
    variance, mean : ndarray of shape (d,)
    epsilon : float
        Spacing of the data's floating-point numbers at 1.
    """
    return variance <= (_ROUNDING * epsilon * mean) ** 2
