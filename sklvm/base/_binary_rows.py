"""Rows of binary data: checked, and thresholded where that is asked for."""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import binarize

__all__ = ["binary_rows"]

# By so much the result of a scaler to [0, 1] may exceed it.
ROUNDING = 1e-6


def binary_rows(X, threshold, advice):
    """Rows of 0 and 1, or of probabilities in [0, 1]; missing entries (NaN) stay missing.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n, d)
    threshold : float, "dynamic" or None
        With a number, entries above it are 1 and the others 0. Otherwise X is taken as it is and
        has to lie in [0, 1]; values that are outside by no more than rounding are clipped.
    advice : str
        For the error message: what the user may do about values outside of [0, 1].

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
    return _clipped(X, advice)


def _clipped(X, advice):
    """X clipped to [0, 1] where a scaler's rounding has left that interval."""
    values = X.data if issparse(X) else X
    # Both pass over NaN.
    low = float(np.fmin.reduce(values, axis=None, initial=np.inf))
    high = float(np.fmax.reduce(values, axis=None, initial=-np.inf))
    excess = max(-low, high - 1)
    if not excess > 0:
        return X
    if excess > ROUNDING:
        raise ValueError(
            f"X must be binary, or probabilities in [0, 1], got values from {low:.6g} to "
            f"{high:.6g}, which exceed that by {excess:.3g}. Rows that a scaler has not seen may "
            f"do so: MinMaxScaler(clip=True) prevents it. Set binarize=threshold, {advice}."
        )
    X = X.copy()
    values = X.data if issparse(X) else X
    np.clip(values, 0, 1, out=values)
    return X
