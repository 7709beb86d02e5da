"""Rows that do not suit the model: features in units of their own, and ties."""

import numpy as np

from sklvm.diagnostics._diagnosis import Diagnosis

__all__ = ["tied_rows", "unscaled_features"]

# The greatest standard deviation of a feature may be so many times the model's unit, or one in so
# many.
MAX_SCALE, MIN_SCALE = 10.0, 0.02
# Share of rows that have equals, above which a criterion that ties leave without a bound is not to
# be trusted while it goes on falling: a straight line has two fifths of its fall in the last third.
MAX_TIES, FALLING_SHARE = 0.005, 0.3


def unscaled_features(X, sigma=None):
    """The greatest standard deviation of a feature, in the model's unit.

    The unit is σ where that is given. Where it is learned, it is 1: steps of the optimisers have
    the length that suits features of about unit scale.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        NaN where missing.
    sigma : float or None, default=None
        σ; None: learned.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        is_known = np.isfinite(X)
        count = np.maximum(is_known.sum(axis=0), 1)
        X = np.where(is_known, X, 0.0).astype(np.float64)
        mean = X.sum(axis=0) / count
        deviations = np.sqrt((np.where(is_known, X - mean, 0.0) ** 2).sum(axis=0) / count)
    varying = deviations[deviations > 0]
    if len(varying) == 0:
        return Diagnosis(0.0)
    unit = 1.0 if sigma is None else sigma
    largest = varying.max() / unit
    unit_words = (
        "sigma is learned in steps that suit unit scale"
        if sigma is None
        else (f"sigma={sigma:g} is fixed")
    )
    return Diagnosis.of(
        largest,
        not MIN_SCALE <= largest <= MAX_SCALE,
        f"Features have standard deviations from {varying.min():.3g} to {varying.max():.3g}, and "
        f"{unit_words}. Scale them, for example by StandardScaler.",
    )


def tied_rows(X, convergence):
    """The share of rows that are equal to another row.

    A density may be without bound at a point where many rows lie, and score matching then has no
    minimum: it falls as long as the model gets sharper there.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    convergence : Diagnosis
        Whether the criterion was still falling when the fit ended, and how fast.
    """
    _, counts = np.unique(X, axis=0, return_counts=True)
    share = counts[counts > 1].sum() / len(X)
    return Diagnosis.of(
        share,
        share > MAX_TIES and convergence.is_problem and convergence.value > FALLING_SHARE,
        f"{share:.1%} of the rows are equal to other rows, where the criterion has no lower bound, "
        "and it fell to the end. Leave out flat or repeated rows, add noise to them, or use "
        "objective='denoising_score_matching' or ScoreMatching(regularization=...).",
    )
