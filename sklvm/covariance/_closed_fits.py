"""Gaussians of wide data: without correlations, or of fewer rows than features."""

import numpy as np

from sklvm.covariance._gaussian_forms import DiagonalForm, RowsForm
from sklvm.covariance._ridge import resolve_ridge
from sklvm.statistics import column_moments

__all__ = ["fit_diagonal", "fit_rows"]


def fit_diagonal(X, sample_weight, regularization, min_precision):
    """The reciprocal variances, at which likelihood and score matching agree; without any matrix.

    Returns
    -------
    location : ndarray of shape (d,)
    form : DiagonalForm
    ridge : ndarray of shape (d,)
    min_precision : float
        "auto" being the reciprocal of the largest variance.
    """
    location, variances = column_moments(X, sample_weight)
    ridge = resolve_ridge(regularization, location, variances, lambda ridge: None)
    variances = variances + ridge
    if min_precision == "auto":
        min_precision = float(1 / variances.max())
    form = DiagonalForm(np.maximum(1 / variances, min_precision))
    return location, form, ridge, min_precision


def fit_rows(statistics, regularization):
    """Maximum likelihood without zeros, of fewer rows than features, which takes a ridge.

    Returns
    -------
    location : ndarray of shape (d,)
    form : RowsForm
    ridge : ndarray of shape (d,)
    """
    why = (
        f"the data's covariance is singular on {len(statistics.mean)} features that the structure "
        "joins, by too few samples or by features that depend on each other"
    )
    ridge = resolve_ridge(
        regularization,
        statistics.mean,
        statistics.variances(),
        lambda ridge: None if (ridge > 0).all() else why,
    )
    form = RowsForm(statistics.rows / np.sqrt(statistics.weight), ridge)
    return statistics.mean, form, ridge
