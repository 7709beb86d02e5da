"""Limited-memory BFGS, by scipy."""

from numbers import Integral, Real

import numpy as np
from scipy.optimize import minimize

from sklvm._compat import Interval
from sklvm.settings import Settings

__all__ = ["LBFGS"]


class LBFGS(Settings):
    """Limited-memory BFGS on the criterion over all rows, for deterministic criteria.

    Parameters
    ----------
    n_corrections : int, default=10
        Pairs of differences kept.
    gradient_tol : float, default=1e-5
        Stop where no entry of the gradient is larger.
    value_tol : float, default=1e-9
        Stop where an iteration lowers the criterion by less than this fraction of it.

    References
    ----------
    Zhu, Byrd, Lu, Nocedal, "Algorithm 778: L-BFGS-B", ACM TOMS 23 (1997); ``scipy.optimize``.

    Examples
    --------
    >>> from sklvm.optimizers import LBFGS
    >>> LBFGS(gradient_tol=1e-8)
    LBFGS(gradient_tol=1e-08)
    """

    _parameter_constraints = {
        "n_corrections": [Interval(Integral, 1, None, closed="left")],
        "gradient_tol": [Interval(Real, 0, None, closed="left")],
        "value_tol": [Interval(Real, 0, None, closed="left")],
    }
    full_batch = True

    def __init__(self, n_corrections=10, gradient_tol=1e-5, value_tol=1e-9):
        self.n_corrections = n_corrections
        self.gradient_tol = gradient_tol
        self.value_tol = value_tol

    def minimize(self, function, theta, max_iter, on_iteration):
        """Minimise from θ.

        Parameters
        ----------
        function : callable
            θ → (value, gradient).
        theta : ndarray
            Start; not changed.
        max_iter : int
        on_iteration : callable
            Called with (θ, value) after every iteration; raises ``StopIteration`` to stop.

        Returns
        -------
        theta : ndarray of the start's dtype
        converged : bool
        message : str
        """

        def in_double(vector):
            value, gradient = function(vector.astype(theta.dtype))
            return float(value), gradient.astype(np.float64)

        def callback(intermediate_result):
            on_iteration(intermediate_result.x.astype(theta.dtype), intermediate_result.fun)

        result = minimize(
            in_double,
            theta.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            callback=callback,
            options={
                "maxiter": max_iter,
                "maxfun": 20 * max_iter,
                "maxcor": self.n_corrections,
                "gtol": self.gradient_tol,
                "ftol": self.value_tol,
                "maxls": 50,
            },
        )
        return result.x.astype(theta.dtype), bool(result.success), str(result.message)
