"""The number of non-zero coefficients."""

from sklvm.sparse_coding.penalties._base import PowerPenalty

__all__ = ["L0"]


class L0(PowerPenalty):
    """Σ_k w_k [z_k ≠ 0], the number of non-zero coefficients. Its prox is the hard threshold.

    Not convex: what a solver finds depends on its start, and is certified as a local solution
    (Blumensath and Davies, 2008, on iterative hard thresholding).

    Parameters
    ----------
    weights : array-like of shape (n_components,), default=None
        w, non-negative; None: 1 for each.

    Examples
    --------
    >>> from sklvm.sparse_coding import L0
    >>> L0().prox([[3.0, -0.5]])
    array([[3., 0.]])
    """

    exponent = 0.0
