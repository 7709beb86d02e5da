"""What models of binary data make of their rows."""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import binarize

__all__ = ["binary_rows"]


def binary_rows(X, threshold, advice):
    """Rows of 0 and 1, or of probabilities in [0, 1]; missing entries (NaN) stay missing.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n, d)
    threshold : float, "dynamic" or None
        Entries above a number are 1, the others 0. Otherwise X is taken as it is, and has to lie in
        [0, 1].
    advice : str
        What else the user may do about rows outside of [0, 1], for the message.

    Raises
    ------
    ValueError
        For values outside of [0, 1] without a threshold, and for sparse rows with NaN with one.
    """
    values = X.data if issparse(X) else X
    if threshold is not None and threshold != "dynamic":
        missing = np.isnan(values)
        if not missing.any():
            return binarize(X, threshold=threshold)
        if not issparse(X):
            return np.where(missing, X, (X > threshold).astype(X.dtype))
        raise ValueError("binarize does not take sparse data with NaN; binarize them before.")
    if not values.size:
        return X
    # Both pass over NaN.
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low < 0 or high > 1:
        raise ValueError(
            f"X must be binary, or probabilities in [0, 1], got values from {low:.6g} to "
            f"{high:.6g}. Set binarize=threshold, {advice}."
        )
    return X
