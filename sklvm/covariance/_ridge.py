"""How much variance is added to that of the data, so that they determine a Gaussian."""

import numpy as np

from sklvm.covariance._structures import few

__all__ = ["regularization_of", "resolve_ridge"]

_AUTOMATIC = 1e-3


def resolve_ridge(regularization, location, variances, degeneracy):
    """What `regularization` adds to the variance of each feature.

    Parameters
    ----------
    regularization : float or "auto"
    location, variances : ndarray of shape (d,)
        Of the data; the variance of a constant feature is exactly 0.
    degeneracy : callable
        Takes a ridge that suffices for constant features, and says why it does not for the others,
        or None.

    Returns
    -------
    ridge : ndarray of shape (d,)

    Raises
    ------
    ValueError
        If the data and a given ridge determine no Gaussian, or all features are constant.
    """
    constant = variances == 0
    if regularization != "auto":
        ridge = np.full(len(variances), float(regularization))
        if constant.any() and regularization == 0:
            why = f"features {few(np.flatnonzero(constant))} are constant"
        else:
            why = degeneracy(ridge)
        if why:
            raise ValueError(
                f"No Gaussian fits best: {why}. Give every direction some variance by a greater "
                f"`regularization`, got {regularization!r}, or choose a sparser `structure`."
            )
        return ridge
    if constant.all():
        raise ValueError(
            "No Gaussian fits best: all features are constant. Give them some variance by a "
            "`regularization`, got 'auto'."
        )
    # A constant feature has the size of its value for a unit; the others have nothing to do with
    # it.
    ridge = np.where(constant, _AUTOMATIC * np.where(location != 0, location**2, 1.0), 0.0)
    if degeneracy(ridge):
        ridge = np.where(constant, ridge, _AUTOMATIC * variances)
    return ridge


def regularization_of(regularization, ridge):
    """As used: what was given; with "auto" a thousandth, or 0 where nothing is added."""
    if regularization == "auto":
        return _AUTOMATIC if ridge.any() else 0.0
    return float(regularization)
