"""The l1 penalty."""

from sklvm.sparse_coding.penalties._base import PowerPenalty

__all__ = ["L1"]


class L1(PowerPenalty):
    """Σ_k w_k |z_k|, the lasso (Tibshirani, 1996). Its prox is the soft threshold.

    Parameters
    ----------
    weights : array-like of shape (n_components,), default=None
        w, non-negative; None: 1 for each.

    Examples
    --------
    >>> from sklvm.sparse_coding import L1
    >>> L1().prox([[3.0, -0.5]])
    array([[2., 0.]])
    """
