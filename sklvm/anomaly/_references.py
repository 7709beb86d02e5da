"""What a score is made of: a model, what it is compared with, and what is usual."""

import numpy as np

__all__ = ["REFERENCES", "reference_rows", "score_difference", "score_rows"]

REFERENCES = ("independent", "blurred")
# Of the noise that blurs, in standard deviations of a feature.
BLUR = 1.0


def reference_rows(X, kind, rng):
    """Rows for a model that is to know only what `kind` says of X.

    Parameters
    ----------
    X : array-like of shape (n, d)
    kind : {"independent", "blurred"}
        "independent": every column in an order of its own, which keeps the distribution of each
        feature and nothing else. "blurred": with Gaussian noise of each feature's own standard
        deviation, which keeps the coarse shape.
    rng : Generator

    Returns
    -------
    X : ndarray of shape (n, d)
    """
    X = np.array(X, dtype=np.result_type(np.asarray(X).dtype, np.float32), copy=True)
    if kind == "independent":
        return rng.permuted(X, axis=0)
    return X + (BLUR * np.nanstd(X, axis=0) * rng.standard_normal(X.shape)).astype(X.dtype)


def score_difference(estimator, reference, X):
    """log p(x) − log q(x) of each row; log p(x) where `reference` is None."""
    scores = np.asarray(estimator.score_samples(X))
    return scores if reference is None else scores - np.asarray(reference.score_samples(X))


def score_rows(estimator, reference, center, X):
    """The difference, or −|difference − center| where `center` is not None."""
    scores = score_difference(estimator, reference, X)
    return scores if center is None else -np.abs(scores - center)
