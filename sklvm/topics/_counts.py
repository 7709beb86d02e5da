"""What a matrix of word counts has to be."""

import numpy as np
from scipy.sparse import csr_array, issparse

from sklvm._warnings import warn

__all__ = ["as_counts", "require_whole_counts", "warn_of_fractions"]


def as_counts(X, owner):
    """Validated X as a CSR array with sorted indices, each place once, and no stored zeros.

    Raises
    ------
    ValueError
        Where a count is negative.
    """
    data = X.data if issparse(X) else X
    if data.size and data.min() < 0:
        raise ValueError(
            f"Negative values in data passed to {owner}, which takes counts of words: X has "
            f"entries down to {data.min():.6g}."
        )
    counts = csr_array(X)
    if counts.has_canonical_format and counts.nnz == np.count_nonzero(counts.data):
        return counts
    counts = counts.copy()
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


def _has_fractions(X):
    return bool(np.any(X.data != np.floor(X.data)))


def warn_of_fractions(X, owner):
    """Tell that fractions are not what a model of counts is of."""
    if _has_fractions(X):
        warn(
            f"X has entries that are not whole numbers, such as TF-IDF weights. {owner} is a model "
            "of counts and takes them for fractions of words; CountVectorizer makes counts.",
            UserWarning,
        )


def require_whole_counts(X, what):
    """X as int32, where all counts are whole.

    Raises
    ------
    ValueError
        Where some are not.
    """
    if _has_fractions(X):
        raise ValueError(
            f"{what} draws the topic of each word, and takes whole counts; X has entries that are "
            f"not, such as {X.data[X.data != np.floor(X.data)][0]:.6g}."
        )
    return X.astype(np.int32)
