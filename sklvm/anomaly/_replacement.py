"""What each entry of a row has to do with the row's score, for any score."""

import numpy as np
from scipy.sparse import issparse

from sklvm._compat import _num_samples, _safe_indexing

__all__ = ["replacement_contributions", "replacement_rows"]

# Training rows that are kept for explanations.
MOST_REPLACEMENTS = 256


def replacement_rows(X, rng):
    """Some rows of X, dense, whose entries may stand in for those of other rows."""
    rows = _safe_indexing(X, rng.permutation(_num_samples(X))[:MOST_REPLACEMENTS])
    return rows.toarray() if issparse(rows) else np.asarray(rows)


def replacement_contributions(score, X, values):
    """Mean of score(x with x_j replaced) − score(x), over replacements from other rows.

    Parameters
    ----------
    score : callable
        Rows → scores, higher being more normal.
    X : ndarray of shape (n, d)
    values : ndarray of shape (m, d)
        Rows whose entries replace those of X.

    Returns
    -------
    contributions : ndarray of shape (n, d)
        Positive where other values would make the row more normal.
    """
    before = score(X)
    contributions = np.empty(X.shape)
    for j in range(X.shape[1]):
        changed = np.repeat(X, len(values), axis=0)
        changed[:, j] = np.tile(values[:, j], len(X))
        contributions[:, j] = score(changed).reshape(len(X), -1).mean(axis=1) - before
    return contributions
