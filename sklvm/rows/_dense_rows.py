"""Dense and complete rows, made of sparse ones and of rows with missing entries."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["as_dense", "has_gaps", "starting_rows"]

MAX_STARTING_ROWS = 5000
MAX_STARTING_ENTRIES = 2**21


def as_dense(X):
    """X, as an ndarray."""
    return X.toarray() if issparse(X) else X


def has_gaps(X):
    """Whether an ndarray has missing entries, without an array of its size."""
    step = max(1, MAX_STARTING_ENTRIES // X.shape[1])
    return any(np.isnan(X[start : start + step]).any() for start in range(0, len(X), step))


def starting_rows(X, weights, rng):
    """Dense and complete rows to start from, and their weights.

    Complete dense data are taken as they are. Of sparse data, and of data with gaps, it is at most
    5,000 rows, drawn at random, and of wide ones fewer. Missing entries are draws from the observed
    ones of their column.

    Raises
    ------
    ValueError
        Where a feature has no observed value.
    """
    is_sparse = issparse(X)
    if not is_sparse and not has_gaps(X):
        return X, weights
    n_rows = max(2, min(MAX_STARTING_ROWS, MAX_STARTING_ENTRIES // X.shape[1]))
    if len(weights) > n_rows:
        rows = np.sort(rng.choice(len(weights), n_rows, replace=False))
        if not is_sparse:
            rows = np.union1d(rows, _first_values(X[rows], X)).astype(np.intp)
        X, weights = X[rows], weights[rows]
    X = as_dense(X)
    missing = np.isnan(X)
    if not missing.any():
        return X, weights
    if np.any(empty := missing.all(axis=0)):
        raise ValueError(f"Features {np.flatnonzero(empty).tolist()} have no observed value.")
    X = X.copy()
    for column, gaps in zip(X.T, missing.T, strict=True):
        column[gaps] = rng.choice(column[~gaps], gaps.sum())
    return X, weights


def _first_values(some, X):
    """For each column without a value in some of the rows of X, a row of X that has one."""
    return [
        int(np.argmax(~np.isnan(X[:, column])))
        for column in np.flatnonzero(np.isnan(some).all(axis=0))
    ]
