"""Constraints in the place of a penalty."""

from numbers import Integral, Real

from sklvm._compat import Interval
from sklvm.sparse_coding.penalties._base import Constraint

__all__ = ["AtMostNonzero", "AtMostResidual"]


class AtMostNonzero(Constraint):
    """min ½‖x − zD‖² subject to ‖z‖₀ ≤ `n_nonzero`; ``alpha`` does not enter.

    Parameters
    ----------
    n_nonzero : int, default=10
        Greatest number of non-zero coefficients.

    Examples
    --------
    >>> from sklvm.sparse_coding import AtMostNonzero
    >>> AtMostNonzero(5)
    AtMostNonzero(n_nonzero=5)
    """

    _parameter_constraints: dict = {"n_nonzero": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, n_nonzero=10):
        self.n_nonzero = n_nonzero

    @property
    def max_nonzero(self):
        return self.n_nonzero


class AtMostResidual(Constraint):
    """min ‖z‖₀ subject to ‖x − zD‖ ≤ `residual`; ``alpha`` does not enter.

    Parameters
    ----------
    residual : float, default=0.1
        Greatest norm of what is left, in the units of x. For white noise of standard deviation σ
        on d features, a little above σ√d.

    Examples
    --------
    >>> from sklvm.sparse_coding import AtMostResidual
    >>> AtMostResidual(0.5)
    AtMostResidual(residual=0.5)
    """

    _parameter_constraints: dict = {"residual": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, residual=0.1):
        self.residual = residual

    @property
    def max_residual(self):
        return float(self.residual)
