"""The elastic net."""

from numbers import Real

from sklvm._compat import Interval
from sklvm.sparse_coding.penalties._base import PowerPenalty

__all__ = ["ElasticNet"]


class ElasticNet(PowerPenalty):
    """Σ_k w_k (ρ |z_k| + ½ (1 − ρ) z_k²), ρ = `l1_ratio` (Zou and Hastie, 2005).

    The square makes the codes unique, and shares the weight among atoms that are alike.

    Parameters
    ----------
    l1_ratio : float in [0, 1], default=0.5
        ρ: 1 is the lasso, 0 ridge regression.
    weights : array-like of shape (n_components,), default=None
        w, non-negative; None: 1 for each.

    Examples
    --------
    >>> from sklvm.sparse_coding import ElasticNet
    >>> ElasticNet(0.5).prox([[3.5, -0.4]])
    array([[2., 0.]])
    """

    _parameter_constraints: dict = {
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, l1_ratio=0.5, *, weights=None):
        super().__init__(weights=weights)
        self.l1_ratio = l1_ratio

    @property
    def slope(self):
        return float(self.l1_ratio)

    @property
    def curvature(self):
        return 1 - float(self.l1_ratio)
