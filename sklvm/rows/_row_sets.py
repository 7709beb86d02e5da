"""Rows that are treated together."""

import numpy as np

__all__ = ["rows_by_gaps", "slices"]


def slices(n, size):
    """Consecutive slices of `size` rows; the last one may be ragged."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def rows_by_gaps(X):
    """The rows of X with missing entries in the same places, one set after the other.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        NaN where missing.

    Yields
    ------
    rows : ndarray of int
        In increasing order; every row is in one set.
    missing : ndarray of bool of shape (d,)
        Where they have no value.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm.rows import rows_by_gaps
    >>> X = np.array([[1.0, np.nan], [2.0, 3.0], [4.0, np.nan]])
    >>> [(rows.tolist(), missing.tolist()) for rows, missing in rows_by_gaps(X)]
    [([1], [False, False]), ([0, 2], [False, True])]
    """
    patterns, which = np.unique(np.isnan(X), axis=0, return_inverse=True)
    which = which.ravel()
    for number, missing in enumerate(patterns):
        yield np.flatnonzero(which == number), missing
