"""Fits of one layer after the other."""

from numbers import Integral, Real

import numpy as np

from sklvm._compat import Interval
from sklvm.base import IterativeModel
from sklvm.rows import slices
from sklvm.training import Budget

__all__ = ["LayerwiseFit"]

_ROWS_AT_A_TIME = 8192


class LayerwiseFit(IterativeModel):
    """An iterative model whose learner is a ``StackTraining``."""

    # Passes are over all rows, for each layer needs what is below it.
    batch_size, shuffle = None, False
    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "filter_shape": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "code_tol": [Interval(Real, 0, None, closed="left")],
        "code_max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def _check_streamable(self):
        raise AttributeError(
            f"{type(self).__name__} learns one layer after the other, each from all rows, and has "
            "no partial_fit."
        )

    def _budget(self, learner, n_rows):
        return Budget(self.max_iter * learner.n_stages)

    def _stopping_rule(self, X, weights):
        """In parts of the objective of zero codes."""
        total = 0.0
        for rows in slices(len(X), _ROWS_AT_A_TIME):
            some = X[rows].astype(np.float64)
            total += float(weights[rows] @ np.einsum("ij,ij->i", some, some))
        return self.tol * 0.5 * total / float(weights.sum()), 1

    def _resources(self):
        return self._training.working()

    def _convergence(self, monitor):
        monitor.max_iter = self.max_iter  # of a layer
        return super()._convergence(monitor)

    def _fitted_attributes(self, learner):
        attributes = super()._fitted_attributes(learner)
        if not learner.n_layers:
            return attributes
        dtype = learner.options.dtype
        return attributes | {
            "components_": [D.astype(dtype) for D in learner.components],
            "alphas_": learner.alphas,
        }
