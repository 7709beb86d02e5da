"""What a score is made of: a model, what it is compared with, and what is usual."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["REFERENCES", "reference_rows", "score_difference", "score_rows"]

REFERENCES = ("independent", "blurred")
# Share of the entries that come from other rows.
BLUR = 0.5


def reference_rows(X, kind, rng):
    """Rows for a model that is to know only what `kind` says of X.

    Parameters
    ----------
    X : array-like of shape (n, d)
    kind : {"independent", "blurred"}
        "independent": every column in an order of its own, which keeps the distribution of each
        feature and nothing else. "blurred": half of the entries, drawn for each row anew, come from
        other rows, which keeps a part of the dependencies.
    rng : Generator

    Returns
    -------
    X : ndarray of shape (n, d)
    """
    X = X.toarray() if issparse(X) else np.asarray(X)
    shuffled = rng.permuted(X, axis=0)
    return shuffled if kind == "independent" else np.where(rng.random(X.shape) < BLUR, shuffled, X)


def score_difference(estimator, reference, X):
    """log p(x) − log q(x) of each row; log p(x) where `reference` is None."""
    scores = np.asarray(estimator.score_samples(X))
    return scores if reference is None else scores - np.asarray(reference.score_samples(X))


def score_rows(estimator, reference, center, X):
    """The difference, or −|difference − center| where `center` is not None."""
    scores = score_difference(estimator, reference, X)
    return scores if center is None else -np.abs(scores - center)
