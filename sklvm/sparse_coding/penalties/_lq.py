"""Powers between l0 and l1."""

from numbers import Real

from sklvm._compat import Interval
from sklvm.sparse_coding.penalties._base import PowerPenalty

__all__ = ["Lq"]


class Lq(PowerPenalty):
    """Σ_k w_k |z_k|^q with 0 < q < 1, which shrinks large coefficients less than l1.

    Its prox has closed forms at q = ½ (Xu, Chang, Xu and Zhang, 2012) and q = ⅔ (Cao, Sun and Xu,
    2013), and takes a few Newton steps elsewhere. Not convex: what a solver finds depends on its
    start, and is certified as a local solution.

    Parameters
    ----------
    q : float in (0, 1), default=0.5
        The power.
    weights : array-like of shape (n_components,), default=None
        w, non-negative; None: 1 for each.

    Examples
    --------
    >>> from sklvm.sparse_coding import Lq
    >>> Lq(0.5).prox([[3.0, -0.5]]).round(3)
    array([[2.695, 0.   ]])
    """

    _parameter_constraints: dict = {
        "q": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, q=0.5, *, weights=None):
        super().__init__(weights=weights)
        self.q = q

    @property
    def exponent(self):
        return float(self.q)
