"""Dense and complete rows, made of sparse ones and of rows with missing entries."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["as_dense", "starting_rows"]

MAX_STARTING_ROWS = 5000


def as_dense(X):
    """X, as an ndarray."""
    return X.toarray() if issparse(X) else X


def starting_rows(X, weights, rng):
    """Dense and complete rows to start from, and their weights.

    Complete dense data are taken as they are. Of sparse data it is at most 5,000 rows, drawn at
    random. Missing entries are draws from the observed ones of their column.

    Raises
    ------
    ValueError
        Where a feature has no observed value.
    """
    if issparse(X):
        if len(weights) > MAX_STARTING_ROWS:
            rows = np.sort(rng.choice(len(weights), MAX_STARTING_ROWS, replace=False))
            X, weights = X[rows], weights[rows]
        X = X.toarray()
    missing = np.isnan(X)
    if not missing.any():
        return X, weights
    if np.any(empty := missing.all(axis=0)):
        raise ValueError(f"Features {np.flatnonzero(empty).tolist()} have no observed value.")
    X = X.copy()
    for column, gaps in zip(X.T, missing.T, strict=True):
        column[gaps] = rng.choice(column[~gaps], gaps.sum())
    return X, weights
