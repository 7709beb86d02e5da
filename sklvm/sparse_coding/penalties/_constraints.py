"""Constraints in the place of a penalty."""

from numbers import Integral, Real

from sklvm._compat import Interval
from sklvm.sparse_coding.penalties._base import Constraint
from sklvm.sparse_coding.penalties._l1 import L1

__all__ = ["AtMostNonzero", "AtMostResidual", "BasisPursuit"]


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
    greedy = True

    def __init__(self, n_nonzero=10):
        self.n_nonzero = n_nonzero

    @property
    def max_nonzero(self):
        return self.n_nonzero


class AtMostResidual(Constraint):
    """min ‖z‖₀ subject to ‖x − zD‖ ≤ `residual`; ``alpha`` does not enter.

    Where no code of the greedy path leaves so little, the certificate is what the residual exceeds
    it by, relative to ‖x‖.

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
    greedy = True

    def __init__(self, residual=0.1):
        self.residual = residual

    @property
    def max_residual(self):
        return float(self.residual)


class BasisPursuit(Constraint):
    """min Σ_k w_k |z_k| subject to ‖x − zD‖ ≤ `residual`; ``alpha`` does not enter.

    Basis pursuit denoising (Chen, Donoho and Saunders, 1998): of all codes that leave no more, the
    one of least l1 norm. Each sample has the l1 penalty's solution for an α of its own. Where no
    code leaves so little, the certificate is what the residual exceeds it by, relative to ‖x‖.

    Parameters
    ----------
    residual : float, default=0.1
        Greatest norm of what is left, in the units of x. For white noise of standard deviation σ
        on d features, about σ√d.
    weights : array-like of shape (n_components,), default=None
        w, positive; None: 1 for each.

    Examples
    --------
    >>> import numpy as np
    >>> from sklvm import SparseCoder
    >>> from sklvm.sparse_coding import BasisPursuit
    >>> coder = SparseCoder(np.eye(2), penalty=BasisPursuit(1.0)).fit(np.eye(2))
    >>> coder.transform([[3.0, 0.0], [0.5, 0.5]]).round(4)
    array([[2., 0.],
           [0., 0.]])
    """

    _parameter_constraints: dict = {
        "residual": [Interval(Real, 0, None, closed="left")],
        "weights": ["array-like", None],
    }
    exponent = 1.0
    on_lasso_path = allows_positive = True

    def __init__(self, residual=0.1, *, weights=None):
        self.residual = residual
        self.weights = weights

    def bounds(self, alpha, n_components):
        weights = L1(weights=self.weights).weigh(1.0, n_components)
        if not (weights > 0).all():
            raise ValueError("The 'weights' of BasisPursuit must be positive, got a 0.")
        return weights, None
