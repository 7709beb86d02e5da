"""Sequences as consecutive rows that share an id."""

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

__all__ = ["sequence_starts", "sequence_weights"]


def sequence_starts(groups, n_rows):
    """Where the sequences of rows begin, and where the last one ends.

    Parameters
    ----------
    groups : array-like of shape (n_rows,) or None
        The id of each row's sequence, integers or strings; None: every row is a sequence.
    n_rows : int

    Returns
    -------
    starts : ndarray of int64, shape (n_sequences + 1,)

    Raises
    ------
    ValueError
        If the length is another, or the rows of a sequence do not follow one another.
    """
    if groups is None:
        return np.arange(n_rows + 1, dtype=np.int64)
    groups = column_or_1d(groups)
    if len(groups) != n_rows:
        raise ValueError(f"groups must have one entry a row of X, {n_rows}, got {len(groups)}.")
    first = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    ids, counts = np.unique(groups[first], return_counts=True)
    if np.any(counts > 1):
        raise ValueError(
            "groups must be contiguous: the rows of a sequence follow one another, in their order. "
            f"Those of sequence {ids[counts > 1][0]} do not."
        )
    return np.append(first, n_rows).astype(np.int64)


def sequence_weights(sample_weight, starts):
    """The weight of each sequence, from those of its rows.

    Raises
    ------
    ValueError
        If rows of one sequence have different weights.
    """
    check_consistent_length(sample_weight, np.empty(starts[-1]))
    weights = sample_weight[starts[:-1]]
    differs = np.repeat(weights, np.diff(starts)) != sample_weight
    if np.any(differs):
        raise ValueError(
            "sample_weight must be the same for all rows of a sequence, got "
            f"{sample_weight[differs][0]:g} in row {np.flatnonzero(differs)[0]} where the sequence "
            "begins with another."
        )
    return weights
