"""Checks of the data that users hand to an estimator."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

__all__ = ["check_data", "has_finite_squares"]


def check_data(estimator, X, *, squares=None, **options):
    """Check X by ``validate_data``, with care for masked arrays, CSR and the overflow of squares.

    Masked entries of a masked array are missing entries: they become NaN if the estimator accepts
    NaN, and are refused otherwise. A CSR matrix that stores several entries for one place is
    brought into canonical form, in which they are summed.

    Parameters
    ----------
    estimator : estimator
    X : array-like or sparse matrix
    squares : dtype, default=None
        The type in which the fit sums squares of the data; None: the type of X.
    **options : dict
        Those of ``sklearn.utils.validation.validate_data``.

    Returns
    -------
    X : ndarray or sparse matrix

    Raises
    ------
    ValueError
        For masked entries where the estimator takes no missing ones, for data of a fit whose
        squares overflow, and for what ``validate_data`` refuses.
    """
    if isinstance(X, np.ma.MaskedArray):
        X = _unmasked(estimator, X, options.get("ensure_all_finite", True) == "allow-nan")
    X = validate_data(estimator, X, **options)
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()  # the caller's own stays as it is
        X.sum_duplicates()
        if np.isinf(X.data).any():
            raise ValueError("Entries of X for the same place have a sum that overflows.")
    if options.get("reset", True):
        _check_squares(X, np.dtype(squares or X.dtype))
    return X


def _check_squares(X, dtype):
    values = X.data if issparse(X) else X
    largest = max(
        float(np.fmax.reduce(values, axis=None, initial=0)),
        -float(np.fmin.reduce(values, axis=None, initial=0)),
    )
    if largest <= np.sqrt(float(np.finfo(dtype).max) / max(values.size, 1)):
        return
    feature = int(
        X.indices[np.argmax(np.abs(X.data))]
        if issparse(X)
        else np.nanargmax(np.nanmax(np.abs(X), axis=0))
    )
    raise ValueError(
        f"Feature {feature} has values of up to {largest:.3g}, whose squares overflow {dtype}. "
        "Scale the data" + (", or give them in double precision." if dtype == np.float32 else ".")
    )


def _unmasked(estimator, X, takes_gaps):
    mask = np.ma.getmaskarray(X)
    if not mask.any():
        return X.data
    if not takes_gaps:
        raise ValueError(
            f"X is a masked array with {mask.sum()} masked entries, and "
            f"{type(estimator).__name__} takes no missing ones. Fill them, or leave their rows out."
        )
    dtype = X.dtype if X.dtype in (np.float32, np.float64) else np.float64
    return X.astype(dtype).filled(np.nan)


def has_finite_squares(X):
    """For each row, whether ‖x‖² over its observed entries is far from overflow in float64."""
    largest = np.fmax.reduce(np.abs(X), axis=1, initial=0).astype(np.float64)
    return largest < 1e-8 * np.sqrt(np.finfo(np.float64).max / X.shape[1])
